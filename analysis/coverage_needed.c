#include "coverage_needed.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "table.h"

typedef struct {
  double theta;
  int64_t pair;
  rpp_coverage_needed found[RPP_CRITERIA][2][RPP_DIMENSION_CLASSES][RPP_METHODS]; /* causal, packed */
} answers;

static const char *const distances[] = {"causal", "packed"};

/* Every search, for the pair with the least theta. */
static bool search(const rpp_head_options *head, answers *a, rpp_message *error) {
  const int64_t pairs = head->rotary.rotary_dim / 2;
  double *hi = malloc((size_t)pairs * 2 * sizeof *hi), *lo = hi + pairs;
  if (hi == NULL) return rpp_message_set(error, "out of memory");
  const rpp_status status = rpp_frequencies(&head->rotary, hi, lo, NULL);
  a->pair = 0;
  for (int64_t n = 1; status == RPP_OK && n < pairs; n++)
    if (hi[n] < hi[a->pair]) a->pair = n;
  const rpp_dd turns = rpp_turns_of_theta(hi[a->pair], lo[a->pair]);
  a->theta = hi[a->pair];
  free(hi);
  if (status != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  for (int k = 0; k < RPP_CRITERIA; k++)
    for (int p = 0; p < 2; p++)
      for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
        for (int m = 0; m < RPP_METHODS; m++) {
          a->found[k][p][c][m] = rpp_coverage_search(c, m, k, p == 1, turns);
          if (a->found[k][p][c][m].length == 0)
            return rpp_message_set(error,
                                   "--search: pair %" PRId64 " turns too slowly (theta = %g): no length up to 2^52 covers it",
                                   a->pair, a->theta);
        }
  return true;
}

/* "3/8" for what is an eighth but for rounding, else six digits. */
static void print_angle(double turns, char *text, size_t room) {
  const double eighths = round(8 * turns);
  int top = (int)eighths, bottom = 8;
  while (top % 2 == 0 && bottom > 1) top /= 2, bottom /= 2;
  if (fabs(8 * turns - eighths) > 1e-12)
    snprintf(text, room, "%.6f", turns);
  else if (bottom == 1)
    snprintf(text, room, "%d", top);
  else
    snprintf(text, room, "%d/%d", top, bottom);
}

static void print_table(const answers *a) {
  printf("Angle that a pair needs, theta (L - 1) / 2 pi in periods, RoPE -> RoPE++; least L of pair %" PRId64 ", theta = %.6g\n\n",
         a->pair, a->theta);
  printf("%-9s %-7s", "criterion", "");
  for (int c = 0; c < RPP_DIMENSION_CLASSES; c++) printf("  %-28s", rpp_dimension_class_name(c));
  putchar('\n');
  for (int k = 0; k < RPP_CRITERIA; k++)
    for (int p = 0; p < 2; p++) {
      printf("%-9s %s", rpp_criterion_name(k), distances[p]);
      for (int c = 0; c < RPP_DIMENSION_CLASSES; c++) {
        const rpp_coverage_needed *rope = &a->found[k][p][c][RPP_METHOD_ROPE], *both = &a->found[k][p][c][RPP_METHOD_ROPEPP];
        char from[16], to[16], text[96];
        print_angle(rope->angle, from, sizeof from);
        print_angle(both->angle, to, sizeof to);
        snprintf(text, sizeof text, "%s -> %s  L %" PRId64 " -> %" PRId64, from, to, rope->length, both->length);
        printf(c + 1 < RPP_DIMENSION_CLASSES ? "  %-28s" : "  %s", text);
      }
      putchar('\n');
    }
}

static bool write_csv(const answers *a, const rpp_head_options *head, const char *folder, rpp_message *error) {
  char text[RPP_HEAD_TEXT];
  rpp_table t;
  if (!rpp_table_open(&t, folder, "coverage-search.csv", error)) return false;
  rpp_head_options_print(head, text);
  rpp_table_comment(&t, "ropepp-analysis coverage --search %s", text);
  rpp_table_comment(
      &t, "periods: the least angle theta (L - 1) / 2 pi at which a dimension is fully covered, by bisection over real L, down "
          "to neighbouring float64");
  rpp_table_comment(&t, "length: the least whole L at which it is, for pair %" PRId64 ", theta = %.17g", a->pair, a->theta);
  const char *names[] = {"criterion", "distances", "class", "method", "periods", "length"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) rpp_table_text(&t, names[i]);
  rpp_table_end_row(&t);
  for (int k = 0; k < RPP_CRITERIA; k++)
    for (int p = 0; p < 2; p++)
      for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
        for (int m = 0; m < RPP_METHODS; m++) {
          rpp_table_text(&t, rpp_criterion_name(k));
          rpp_table_text(&t, distances[p]);
          rpp_table_text(&t, rpp_dimension_class_name(c));
          rpp_table_text(&t, rpp_method_name(m));
          rpp_table_number(&t, a->found[k][p][c][m].angle);
          rpp_table_integer(&t, a->found[k][p][c][m].length);
          rpp_table_end_row(&t);
        }
  return rpp_table_close(&t, error);
}

bool rpp_coverage_needed_run(const rpp_head_options *head, const char *folder, rpp_message *error) {
  answers a = {.pair = 0};
  if (!search(head, &a, error)) return false;
  if (folder != NULL && !write_csv(&a, head, folder, error)) return false;
  print_table(&a);
  return true;
}
