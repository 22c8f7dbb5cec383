/* summary.h: what a curve does, seen row by row: its largest value, where it first turns negative, where it has fallen to half. */
#ifndef RPP_SUMMARY_H
#define RPP_SUMMARY_H
#include <jansson.h>
#include <stdbool.h>

/* NaN: not seen yet. */
typedef struct {
  double max, max_at;
  double first_negative; /* the first t whose value is below 0 */
  double half_decay;     /* the first t whose value is at most half of the largest one before it */
} rpp_summary;

rpp_summary rpp_summary_none(void);

/* The next row; t in growing order. A NaN value changes nothing. */
void rpp_summary_add(rpp_summary *summary, double t, double value);

/* {"max", "max_at", "first_negative", "half_decay"}, null for what was not seen. */
json_t *rpp_summary_json(const rpp_summary *summary);

#endif
