/* command.h: the commands of ropepp-analysis. Each owns its options and its help. */
#ifndef RPP_ANALYSIS_COMMAND_H
#define RPP_ANALYSIS_COMMAND_H
#include "program/commands.h"

/* Exit status: 0, or 2 for a usage error, a file that cannot be used and an output that cannot be written. */
rpp_command_main rpp_main_cost, rpp_main_coverage, rpp_main_curves, rpp_main_layout;

#endif
