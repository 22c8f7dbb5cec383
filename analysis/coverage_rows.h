/* coverage_rows.h: coverage as data: rows of a table, and counts for a summary. */
#ifndef RPP_COVERAGE_ROWS_H
#define RPP_COVERAGE_ROWS_H
#include <jansson.h>

#include "coverage_map.h"
#include "options.h"
#include "table.h"

typedef struct {
  int64_t pairs;
  int64_t full[RPP_DIMENSION_CLASSES][RPP_METHODS][RPP_CRITERIA];
  double covered[RPP_DIMENSION_CLASSES][RPP_METHODS][RPP_CRITERIA],
      unseen[RPP_DIMENSION_CLASSES][RPP_METHODS][RPP_CRITERIA]; /* sums */
} rpp_coverage_counts;

/* What differs from the paper, one line an entry; ends with null. */
extern const char *const rpp_coverage_differences[];

/* The comment lines and the header; a pair's rows, one for each class, method and criterion (only: that one; -1: all). */
void rpp_coverage_write_header(rpp_table *table, const rpp_head_options *head, const rpp_coverage_lengths *lengths);
void rpp_coverage_write_pair(rpp_table *table, const rpp_coverage_lengths *lengths, int64_t n, const rpp_coverage_pair *pair,
                             int only);

void rpp_coverage_count(rpp_coverage_counts *counts, const rpp_coverage_pair *pair);
json_t *rpp_coverage_summary(const rpp_coverage_counts *counts, const rpp_head_options *head, const rpp_coverage_lengths *lengths);

#endif
