/* command.h: the commands of ropepp-verify. Each owns its options and its help. */
#ifndef RPP_COMMAND_H
#define RPP_COMMAND_H

#include "program/commands.h"

/* Exit status: 0 pass, 1 mismatch, 2 usage or bad file, 3 a kernel crashed, hung or wrote outside, 128 + the signal when interrupted. */
rpp_command_main rpp_main_bench, rpp_main_cases, rpp_main_gen, rpp_main_check, rpp_main_detection, rpp_main_errata, rpp_main_exec, rpp_main_fuzz,
    rpp_main_identities, rpp_main_kernels, rpp_main_merge, rpp_main_replay, rpp_main_selftest, rpp_main_truth;

#endif
