/* coverage_needed.h: `ropepp-analysis coverage --search`: the angle that each criterion needs, as a table. */
#ifndef RPP_COVERAGE_NEEDED_H
#define RPP_COVERAGE_NEEDED_H
#include "coverage_search.h"
#include "options.h"

/* The table on standard output, and, unless folder is null, FOLDER/coverage-search.csv. False, with a message, when that cannot be written,
 * or when the slowest pair is not covered within RPP_COVERAGE_LONGEST. */
bool rpp_coverage_needed_run(const rpp_head_options *head, const char *folder, rpp_message *error);

#endif
