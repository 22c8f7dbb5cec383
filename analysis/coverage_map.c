#include "coverage_map.h"

#include <math.h>

bool rpp_coverage_lists_training(const rpp_coverage_lengths *lengths) {
  return lengths->length <= RPP_COVERAGE_LISTED;
}

bool rpp_coverage_lists_target(const rpp_coverage_lengths *lengths) {
  return lengths->target > 0 && lengths->target - lengths->length <= RPP_COVERAGE_LISTED;
}

static rpp_coverage_cell map_angles(const rpp_coverage_lengths *lengths, rpp_dd turns, rpp_dimension_class c, rpp_method m,
                                    rpp_criterion k) {
  rpp_coverage_cell cell = {.points = {NAN, NAN, NAN, NAN}, .new_distances = NAN};
  cell.seen = rpp_coverage_of_angles(c, m, k, rpp_angles_of_length(turns, lengths->length, lengths->packed));
  if (lengths->target == 0) return cell;
  cell.needed = rpp_coverage_of_angles(c, m, k, rpp_angles_of_length(turns, lengths->target, false));
  cell.unseen = rpp_coverage_unseen(k, &cell.seen, &cell.needed);
  return cell;
}

/* One pass over the distances past training for all cells of two classes that have something unseen. */
static void count_new(const rpp_coverage_lengths *lengths, rpp_dd turns, rpp_coverage_pair *pair) {
  bool any = false;
  for (int c = RPP_Q_EVEN; c <= RPP_Q_ODD; c++)
    for (int m = 0; m < RPP_METHODS; m++)
      for (int k = 0; k < RPP_CRITERIA; k++) pair->cells[c][m][k].new_distances = 0, any |= !pair->cells[c][m][k].seen.full;
  for (int64_t t = lengths->length; any && t < lengths->target; t++) {
    double cosine, sine, phase;
    rpp_point_of_distance(turns, t, &cosine, &sine, &phase);
    for (int c = RPP_Q_EVEN; c <= RPP_Q_ODD; c++)
      for (int m = 0; m < RPP_METHODS; m++)
        for (int k = 0; k < RPP_CRITERIA; k++) {
          rpp_coverage_cell *cell = &pair->cells[c][m][k];
          if (!cell->seen.full) cell->new_distances += rpp_coverage_is_new(c, m, k, &cell->seen, cosine, sine, phase);
        }
  }
}

void rpp_coverage_map_pair(const rpp_coverage_lengths *lengths, double hi, double lo, rpp_coverage_points *points,
                           rpp_coverage_pair *pair) {
  const rpp_dd turns = rpp_turns_of_theta(hi, lo);
  const bool listed = rpp_coverage_lists_training(lengths);
  pair->theta = hi;
  pair->periods = rpp_angles_of_length(turns, lengths->length, false).high;
  pair->target_periods = lengths->target > 0 ? rpp_angles_of_length(turns, lengths->target, false).high : NAN;
  if (listed) rpp_coverage_points_fill(points, turns, lengths->length);
  for (int c = RPP_Q_EVEN; c <= RPP_Q_ODD; c++)
    for (int m = 0; m < RPP_METHODS; m++)
      for (int k = 0; k < RPP_CRITERIA; k++) {
        pair->cells[c][m][k] = map_angles(lengths, turns, c, m, k);
        if (listed) /* hull and union have the same points */
          pair->cells[c][m][k].points =
              k == RPP_UNION ? pair->cells[c][m][RPP_HULL].points : rpp_coverage_points_hole(points, c, m, k, lengths->packed);
      }
  if (rpp_coverage_lists_target(lengths)) count_new(lengths, turns, pair);
  for (int m = 0; m < RPP_METHODS; m++) /* keys have the multipliers of the query's other dimension */
    for (int k = 0; k < RPP_CRITERIA; k++) {
      pair->cells[RPP_K_ODD][m][k] = pair->cells[RPP_Q_EVEN][m][k];
      pair->cells[RPP_K_EVEN][m][k] = pair->cells[RPP_Q_ODD][m][k];
    }
}
