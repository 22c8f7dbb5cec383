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
  float zero[MOST], sum[MOST], rescale[MOST], norm[MOST], key_norm;
} lanes_state;

/* norm: what each score is up to in magnitude before it is scaled; infinite where that is not known. */
static void begin(lanes_state *s, int64_t keys, float norm) {
  s->key_norm = norm;
  for (int c = 0; c < MOST; c++) s->first[c] = 0, s->last[c] = (int32_t)keys, s->zero[c] = -INFINITY, s->sum[c] = 0, s->norm[c] = 1;
}

static void soften(const rpp_tiles *tiles, lanes_state *s, int64_t keys, float scale, float *scores) {
  const rpp_tile_softmax state = {s->first, s->last, s->zero, s->sum, s->rescale, s->norm, s->key_norm};
  tiles->softmax(keys, scale, &state, scores);
}

#define FOR_EACH_SET(set) for (const rpp_vector_set *const *at_ = rpp_vector_sets(), *set = *at_; set != NULL; set = *++at_)

/* The weights of scores 0 and x: 1 and 2^x. Every 997th float32 from -0 down to -151, a lane each; every one from -1/4 to -1, as their
 * remainders after whole numbers are all that the polynomial meets. The portable set may have to round products before it adds. Where norms
 * are known, which they may be down to -60, the bits are the same. */
START_TEST(weights_are_within_an_ulp_or_so) {
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    double worst = 0;
    bool ones = true, same = true;
    uint32_t bits = 0x80000000u;
    for (float x = 0; x > -151;) {
      float scores[2 * MOST], again[2 * MOST], points[MOST];
      lanes_state s;
      begin(&s, 2, INFINITY);
      for (int c = 0; c < columns; c++, bits += x <= -0.25f && x > -1 ? 1 : 997) {
        memcpy(&x, &bits, sizeof x);
        scores[c] = 0, scores[columns + c] = points[c] = x;
      }
      memcpy(again, scores, sizeof again);
      soften(set->tiles, &s, 2, 1, scores);
      for (int c = 0; c < columns; c++) {
        support_worse(&worst, ulps(exp2((double)points[c]), scores[columns + c]));
        ones &= scores[c] == 1 && s.zero[c] == 0 && s.rescale[c] == 0;
      }
      if (!(x > -60)) continue;
      begin(&s, 2, 60);
      soften(set->tiles, &s, 2, 1, again);
      same &= memcmp(again, scores, 2 * (size_t)columns * sizeof *again) == 0;
    }
    ck_assert_msg(ones, "%s: a score of 0 weighs 1", set->name); /* of all at once, as assertions take long */
    ck_assert_msg(same, "%s: bits depend on what is known", set->name);
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
    begin(&s, 4, INFINITY);
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
    ck_assert(s.zero[3] == -INFINITY && s.sum[3] == 0 && s.rescale[3] == 1);    /* so far nothing but -inf */
  }
}
END_TEST

/* However large: a score that is rounded once as the zero and once as itself would differ from itself by half a unit in the last place. Up to where
 * zeros are told from their scores the weights are those of float64, but for the product that the portable set rounds. */
START_TEST(weights_are_relative_to_an_even_number) {
  enum { KEYS = 12 };
  uint64_t state = 5;
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    for (int power = -20; power <= 100; power++)
      for (int masked = 0; masked < 2; masked++) {
        float scores[KEYS * MOST], before[KEYS * MOST];
        const float scale = power % 2 ? 0.1275f : -0.1275f;
        lanes_state s;
        begin(&s, KEYS, INFINITY);
        for (int c = 0; c < columns; c++) s.first[c] = masked * (c % 3);
        for (int i = 0; i < KEYS * columns; i++) before[i] = scores[i] = (float)ldexp(support_uniform(&state, -1, 1), power);
        soften(set->tiles, &s, KEYS, scale, scores);
        for (int c = 0; c < columns; c++) {
          const double zero = (double)s.zero[c];
          float largest = 0, sum = 0;
          for (int j = s.first[c]; j < KEYS; j++) {
            const float weight = scores[j * columns + c];
            const double scaled = (double)before[j * columns + c] * (double)scale, want = exp2(scaled - zero);
            const double error = fabs((double)weight - want), rounded = want * (2 + fabs(scaled)) * 0x1p-24 + 0x1p-149;
            ck_assert_msg(power > 22 || error <= rounded, "%s, 2^%d: %g in place of %g", set->name, power, (double)weight, want);
            if (!(weight <= largest)) largest = weight;
            sum += weight;
          }
          ck_assert_msg(fmod(zero, 2) == 0, "%s, 2^%d: a zero of %g", set->name, power, zero);
          ck_assert_msg(largest >= 0.25f && largest <= 4 && (power < 30 || largest == 1), "%s, 2^%d: %g", set->name, power,
                        (double)largest);
          ck_assert(fabsf(s.sum[c] - sum) <= 1e-6f * sum);
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
    for (int shift = 0; shift < 2 * KEYS * (KEYS + 1); shift++) {
      float scores[KEYS * MOST];
      lanes_state s;
      begin(&s, KEYS, shift % 2 ? 8 : INFINITY);
      for (int c = 0; c < columns; c++) {
        const int run = shift / 2 + (shift / 2 % 3 ? 5 * c : 0); /* also the same for all */
        s.first[c] = run % KEYS;
        s.last[c] = s.first[c] + run / KEYS % (KEYS + 1 - s.first[c]);
        for (int j = 0; j < KEYS; j++)
          scores[j * columns + c] = j >= s.first[c] && j < s.last[c] ? (float)((j * 29 + c) % 17) - 8 : j % 2 ? NAN : INFINITY;
      }
      soften(set->tiles, &s, KEYS, -0.5f, scores);
      for (int c = 0; c < columns; c++) {
        double sum = 0;
        for (int j = s.first[c]; j < s.last[c]; j++) sum += exp2(-0.5 * ((j * 29 + c) % 17 - 8) - (double)s.zero[c]);
        ck_assert((s.zero[c] == -INFINITY) == (s.first[c] == s.last[c]) && fabs((double)s.sum[c] - sum) <= 1e-6 * sum);
        ck_assert(s.rescale[c] == (s.first[c] == s.last[c] ? 1 : 0));
        for (int j = 0; j < KEYS; j++)
          if (j < s.first[c] || j >= s.last[c]) ck_assert_msg(scores[j * columns + c] == 0, "%s: key %d is seen", set->name, j);
      }
    }
  }
}
END_TEST

/* Two tiles of scores, whose largest comes late in the second. A norm of 39 does not tell, as the first tile has a zero of -2, nor one that is not a
 * number. */
START_TEST(scores_are_looked_at_only_where_norms_do_not_tell) {
  enum { KEYS = 40, LATE = 37 };
  static const float norms[] = {INFINITY, 30, 39, NAN};
  static const float zeros[] = {28, -2, 28, 28};
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    float weights[4][KEYS * MOST];
    lanes_state s[4];
    for (int n = 0; n < 4; n++) {
      begin(&s[n], KEYS, norms[n]);
      for (int tile = 0; tile < 2; tile++) {
        for (int i = 0; i < KEYS * columns; i++) weights[n][i] = -2.75f - (float)(i * 37 % 101) / 8;
        for (int c = 0; c < columns; c++) weights[n][tile * LATE * columns + c] = tile == 0 ? -2.25f : 28.5f;
        soften(set->tiles, &s[n], KEYS, 1, weights[n]);
      }
      for (int c = 0; c < columns; c++) {
        ck_assert_msg(s[n].zero[c] == zeros[n], "%s, norm %g: %g", set->name, (double)norms[n], (double)s[n].zero[c]);
        const int exponent = (int)(zeros[0] - zeros[n]);
        ck_assert(s[n].sum[c] == ldexpf(s[0].sum[c], exponent));
        for (int j = 0; j < KEYS; j++) ck_assert(weights[n][j * columns + c] == ldexpf(weights[0][j * columns + c], exponent));
      }
    }
  }
}
END_TEST

/* 200 below the zero of an earlier tile. */
START_TEST(what_is_far_below_weighs_nothing) {
  FOR_EACH_SET(set) {
    float scores[2 * MOST];
    lanes_state s;
    begin(&s, 2, 40);
    for (int c = 0; c < 2 * set->tiles->columns; c++) scores[c] = -40;
    for (int c = 0; c < set->tiles->columns; c++) s.zero[c] = 160, s.sum[c] = 1;
    soften(set->tiles, &s, 2, 1, scores);
    for (int c = 0; c < 2 * set->tiles->columns; c++) ck_assert(scores[c] == 0);
    for (int c = 0; c < set->tiles->columns; c++) ck_assert(s.zero[c] == 160 && s.sum[c] == 1 && s.rescale[c] == 1);
  }
}
END_TEST

START_TEST(tiles_add_up) {
  FOR_EACH_SET(set) {
    const int columns = set->tiles->columns;
    static const float tiles[4][2] = {{-1e5f, -1e5f - 1}, {5, 4}, {0, 0}, {3, -1e4f}};
    static const float zero[4] = {-1e5f, 4, 4, 4}, rescale[4] = {0, 0, 1, 1};
    static const double sum[4] = {1.5, 3, 3, 3.5};
    lanes_state s;
    begin(&s, 2, INFINITY);
    for (int t = 0; t < 4; t++) {
      float scores[2 * MOST];
      for (int i = 0; i < 2 * columns; i++) scores[i] = tiles[t][i / columns];
      for (int c = 0; c < columns; c++) s.last[c] = t == 2 ? 0 : 2; /* the third shows nothing */
      soften(set->tiles, &s, 2, 1, scores);
      for (int c = 0; c < columns; c++)
        ck_assert_msg(s.zero[c] == zero[t] && s.rescale[c] == rescale[t] && fabs((double)s.sum[c] - sum[t]) < 1e-6,
                      "%s, tile %d: zero %g, sum %g", set->name, t, (double)s.zero[c], (double)s.sum[c]);
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

START_TEST(values_that_are_not_small_are_found) {
  static const float large[] = {INFINITY, -INFINITY, NAN, 0x1p30f, -0x1p30f, 3.4e38f};
  FOR_EACH_SET(set) {
    const int rows = set->tiles->rows;
    float x[8 * 8], to[8 * 8];
    for (int i = 0; i < 8 * rows; i++) x[i] = i % 3 == 0 ? 0x1.fffffep29f : i % 3 == 1 ? -0x1.fffffep29f : 0;
    for (int count = 0; count < 8; count++) {
      ck_assert(set->tiles->split(count, (const char *)x, to, rows));
      for (int i = 0; i < 8 * rows; i++)
        for (size_t kind = 0; kind < sizeof large / sizeof *large; kind++) {
          const float kept = x[i];
          x[i] = large[kind];
          ck_assert_msg(set->tiles->split(count, (const char *)x, to, rows) == (i >= count * rows), "%s: %g", set->name,
                        (double)x[i]);
          x[i] = kept;
        }
    }
  }
}
END_TEST

/* Against float64, of numbers whose squares are any size; and never less, when nothing is left of the squares. */
START_TEST(norms_of_columns) {
  FOR_EACH_SET(set) {
    const int rows = set->tiles->rows, columns = set->tiles->columns;
    for (int64_t depth = 1; depth <= 13; depth++)
      for (int power = -70; power <= 62; power += 11) {
        float *a = draw(depth * rows, 6), *b = draw(depth * columns, 7), norm[MOST];
        double largest = 0;
        for (int64_t i = 0; i < depth * rows; i++) a[i] = ldexpf(a[i], power);
        for (int64_t i = 0; i < depth * columns; i++) b[i] = ldexpf(b[i], power);
        const double low = 1 - 1e-6, high = 1 + 1e-6, lost = 0x1p-63 * sqrt((double)depth);
        set->tiles->norms(depth, b, norm);
        for (int c = 0; c < columns; c++) {
          double want = 0;
          for (int64_t p = 0; p < depth; p++) want = hypot(want, (double)b[p * columns + c]);
          ck_assert((double)norm[c] >= want * low && (double)norm[c] <= want * high + lost);
        }
        for (int r = 0; r < rows; r++) {
          double want = 0;
          for (int64_t p = 0; p < depth; p++) want = hypot(want, (double)a[p * rows + r]);
          largest = fmax(largest, want);
        }
        const double found = (double)set->tiles->largest_norm(depth, a);
        ck_assert(found >= largest * low && found <= largest * high + lost);
        for (int64_t i = 0; i < depth * rows; i++) {
          const float kept = a[i];
          a[i] = -INFINITY;
          ck_assert(isinf(set->tiles->largest_norm(depth, a)));
          a[i] = kept;
        }
        free(a), free(b);
      }
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tile_code");
  TCase *tests = tcase_create("tile_code");
  tcase_add_test(tests, weights_are_within_an_ulp_or_so);
  tcase_add_test(tests, weights_of_special_scores);
  tcase_add_test(tests, weights_are_relative_to_an_even_number);
  tcase_add_test(tests, scores_are_looked_at_only_where_norms_do_not_tell);
  tcase_add_test(tests, what_is_not_seen_does_not_matter);
  tcase_add_test(tests, what_is_far_below_weighs_nothing);
  tcase_add_test(tests, tiles_add_up);
  tcase_add_test(tests, products);
  tcase_add_test(tests, a_tile_is_summed_before_it_is_added);
  tcase_add_test(tests, packing);
  tcase_add_test(tests, values_that_are_not_small_are_found);
  tcase_add_test(tests, norms_of_columns);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
