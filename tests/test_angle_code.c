/* angle_code.c: every instruction set that this CPU has, against the recurrence in plain C, bit for bit. */
#include <math.h>
#include "support.h"
#include "vector/sets.h"

enum { MOST_PAIRS = 75, MOST_ROWS = 70, ROOM = MOST_PAIRS * MOST_ROWS };

typedef struct {
  double c[MOST_PAIRS + 1], s[MOST_PAIRS + 1];
  float cosine[ROOM + 1], sine[ROOM + 1];
} walk;

static void turn_plainly(int64_t pairs, int64_t count, const double *step_c, const double *step_s, walk *w) {
  for (int64_t l = 0; l < count; l++)
    for (int64_t n = 0; n < pairs; n++) {
      const double x = w->c[n], y = w->s[n];
      w->cosine[l * pairs + n] = (float)x, w->sine[l * pairs + n] = (float)y;
      w->c[n] = x * step_c[n] - y * step_s[n];
      w->s[n] = y * step_c[n] + x * step_s[n];
    }
}

START_TEST(turning_has_the_bits_of_plain_c) {
  static walk start, want, got;
  double step_c[MOST_PAIRS], step_s[MOST_PAIRS];
  const int64_t counts[] = {0, 1, 2, 31, 32, 33, 64, MOST_ROWS};
  memset(&start, 0xa5, sizeof start);
  for (int n = 0; n < MOST_PAIRS; n++) {
    const double theta = pow(0.8, n);
    step_c[n] = cos(theta), step_s[n] = sin(theta), start.c[n] = 1.3 * cos(5 * theta), start.s[n] = 1.3 * sin(5 * theta);
  }
  for (int64_t pairs = 0; pairs <= MOST_PAIRS; pairs++)
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
      want = start;
      turn_plainly(pairs, counts[i], step_c, step_s, &want);
      for (const rpp_vector_set *const *set = rpp_vector_sets(); *set; set++) {
        got = start;
        (*set)->angles->turn(pairs, counts[i], step_c, step_s, got.c, got.s, got.cosine, got.sine);
        ck_assert_msg(memcmp(&got, &want, sizeof got) == 0, "%s, %d pairs, %d rows", (*set)->name, (int)pairs, (int)counts[i]);
      }
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("angle_code");
  TCase *tests = tcase_create("angle_code");
  tcase_add_test(tests, turning_has_the_bits_of_plain_c);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
