/* coverage_figure.h: the picture of coverage (Figure 3 of the paper): what each dimension has seen, and what the target asks for besides. */
#ifndef RPP_COVERAGE_FIGURE_H
#define RPP_COVERAGE_FIGURE_H
#include "coverage_map.h"
#include "figure.h"

/* FOLDER/coverage.svg, RoPE beside RoPE++: a pair's multipliers by distance; then, by pair, the values that q even (k odd) and q odd (k
 * even) have seen, and the phases; seen, asked for at the target but never seen, and neither differ in colour. values: RPP_UNION, or RPP_HULL, which the
 * paper's colours. theta_n = hi[n] + lo[n], n <
 * pairs. title: one line without quotes. False, with a message. */
bool rpp_coverage_draw(const rpp_coverage_lengths *lengths, rpp_criterion values, int64_t pairs, const double *hi, const double *lo,
                       const char *title, const char *folder, rpp_message *error);

#endif
