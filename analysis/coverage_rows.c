#include "coverage_rows.h"

#include <inttypes.h>
#include <string.h>

const char *const rpp_coverage_differences[] = {
    "The paper's sentence, that RoPE++ needs half a period where RoPE needs a full one, is true under none of the criteria.",
    "Its figure colours the hull: q even and k odd then need 1/2 period with RoPE and 0 with RoPE++, q odd and k even 1/4 with "
    "both.",
    "A full period is what RoPE needs under phase, but RoPE++ then needs 3/4; half a period is what RoPE++ needs under families "
    "for q "
    "odd, but RoPE then needs 3/4.",
    "That is for causal distances: training samples that reset positions at document borders see negative distances, too "
    "(--packed).",
    "Angles are continuous, as in the paper; the distances that occur are finitely many points, so the largest hole is beside "
    "them.",
    NULL,
};

/* ---- Rows ----------------------------------------------------------------------------------------------------------------- */

enum { SET_TEXT = 640 };

/* "low:high low:high"; for families "cos low:high sin low:high". */
static void print_sets(int count, const rpp_interval_set *sets, char *text) {
  int used = 0;
  *text = '\0';
  for (int i = 0; i < count; i++) {
    if (count > 1) used += snprintf(text + used, (size_t)(SET_TEXT - used), "%s%s", i == 0 ? "" : " ", i == 0 ? "cos" : "sin");
    for (int j = 0; j < sets[i].count; j++)
      used += snprintf(text + used, (size_t)(SET_TEXT - used), "%s%.17g:%.17g", used == 0 ? "" : " ", sets[i].at[j].low,
                       sets[i].at[j].high);
  }
}

static void print_multipliers(unsigned multipliers, char *text) {
  static const char *const names[RPP_MULTIPLIERS] = {"+cos", "-cos", "+sin", "-sin"};
  *text = '\0';
  for (int i = 0; i < RPP_MULTIPLIERS; i++)
    if (multipliers >> i & 1) strcat(strcat(text, *text == '\0' ? "" : " "), names[i]);
}

void rpp_coverage_write_header(rpp_table *t, const rpp_head_options *head, const rpp_coverage_lengths *lengths) {
  char text[RPP_HEAD_TEXT];
  rpp_head_options_print(head, text);
  rpp_table_comment(t, "ropepp-analysis coverage %s --length=%" PRId64 "%s", text, lengths->length,
                    lengths->packed ? " --packed" : "");
  if (lengths->target > 0)
    rpp_table_comment(t, "target length %" PRId64 ": distances 0..%" PRId64 " of one document", lengths->target,
                      lengths->target - 1);
  rpp_table_comment(t, "distances seen in training: %s%" PRId64 "..%" PRId64, lengths->packed ? "-" : "",
                    lengths->packed ? lengths->length - 1 : 0, lengths->length - 1);
  static const char *const columns[] = {
      "pair, theta, periods: n, its frequency, theta (L - 1) / 2 pi: turns of the angle D = theta (t - s) in training",
      "class, method, criterion: dimension of the pair; rope: real heads, rope++: real and imaginary ones; see below",
      "multipliers: which of +-cos D and +-sin D multiply the dimension in the scores",
      "seen: values that they take on the continuous angles of training, as low:high; families: of +-cos, then of +-sin; phase: "
      "arcs of the "
      "circle 0..1, in turns",
      "covered: how much of what the criterion asks for that is, 0..1; full: 1 when it is all",
      "hull: [-1, 1] from the least to the greatest value. union: every value of [-1, 1], by any multiplier. families: every value "
      "by +-cos, "
      "and every one by +-sin; covered is the mean of both",
      "phase: every point of the circle at (multiplier of the partner of like parity, multiplier of the other): D in real heads of "
      "q_even and "
      "k_odd, D - 1/4 turn in imaginary ones; q_odd and k_even: mirrored",
      "point_low, point_high, hole, hole_at: of the whole distances alone: least and greatest value, and the largest part of [-1, "
      "1], its ends "
      "included, that no point is in, from hole_at up; families: of the family with the larger one",
      "for phase hole is the largest arc without a point, in turns, and the points lie from point_low up to point_high",
      NULL,
  };
  for (int i = 0; columns[i] != NULL; i++) rpp_table_comment(t, "%s", columns[i]);
  if (!rpp_coverage_lists_training(lengths))
    rpp_table_comment(t, "they are nan: more than %" PRId64 " distances are not listed one by one", RPP_COVERAGE_LISTED);
  if (lengths->target > 0) {
    rpp_table_comment(
        t, "target_periods: turns at the target; needed: how much its angles ask for, as covered; unseen: how much of that "
           "training has not seen, unseen_at: where");
    rpp_table_comment(t,
                      "new_distances: of the %" PRId64
                      " distances past training, those at which a multiplier (phase: a point) is outside "
                      "of what training has seen%s",
                      lengths->target - lengths->length, rpp_coverage_lists_target(lengths) ? "" : " (nan: too many to be listed)");
  }
  for (int i = 0; rpp_coverage_differences[i] != NULL; i++)
    rpp_table_comment(t, "%s%s", i == 0 ? "against the paper: " : "  ", rpp_coverage_differences[i]);
  static const char *const names[] = {"pair", "theta",   "periods", "class",     "method",     "criterion", "multipliers",
                                      "seen", "covered", "full",    "point_low", "point_high", "hole",      "hole_at"};
  static const char *const target_names[] = {"target_periods", "needed", "unseen", "unseen_at", "new_distances"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) rpp_table_text(t, names[i]);
  for (size_t i = 0; lengths->target > 0 && i < sizeof target_names / sizeof *target_names; i++) rpp_table_text(t, target_names[i]);
  rpp_table_end_row(t);
}

static void write_cell(rpp_table *t, const rpp_coverage_lengths *lengths, const rpp_coverage_pair *pair,
                       const rpp_coverage_cell *cell, rpp_criterion k) {
  char text[SET_TEXT];
  print_sets(cell->seen.sets, cell->seen.seen, text);
  rpp_table_text(t, text);
  rpp_table_number(t, cell->seen.covered);
  rpp_table_integer(t, cell->seen.full);
  rpp_table_number(t, cell->points.low);
  rpp_table_number(t, cell->points.high);
  rpp_table_number(t, cell->points.hole);
  rpp_table_number(t, cell->points.hole_at);
  if (lengths->target == 0) return;
  rpp_interval_set unseen[2] = {{0}, {0}};
  for (int i = 0; i < cell->seen.sets; i++) unseen[i] = rpp_coverage_unseen_set(k, &cell->seen, &cell->needed, i);
  if (unseen[0].count + unseen[1].count > 0)
    print_sets(cell->seen.sets, unseen, text);
  else
    *text = '\0';
  rpp_table_number(t, pair->target_periods);
  rpp_table_number(t, cell->needed.covered);
  rpp_table_number(t, cell->unseen);
  rpp_table_text(t, text);
  rpp_table_number(t, cell->new_distances);
}

void rpp_coverage_write_pair(rpp_table *t, const rpp_coverage_lengths *lengths, int64_t n, const rpp_coverage_pair *pair,
                             int only) {
  char text[32];
  for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
    for (int m = 0; m < RPP_METHODS; m++)
      for (int k = 0; k < RPP_CRITERIA; k++) {
        if (only >= 0 && k != only) continue;
        rpp_table_integer(t, n);
        rpp_table_number(t, pair->theta);
        rpp_table_number(t, pair->periods);
        rpp_table_text(t, rpp_dimension_class_name(c));
        rpp_table_text(t, rpp_method_name(m));
        rpp_table_text(t, rpp_criterion_name(k));
        print_multipliers(rpp_multipliers(c, m), text);
        rpp_table_text(t, text);
        write_cell(t, lengths, pair, &pair->cells[c][m][k], k);
        rpp_table_end_row(t);
      }
}

/* ---- Summary -------------------------------------------------------------------------------------------------------------- */

void rpp_coverage_count(rpp_coverage_counts *counts, const rpp_coverage_pair *pair) {
  counts->pairs++;
  for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
    for (int m = 0; m < RPP_METHODS; m++)
      for (int k = 0; k < RPP_CRITERIA; k++) {
        const rpp_coverage_cell *cell = &pair->cells[c][m][k];
        counts->full[c][m][k] += cell->seen.full;
        counts->covered[c][m][k] += cell->seen.covered;
        counts->unseen[c][m][k] += cell->unseen;
      }
}

json_t *rpp_coverage_summary(const rpp_coverage_counts *counts, const rpp_head_options *head, const rpp_coverage_lengths *lengths) {
  char text[RPP_HEAD_TEXT];
  rpp_head_options_print(head, text);
  json_t *all = json_pack("{s:s, s:I, s:b, s:I}", "command", text, "length", (json_int_t)lengths->length, "packed", lengths->packed,
                          "pairs", (json_int_t)counts->pairs);
  if (lengths->target > 0) json_object_set_new(all, "target", json_integer(lengths->target));
  json_t *criteria = json_object(), *differences = json_array();
  for (int k = 0; k < RPP_CRITERIA; k++) {
    json_t *classes = json_object();
    for (int c = 0; c < RPP_DIMENSION_CLASSES; c++) {
      json_t *methods = json_object();
      for (int m = 0; m < RPP_METHODS; m++) {
        json_t *numbers = json_pack("{s:I, s:f}", "full", (json_int_t)counts->full[c][m][k], "mean_covered",
                                    counts->covered[c][m][k] / (double)counts->pairs);
        if (lengths->target > 0)
          json_object_set_new(numbers, "mean_unseen", json_real(counts->unseen[c][m][k] / (double)counts->pairs));
        json_object_set_new(methods, rpp_method_name(m), numbers);
      }
      json_object_set_new(classes, rpp_dimension_class_name(c), methods);
    }
    json_object_set_new(criteria, rpp_criterion_name(k), classes);
  }
  json_object_set_new(all, "criteria", criteria);
  for (int i = 0; rpp_coverage_differences[i] != NULL; i++)
    json_array_append_new(differences, json_string(rpp_coverage_differences[i]));
  json_object_set_new(all, "differs_from_paper", differences);
  return all;
}
