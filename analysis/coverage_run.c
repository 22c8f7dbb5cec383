/* coverage_run.c: `ropepp-analysis coverage`. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "coverage_figure.h"
#include "coverage_needed.h"
#include "coverage_rows.h"
#include "json_file.h"
#include "options.h"
#include "table.h"

enum { KEY_LENGTH = 0x100, KEY_TARGET, KEY_PACKED, KEY_SEARCH, KEY_CRITERION };
#define LONGEST 1000000000 /* angles are right that far (rpp_angles) */

typedef struct {
  rpp_head_options head;
  rpp_coverage_lengths lengths; /* length 0: not given */
  const char *folder;
  bool search;
  int criterion; /* -1: all */
  /* from here on: the run */
  double *hi, *lo; /* theta */
  rpp_coverage_points points;
  rpp_coverage_counts counts;
} run;

static bool write_rows(run *r, rpp_message *error) {
  rpp_table table;
  rpp_coverage_pair *pair = malloc(sizeof *pair);
  if (pair == NULL) return rpp_message_set(error, "out of memory");
  if (!rpp_table_open(&table, r->folder, "coverage.csv", error)) {
    free(pair);
    return false;
  }
  rpp_coverage_write_header(&table, &r->head, &r->lengths);
  for (int64_t n = 0; n < r->head.rotary.rotary_dim / 2; n++) {
    rpp_coverage_map_pair(&r->lengths, r->hi[n], r->lo[n], &r->points, pair);
    rpp_coverage_write_pair(&table, &r->lengths, n, pair, r->criterion);
    rpp_coverage_count(&r->counts, pair);
  }
  free(pair);
  return rpp_table_close(&table, error);
}

static bool write_summary(const run *r, rpp_message *error) {
  return rpp_json_file_write(rpp_coverage_summary(&r->counts, &r->head, &r->lengths), true, r->folder, "coverage.json", error);
}

static bool draw(const run *r, rpp_message *error) {
  char head[RPP_HEAD_TEXT], title[RPP_HEAD_TEXT + 128];
  rpp_head_options_print(&r->head, head);
  int used = snprintf(title, sizeof title, "Position-embedding coverage, trained on %" PRId64 "%s tokens", r->lengths.length,
                      r->lengths.packed ? " packed" : "");
  if (r->lengths.target > 0) used += snprintf(title + used, sizeof title - (size_t)used, ", read at %" PRId64, r->lengths.target);
  snprintf(title + used, sizeof title - (size_t)used, " (%s)", head);
  const rpp_criterion values = r->criterion == RPP_HULL ? RPP_HULL : RPP_UNION;
  return rpp_coverage_draw(&r->lengths, values, r->head.rotary.rotary_dim / 2, r->hi, r->lo, title, r->folder, error);
}

static bool make_all(run *r, rpp_message *error) {
  const int64_t pairs = r->head.rotary.rotary_dim / 2;
  if (r->search) return rpp_coverage_needed_run(&r->head, r->folder, error);
  r->hi = malloc((size_t)pairs * 2 * sizeof *r->hi);
  if (r->hi == NULL) return rpp_message_set(error, "out of memory");
  r->lo = r->hi + pairs;
  if (rpp_frequencies(&r->head.rotary, r->hi, r->lo, NULL) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  if (rpp_coverage_lists_training(&r->lengths) && !rpp_coverage_points_make(r->lengths.length, &r->points))
    return rpp_message_set(error, "out of memory for %" PRId64 " distances", r->lengths.length);
  if (!write_rows(r, error)) return false;
  return r->folder == NULL || (write_summary(r, error) && draw(r, error));
}

/* What no single option can see. */
static void check(const run *r, struct argp_state *state) {
  const rpp_coverage_lengths *l = &r->lengths;
  if (r->search && (l->length > 0 || l->target > 0 || l->packed || r->criterion >= 0))
    rpp_refuse(state, "--search: takes no --length, --target, --packed or --criterion: it searches them all");
  if (!r->search && l->length == 0) rpp_refuse(state, "--length: is missing (or --search)");
  if (l->target > 0 && l->target < l->length)
    rpp_refuse(state, "--target = %" PRId64 ": must be at least --length = %" PRId64, l->target, l->length);
}

static int find_criterion(const char *name, struct argp_state *state) {
  for (int k = 0; k < RPP_CRITERIA; k++)
    if (strcmp(name, rpp_criterion_name(k)) == 0) return k;
  rpp_refuse(state, "--criterion = %s: must be hull, union, families or phase", name);
  return -1;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  run *r = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &r->head;
    return 0;
  case KEY_LENGTH:
    r->lengths.length = rpp_option_integer("--length", value, 1, LONGEST, state);
    return 0;
  case KEY_TARGET:
    r->lengths.target = rpp_option_integer("--target", value, 1, LONGEST, state);
    return 0;
  case KEY_PACKED:
    r->lengths.packed = true;
    return 0;
  case KEY_SEARCH:
    r->search = true;
    return 0;
  case KEY_CRITERION:
    r->criterion = find_criterion(value, state);
    return 0;
  case 'o':
    r->folder = value;
    return 0;
  case ARGP_KEY_ARG:
    rpp_refuse(state, "%s: no argument is expected", value);
    return EINVAL;
  case ARGP_KEY_END:
    check(r, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int rpp_main_coverage(int argc, char **argv) {
  static const struct argp_option table[] = {
      {"length", KEY_LENGTH, "L", 0, "trained on: distances 0..L-1 (at most 10^9)", 0},
      {"target", KEY_TARGET, "T", 0, "what distances up to T-1 ask for that training has not seen, too", 0},
      {"packed", KEY_PACKED, NULL, 0, "positions reset within a training sample: distances -(L-1)..L-1", 0},
      {"criterion", KEY_CRITERION, "NAME", 0,
       "hull, union, families or phase: rows of this one only (default: all); with hull the picture shows hulls, as the paper's "
       "does",
       0},
      {"search", KEY_SEARCH, NULL, 0, "instead: the angle that each criterion needs, by search over training lengths", 0},
      {"output", 'o', "DIR", 0,
       "write DIR/coverage.csv, .json (summary) and .svg instead of data on standard output (with --search: coverage-search.csv)",
       0},
      {0}};
  static const struct argp_child children[] = {{&rpp_head_argp, 0, NULL, 0}, {0}};
  run r = {.criterion = -1};
  rpp_message error;
  rpp_options_parse(
      NULL,
      "What each dimension of queries and keys has seen of its multipliers (+-cos, +-sin) at a training length, with RoPE and "
      "with RoPE++, under each criterion of coverage, and what a longer target asks for besides.",
      table, parse, children, argc, argv, &r);
  const bool done = make_all(&r, &error);
  rpp_coverage_points_free(&r.points);
  free(r.hi);
  return done ? 0 : rpp_complain("coverage", &error);
}
