/* curves_run.c: `ropepp-analysis curves`. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "closed_form.h"
#include "command.h"
#include "curves.h"
#include "curves_figure.h"
#include "json_file.h"
#include "monte_carlo.h"
#include "options.h"
#include "points.h"
#include "summary.h"
#include "table.h"

enum { KEY_MAX = 0x100, KEY_POINTS, KEY_AT, KEY_SAMPLES, KEY_SEED };
enum { DEFAULT_MAX = 100000, CHUNK = 1 << 17 };
enum { SCANNED = 1 << 20 }; /* as far as a summary looks at distances that have no row */

typedef struct {
  rpp_head_options head;
  const char *folder, *at;
  int64_t max, per_decade, samples, seed;
  /* from here on: the run */
  rpp_points points;
  bool scans; /* chosen rows, and a summary of every distance up to the last one nevertheless */
  rpp_monte_carlo *drawn;
  double base, stretch;  /* of the closed form; base NaN: there is none */
  double *re, *im;       /* a chunk of rows */
  double *cosine, *sine; /* a row's, for the estimates */
  rpp_table table;
  rpp_curves_rows picture;
  rpp_summary summaries[4]; /* re, im, closed re, closed im */
  double before;            /* t of the row before */
  double gap[2], gap_at[2]; /* the largest |discrete - closed form| of re and im */
} run;

static const char *const summary_names[] = {"c_re", "c_im", "closed_re", "closed_im"};

/* ---- Rows ----------------------------------------------------------------------------------------------------------------- */

/* The options that give this result again; of --at only that it was there: the rows have the distances. */
enum { COMMAND_TEXT = RPP_HEAD_TEXT + 128 };
static void print_command(const run *r, char text[COMMAND_TEXT]) {
  char points[40] = "", samples[64] = "";
  rpp_head_options_print(&r->head, text);
  const size_t used = strlen(text);
  if (r->per_decade > 0) snprintf(points, sizeof points, " --points=%" PRId64, r->per_decade);
  if (r->samples > 0) snprintf(samples, sizeof samples, " --samples=%" PRId64 " --seed=%" PRId64, r->samples, r->seed);
  if (r->at != NULL)
    snprintf(text + used, COMMAND_TEXT - used, " --at=...%s", samples);
  else
    snprintf(text + used, COMMAND_TEXT - used, " --max=%" PRId64 "%s%s", r->max, points, samples);
}

static void write_header(run *r) {
  char command[COMMAND_TEXT];
  print_command(r, command);
  rpp_table *t = &r->table;
  const int64_t width = r->head.rotary.rotary_dim;
  double magnitude = 1;
  rpp_frequencies(&r->head.rotary, NULL, NULL, &magnitude);
  rpp_table_comment(t, "ropepp-analysis curves %s", command);
  rpp_table_comment(t, "t: distance in tokens");
  rpp_table_comment(t, "c_re, c_im: mean of cos(t theta_n) and of sin(t theta_n) over the %" PRId64 " rotated pairs, within 1e-14",
                    width / 2);
  if (magnitude != 1)
    rpp_table_comment(t, "scores carry the factor %.17g besides: the square of the scaling's magnitude", magnitude * magnitude);
  if (!isnan(r->base))
    rpp_table_comment(t, "closed_re, closed_im: [Ci(x) - Ci(x/b)] / ln b and [Si(x) - Si(x/b)] / ln b, b = %.17g, x = %.17g t",
                      r->base, r->stretch);
  else
    rpp_table_comment(t, "no closed form: the frequencies of this scaling are not evenly spaced by logarithm");
  if (width < r->head.head_dim)
    rpp_table_comment(
        t, "head_re, head_im: (%" PRId64 " c + %" PRId64 ") / %" PRId64 ": over all columns, of which the rest is not rotated",
        width, r->head.head_dim - width, r->head.head_dim);
  if (r->drawn != NULL)
    rpp_table_comment(t,
                      "mc_re, mc_im: estimates from %" PRId64 " draws (seed %" PRId64
                      ") of E[q'R(q+e)] - E[q'Rk], over its variance and width; "
                      "_ci: half of the 95 %% confidence interval",
                      r->samples, r->seed);
  const char *names[] = {"t", "c_re", "c_im"}, *closed[] = {"closed_re", "closed_im"}, *partial[] = {"head_re", "head_im"},
             *estimated[] = {"mc_re", "mc_re_ci", "mc_im", "mc_im_ci"};
  for (int i = 0; i < 3; i++) rpp_table_text(t, names[i]);
  for (int i = 0; i < 2 && !isnan(r->base); i++) rpp_table_text(t, closed[i]);
  for (int i = 0; i < 2 && width < r->head.head_dim; i++) rpp_table_text(t, partial[i]);
  for (int i = 0; i < 4 && r->drawn != NULL; i++) rpp_table_text(t, estimated[i]);
  rpp_table_end_row(t);
}

static void summarise(run *r, const rpp_curves_row *row) {
  const double values[] = {row->re, row->im, row->closed_re, row->closed_im};
  for (int i = 0; i < 4; i++) {
    rpp_summary *s = &r->summaries[i];
    const bool positive = isnan(s->first_negative);
    rpp_summary_add(s, row->t, values[i]);
    if (i >= 2 && positive && !isnan(s->first_negative)) /* a closed form turns between distances */
      s->first_negative = rpp_closed_form_root(r->base, i == 3, r->stretch * r->before, r->stretch * row->t) / r->stretch;
  }
  r->before = row->t;
  for (int i = 0; i < 2; i++) {
    const double gap = fabs(values[i] - values[i + 2]);
    if (!(gap <= r->gap[i]) && !isnan(gap)) r->gap[i] = gap, r->gap_at[i] = row->t;
  }
}

static rpp_curves_row row_of(const run *r, int64_t t, double re, double im) {
  rpp_curves_row row = {(double)t, re, im, NAN, NAN};
  if (!isnan(r->base)) rpp_closed_form(r->base, r->stretch * (double)t, &row.closed_re, &row.closed_im);
  return row;
}

static bool write_row(run *r, int64_t t, double re, double im, rpp_message *error) {
  const rpp_curves_row row = row_of(r, t, re, im);
  const double width = (double)r->head.rotary.rotary_dim, all = (double)r->head.head_dim;
  rpp_table_integer(&r->table, t);
  rpp_table_number(&r->table, re);
  rpp_table_number(&r->table, im);
  if (!isnan(r->base)) {
    rpp_table_number(&r->table, row.closed_re);
    rpp_table_number(&r->table, row.closed_im);
  }
  if (width < all) {
    rpp_table_number(&r->table, (width * re + (all - width)) / all);
    rpp_table_number(&r->table, (width * im + (all - width)) / all);
  }
  if (r->drawn != NULL) {
    rpp_estimate a, b;
    if (rpp_curves_angles(&r->head.rotary, 1, &t, r->cosine, r->sine) != RPP_OK)
      return rpp_message_set(error, "%s", rpp_error_message());
    rpp_monte_carlo_at(r->drawn, r->cosine, r->sine, &a, &b);
    const double estimates[] = {a.mean, a.half_width, b.mean, b.half_width};
    for (int i = 0; i < 4; i++) rpp_table_number(&r->table, estimates[i]);
  }
  rpp_table_end_row(&r->table);
  if (!r->scans) summarise(r, &row);
  return r->folder == NULL || rpp_curves_rows_add(&r->picture, &row) || rpp_message_set(error, "out of memory for the picture");
}

static bool refuse(rpp_status status, rpp_message *error) {
  return rpp_message_set(error, "%s", status == RPP_ERROR_MEMORY ? "out of memory" : rpp_error_message());
}

static bool write_rows(run *r, rpp_message *error) {
  for (int64_t first = 0; first < r->points.count; first += CHUNK) {
    const int64_t left = r->points.count - first, count = left < CHUNK ? left : CHUNK;
    const rpp_status status = r->points.chosen != NULL
                                  ? rpp_curves_at(&r->head.rotary, count, r->points.chosen + first, r->re, r->im)
                                  : rpp_curves_range(&r->head.rotary, first, count, r->re, r->im);
    if (status != RPP_OK) return refuse(status, error);
    for (int64_t i = 0; i < count; i++)
      if (!write_row(r, rpp_points_get(&r->points, first + i), r->re[i], r->im[i], error)) return false;
  }
  return true;
}

/* The summary of every distance up to the last row. */
static bool scan(run *r, rpp_message *error) {
  const int64_t all = rpp_points_get(&r->points, r->points.count - 1) + 1;
  for (int64_t first = 0; first < all; first += CHUNK) {
    const int64_t count = all - first < CHUNK ? all - first : CHUNK;
    const rpp_status status = rpp_curves_range(&r->head.rotary, first, count, r->re, r->im);
    if (status != RPP_OK) return refuse(status, error);
    for (int64_t i = 0; i < count; i++) {
      const rpp_curves_row row = row_of(r, first + i, r->re[i], r->im[i]);
      summarise(r, &row);
    }
  }
  return true;
}

/* ---- Summary -------------------------------------------------------------------------------------------------------------- */

static json_t *summary(const run *r) {
  char command[COMMAND_TEXT];
  print_command(r, command);
  json_t *all = json_pack("{s:s, s:I, s:s}", "command", command, "rows", (json_int_t)r->points.count, "summary_of",
                          r->scans || r->points.chosen == NULL ? "every distance up to the last row" : "the rows alone");
  for (int i = 0; i < (isnan(r->base) ? 2 : 4); i++) json_object_set_new(all, summary_names[i], rpp_summary_json(&r->summaries[i]));
  if (isnan(r->base)) return all;
  const double peak = rpp_closed_form_peak(r->base);
  double at_peak[2];
  rpp_closed_form(r->base, peak, &at_peak[0], &at_peak[1]);
  json_object_set_new(all, "closed_im_peak", json_pack("{s:f, s:f}", "t", peak / r->stretch, "value", at_peak[1]));
  json_object_set_new(all, "closed_im_plateau", json_real(rpp_closed_form_plateau(r->base)));
  for (int i = 0; i < 2; i++)
    json_object_set_new(all, i == 0 ? "largest_gap_re" : "largest_gap_im",
                        json_pack("{s:o, s:o}", "t", rpp_json_or_null(r->gap_at[i]), "gap", rpp_json_or_null(r->gap[i])));
  return all;
}

/* FOLDER/curves.json, or, beside data on standard output, nothing. */
static bool write_summary(run *r, rpp_message *error) {
  return r->folder == NULL ||
         ((!r->scans || scan(r, error)) && rpp_json_file_write(summary(r), true, r->folder, "curves.json", error));
}

/* ---- The command ---------------------------------------------------------------------------------------------------------- */

static bool prepare(run *r, rpp_message *error) {
  const size_t pairs = (size_t)r->head.rotary.rotary_dim / 2;
  r->points = rpp_points_every(r->max);
  if (r->per_decade > 0 && !rpp_points_logarithmic(r->max, r->per_decade, &r->points, error)) return false;
  if (r->at != NULL && !rpp_points_parse(r->at, RPP_CURVES_FARTHEST, &r->points, error)) return false;
  r->scans = r->folder != NULL && r->points.chosen != NULL && rpp_points_get(&r->points, r->points.count - 1) <= SCANNED;
  if (r->samples > 0 && (r->drawn = rpp_monte_carlo_draw(&r->head.rotary, r->samples, (uint64_t)r->seed, error)) == NULL)
    return false;
  if (!rpp_closed_form_of(&r->head.rotary, &r->base, &r->stretch)) r->base = NAN;
  for (int i = 0; i < 4; i++) r->summaries[i] = rpp_summary_none();
  for (int i = 0; i < 2; i++) r->gap[i] = r->gap_at[i] = NAN;
  r->re = malloc((2 * CHUNK + 2 * pairs) * sizeof *r->re);
  if (r->re == NULL) return rpp_message_set(error, "out of memory");
  r->im = r->re + CHUNK, r->cosine = r->im + CHUNK, r->sine = r->cosine + pairs;
  return true;
}

static bool make_all(run *r, rpp_message *error) {
  char head[RPP_HEAD_TEXT], title[RPP_HEAD_TEXT + 32];
  if (!rpp_table_open(&r->table, r->folder, "curves.csv", error)) return false;
  write_header(r);
  if (!write_rows(r, error)) {
    rpp_table_drop(&r->table);
    return false;
  }
  if (!rpp_table_close(&r->table, error) || !write_summary(r, error)) return false;
  rpp_head_options_print(&r->head, head);
  snprintf(title, sizeof title, "Characteristic curves, %s", head);
  return r->folder == NULL || rpp_curves_draw(&r->picture, title, r->folder, error);
}

static error_t parse(int key, char *value, struct argp_state *state) {
  run *r = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &r->head;
    return 0;
  case KEY_MAX:
    r->max = rpp_option_integer("--max", value, 0, RPP_CURVES_FARTHEST, state);
    return 0;
  case KEY_POINTS:
    r->per_decade = rpp_option_integer("--points", value, 1, 1000000, state);
    return 0;
  case KEY_AT:
    r->at = value;
    return 0;
  case KEY_SAMPLES:
    r->samples = rpp_option_integer("--samples", value, 2, 1000000000, state);
    return 0;
  case KEY_SEED:
    r->seed = rpp_option_integer("--seed", value, 0, INT32_MAX, state);
    return 0;
  case 'o':
    r->folder = value;
    return 0;
  case ARGP_KEY_ARG:
    rpp_refuse(state, "%s: no argument is expected", value);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int rpp_main_curves(int argc, char **argv) {
  static const struct argp_option table[] = {
      {"max", KEY_MAX, "T", 0, "every distance from 0 to T (default 100000; at most 10^9)", 0},
      {"points", KEY_POINTS, "N", 0, "not every one: N a decade, evenly spaced by logarithm", 0},
      {"at", KEY_AT, "LIST", 0, "not every one: these, separated by commas", 0},
      {"samples", KEY_SAMPLES, "N", 0, "estimate the curves from N random queries and keys, too", 0},
      {"seed", KEY_SEED, "N", 0, "of the samples (default 1)", 0},
      {"output", 'o', "DIR", 0, "write DIR/curves.csv, .json (summary) and .svg instead of data on standard output", 0},
      {0}};
  static const struct argp_child children[] = {{&rpp_head_argp, 0, NULL, 0}, {0}};
  run r = {.max = DEFAULT_MAX, .seed = 1};
  rpp_message error;
  rpp_options_parse(NULL,
                    "The characteristic curves: discrete, in closed form, and, on request, estimated from random queries and keys.",
                    table, parse, children, argc, argv, &r);
  const bool done = prepare(&r, &error) && make_all(&r, &error);
  rpp_points_free(&r.points);
  rpp_monte_carlo_free(r.drawn);
  rpp_curves_rows_free(&r.picture);
  free(r.re);
  return done ? 0 : rpp_complain("curves", &error);
}
