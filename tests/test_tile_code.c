/* vector/tile_code.c in every instruction set that this CPU has, against float64. */
#include <math.h>
#include <stdlib.h>
#include "support.h"
#include "vector/sets.h"

enum { MOST = 64 }; /* columns of a panel, at most */

/* Units in the last place of the nearest float32, subnormal ones too. */
static double ulps(double want, float got) {
  int exponent;
  frexp(want, &exponent);
  const double step = ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
  return fabs((double)got - want) / step;
}

/* One tile's softmax, and a state to begin with. */
typedef struct {
  int32_t first[MOST], last[MOST];
  float largest[MOST], sum[MOST], rescale[MOST];
} lanes_state;

static void begin(lanes_state *s, int64_t keys) {
  for (int c = 0; c < MOST; c++) s->first[c] = 0, s->last[c] = (int32_t)keys, s->largest[c] = -INFINITY, s->sum[c] = 0;
}

static void soften(const rpp_tiles *tiles, lanes_state *s, int64_t keys, float scale, float *scores) {
  const rpp_tile_softmax state = {s->first, s->last, s->largest, s->sum, s->rescale};
  tiles->softmax(keys, scale, &state, scores);
}

#define FOR_EACH_SET(set) for (const rpp_vector_set *const *at_ = rpp_vector_sets(), *set = *at_; set != NULL; set = *++at_)

/* The weights of scores 0 and x: 1 and 2^x. Every 997th float32 from -0 down to -151, a lane each; every one from -1/4 to -1, as their
 * remainders after whole numbers are all that the polynomial meets. The portable set may have to round products before it adds. */
START_TEST(weights_are_within_an_ulp_or_so) {
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    double worst = 0;
    bool ones = true;
    uint32_t bits = 0x80000000u;
    for (float x = 0; x > -151;) {
      float scores[2 * MOST], points[MOST];
      lanes_state s;
      begin(&s, 2);
      for (int c = 0; c < columns; c++, bits += x <= -0.25f && x > -1 ? 1 : 997) {
        memcpy(&x, &bits, sizeof x);
        scores[c] = 0, scores[columns + c] = points[c] = x;
      }
      soften(set->tiles, &s, 2, 1, scores);
      for (int c = 0; c < columns; c++) {
        support_worse(&worst, ulps(exp2((double)points[c]), scores[columns + c]));
        ones &= scores[c] == 1 && s.largest[c] == 0 && s.rescale[c] == 0;
      }
    }
    ck_assert_msg(ones, "%s: the largest score weighs 1", set->name); /* of all at once, as assertions take long */
    ck_assert_msg(worst <= (strcmp(set->name, "portable") == 0 ? 1.08 : 0.9), "%s: %g ulp", set->name, worst);
    ck_assert_msg(worst > 0.5, "%s: %g ulp: too good to have been measured", set->name, worst);
  }
}
END_TEST

START_TEST(weights_of_special_scores) {
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    float scores[4 * MOST];
    lanes_state s;
    begin(&s, 4);
    for (int c = 0; c < columns; c++) {
      scores[c] = 0, scores[columns + c] = -INFINITY, scores[2 * columns + c] = -3e38f, scores[3 * columns + c] = -150.5f;
      if (c == 1) scores[columns + c] = NAN;
      if (c == 2) scores[columns + c] = INFINITY;
      if (c == 3) scores[c] = scores[2 * columns + c] = scores[3 * columns + c] = -INFINITY;
    }
    soften(set->tiles, &s, 4, 1, scores);
    ck_assert(scores[0] == 1 && scores[columns] == 0 && scores[2 * columns] == 0 && scores[3 * columns] == 0 && s.sum[0] == 1);
    ck_assert(isnan(scores[columns + 1]) && isnan(s.sum[1]) && scores[1] == 1); /* a NaN reaches the sum */
    ck_assert(isnan(s.sum[2]));                                                 /* inf - inf */
    ck_assert(s.largest[3] == -INFINITY && s.sum[3] == 0 && s.rescale[3] == 1); /* so far nothing but -inf */
  }
}
END_TEST

/* However large: a score that is rounded once as the largest and once as itself would differ from itself by half a unit in the last place. */
START_TEST(the_largest_score_weighs_1) {
  enum { KEYS = 12 };
  uint64_t state = 5;
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    for (int power = -20; power <= 100; power++)
      for (int masked = 0; masked < 2; masked++) {
        float scores[KEYS * MOST];
        lanes_state s;
        begin(&s, KEYS);
        for (int c = 0; c < columns; c++) s.first[c] = masked * (c % 3);
        for (int i = 0; i < KEYS * columns; i++) scores[i] = (float)ldexp(support_uniform(&state, -1, 1), power);
        soften(set->tiles, &s, KEYS, power % 2 ? 0.1275f : -0.1275f, scores);
        for (int c = 0; c < columns; c++) {
          float largest = 0;
          for (int j = 0; j < KEYS; j++) {
            const float weight = scores[j * columns + c];
            if (!(weight <= largest)) largest = weight;
          }
          ck_assert_msg(largest == 1 && s.sum[c] >= 1 && s.sum[c] <= KEYS, "%s, 2^%d: %g", set->name, power, (double)largest);
        }
      }
  }
}
END_TEST

/* Runs first .. last - 1 of every length and place, another one for each lane; what is not seen is not a number. */
START_TEST(what_is_not_seen_does_not_matter) {
  enum { KEYS = 24 };
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    for (int shift = 0; shift < KEYS * (KEYS + 1); shift++) {
      float scores[KEYS * MOST];
      lanes_state s;
      begin(&s, KEYS);
      for (int c = 0; c < columns; c++) {
        const int run = shift + (shift % 3 ? 5 * c : 0); /* also the same for all */
        s.first[c] = run % KEYS;
        s.last[c] = s.first[c] + run / KEYS % (KEYS + 1 - s.first[c]);
        for (int j = 0; j < KEYS; j++)
          scores[j * columns + c] = j >= s.first[c] && j < s.last[c] ? (float)((j * 29 + c) % 17) - 8 : j % 2 ? NAN : INFINITY;
      }
      soften(set->tiles, &s, KEYS, -0.5f, scores);
      for (int c = 0; c < columns; c++) {
        double largest = -INFINITY, sum = 0;
        for (int j = s.first[c]; j < s.last[c]; j++) largest = fmax(largest, -0.5 * ((j * 29 + c) % 17 - 8));
        for (int j = s.first[c]; j < s.last[c]; j++) sum += exp2(-0.5 * ((j * 29 + c) % 17 - 8) - largest);
        ck_assert((double)s.largest[c] == largest && fabs((double)s.sum[c] - sum) <= 1e-6 * sum);
        ck_assert(s.rescale[c] == (s.first[c] == s.last[c] ? 1 : 0));
        for (int j = 0; j < KEYS; j++)
          if (j < s.first[c] || j >= s.last[c]) ck_assert_msg(scores[j * columns + c] == 0, "%s: key %d is seen", set->name, j);
      }
    }
  }
}
END_TEST

START_TEST(tiles_add_up) {
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    static const float tiles[4][2] = {{-1e5f, -1e5f - 1}, {5, 4}, {0, 0}, {3, -1e4f}};
    static const float largest[4] = {-1e5f, 5, 5, 5}, rescale[4] = {0, 0, 1, 1};
    static const double sum[4] = {1.5, 1.5, 1.5, 1.75};
    lanes_state s;
    begin(&s, 2);
    for (int t = 0; t < 4; t++) {
      float scores[2 * MOST];
      for (int i = 0; i < 2 * columns; i++) scores[i] = tiles[t][i / columns];
      for (int c = 0; c < columns; c++) s.last[c] = t == 2 ? 0 : 2; /* the third shows nothing */
      soften(set->tiles, &s, 2, 1, scores);
      for (int c = 0; c < columns; c++)
        ck_assert_msg(s.largest[c] == largest[t] && s.rescale[c] == rescale[t] && fabs((double)s.sum[c] - sum[t]) < 1e-6,
                      "%s, tile %d: largest %g, sum %g", set->name, t, (double)s.largest[c], (double)s.sum[c]);
    }
  }
}
END_TEST

static float *draw(int64_t count, uint64_t seed) {
  float *x = malloc((size_t)(count + 1) * sizeof *x);
  for (int64_t i = 0; i < count; i++) x[i] = (float)support_uniform(&seed, -1, 1);
  return x;
}

/* c = a^T b, and c = c rescale + a^T b, whose products are summed before c is added. */
START_TEST(products) {
  FOR_EACH_SET(set) {
    const int rows = set->tiles->rows, columns = set->tiles->columns;
    for (int64_t depth = 0; depth <= 130; depth += depth < 10 ? 1 : 60)
      for (int64_t count = 1; count <= 3; count++) {
        const int64_t step = depth * rows + 5, size = count * rows * columns;
        float *a = draw(count * step, 1), *b = draw(depth * columns, 2), *by = draw(columns, 3), *c = draw(size + 8, 4);
        float *before = draw(size + 8, 4);
        for (int added = 0; added < 2; added++) {
          set->tiles->multiply(count, depth, a, step, b, added ? by : NULL, c);
          for (int64_t i = 0; i < size; i++) {
            const int64_t row = i / columns, column = i % columns;
            double want = added ? (double)before[i] * (double)by[column] : 0, magnitude = fabs(want);
            for (int64_t p = 0; p < depth; p++) {
              const double product = (double)a[row / rows * step + p * rows + row % rows] * (double)b[p * columns + column];
              want += product, magnitude += fabs(product);
            }
            const double error = fabs((double)c[i] - want), bound = (double)(depth + 2) * 0x1p-24 * magnitude;
            ck_assert_msg(error <= bound, "%s, depth %d: error %g, bound %g", set->name, (int)depth, error, bound);
          }
          for (int i = 0; i < 8; i++) ck_assert(c[size + i] == before[size + i]);
          memcpy(c, before, (size_t)size * sizeof *c);
        }
        free(a), free(b), free(by), free(c), free(before);
      }
  }
}
END_TEST

/* 2^24 + 1 + 1 is 2^24 when the ones come one by one, and 2^24 + 2 when their sum does. */
START_TEST(a_tile_is_summed_before_it_is_added) {
  FOR_EACH_SET(set) {
    const int rows = set->tiles->rows, columns = set->tiles->columns;
    float a[2 * MOST], b[2 * MOST], by[MOST], c[MOST * MOST];
    for (int i = 0; i < 2 * MOST; i++) a[i] = b[i] = 1;
    for (int i = 0; i < MOST; i++) by[i] = 1;
    for (int i = 0; i < rows * columns; i++) c[i] = 0x1p24f;
    set->tiles->multiply(1, 2, a, 0, b, by, c);
    for (int i = 0; i < rows * columns; i++) ck_assert(c[i] == 0x1p24f + 2);
  }
}
END_TEST

START_TEST(packing) {
  FOR_EACH_SET(set) {
    const int rows = set->tiles->rows, columns = set->tiles->columns;
    float *from = draw(MOST * 80, 5), *to = malloc(MOST * 80 * sizeof *to);
    for (int64_t width = 0; width <= 13; width++)
      for (int64_t height = 4; height <= columns; height += 4) {
        for (int i = 0; i < MOST * 80; i++) to[i] = 7;
        set->tiles->transpose(height, width, from, width + 2, to, height + 3);
        for (int64_t i = 0; i < width; i++) {
          for (int64_t j = 0; j < height; j++) ck_assert(to[i * (height + 3) + j] == from[j * (width + 2) + i]);
          ck_assert(to[i * (height + 3) + height] == 7);
        }
      }
    for (int i = 0; i < MOST * 80; i++) to[i] = 7;
    set->tiles->split(3, (const char *)from + 1, to, 6 * rows); /* at an odd address */
    for (int n = 0; n < 3; n++) {
      ck_assert(memcmp(to + n * 6 * rows, (const char *)(from + n * rows) + 1, (size_t)rows * sizeof *to) == 0);
      ck_assert(to[n * 6 * rows + rows] == 7);
    }
    for (int i = 0; i < MOST * 80; i++) to[i] = 7;
    set->tiles->divide(8, from + 200, from, to);
    for (int i = 0; i < 8 * columns; i++) ck_assert(to[i] == from[i % 8 * columns + i / 8] / from[200 + i / 8]);
    ck_assert(to[8 * columns] == 7);
    free(from), free(to);
  }
}
END_TEST

START_TEST(what_is_not_finite_is_found) {
  static const float unsound[] = {INFINITY, -INFINITY, NAN};
  FOR_EACH_SET(set) {
    float x[70];
    for (int i = 0; i < 70; i++) x[i] = i % 2 ? 3.4e38f : -3.4e38f;
    for (int count = 0; count < 70; count++) {
      ck_assert(set->tiles->is_finite(count, (const char *)x));
      for (int i = 0; i < 70; i++)
        for (int kind = 0; kind < 3; kind++) {
          const float kept = x[i];
          x[i] = unsound[kind];
          ck_assert(set->tiles->is_finite(count, (const char *)x) == (i >= count));
          x[i] = kept;
        }
    }
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tile_code");
  TCase *tests = tcase_create("tile_code");
  tcase_add_test(tests, weights_are_within_an_ulp_or_so);
  tcase_add_test(tests, weights_of_special_scores);
  tcase_add_test(tests, the_largest_score_weighs_1);
  tcase_add_test(tests, what_is_not_seen_does_not_matter);
  tcase_add_test(tests, tiles_add_up);
  tcase_add_test(tests, products);
  tcase_add_test(tests, a_tile_is_summed_before_it_is_added);
  tcase_add_test(tests, packing);
  tcase_add_test(tests, what_is_not_finite_is_found);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
