/* investigate.h: a failure is run again, shrunk, explained and, where a folder is given, saved. */
#ifndef RPP_INVESTIGATE_H
#define RPP_INVESTIGATE_H
#include "workers/campaign.h"

/* Fills reproduced, spec, verdict, explanation and file of a failure of kernel number kernel. What was found by then stays when
 * interrupted. */
void rpp_investigate(rpp_pool *pool, int kernel, rpp_shrinker *shrink, rpp_report_failure *failure);

#endif
