#include "cases/values.h"

#include <math.h>

#include "base/random.h"

/* One row: which one, and how long. */
typedef struct {
  rpp_values_tensor which;
  int64_t b, l, h, width;
} place;

/* Streams of the case's seed: a row's numbers, a row's choice; tokens.c has those from 2^60 times 8 on. */
enum { CHOICE = 3, NEEDLE = 4 };
static uint64_t stream_of(uint64_t which, int64_t b, int64_t l, int64_t h) {
  return which << 60 | (uint64_t)b << 46 | (uint64_t)h << 32 | (uint64_t)l;
}

static double cap(double x, double most) {
  return x > most ? most : x;
}

/* ---- Rows of one kind ---------------------------------------------------------------------------------------------------- */

static void normal(const rpp_values *v, place p, double *row) {
  rpp_normal_fill(&v->normal, v->spec->seed, stream_of((uint64_t)p.which, p.b, p.l, p.h), p.width, row);
}

static void scale(double factor, int64_t width, double *row) {
  for (int64_t i = 0; i < width; i++) row[i] *= factor;
}

static void uniform(const rpp_values *v, place p, double *row) {
  rpp_random random = rpp_random_make(v->spec->seed, stream_of((uint64_t)p.which, p.b, p.l, p.h));
  for (int64_t i = 0; i < p.width; i++) row[i] = 2 * rpp_random_uniform(&random) - 1;
}

/* Scores of size 1000 at scale d^-1/2. */
static void large(const rpp_values *v, place p, double *row) {
  normal(v, p, row);
  scale(32, p.width, row);
}

/* One channel in sixteen. */
static void outliers(const rpp_values *v, place p, double *row) {
  const int64_t period = p.width < 16 ? p.width : 16;
  normal(v, p, row);
  for (int64_t i = (int64_t)(v->spec->seed % (uint64_t)period); i < p.width; i += period) row[i] *= 100;
}

static void repeated(const rpp_values *v, place p, double *row) {
  rpp_random random = rpp_random_make(v->spec->seed, stream_of(CHOICE, p.b, p.l, 0));
  p.l = rpp_random_integer(&random, 0, 3);
  normal(v, p, row);
}

static void same_for_all(const rpp_values *v, place p, double *row) {
  p.l = 0;
  normal(v, p, row);
}

static void one_hot(const rpp_values *v, place p, double *row) {
  const double size = cap(2 / sqrt(fabs(v->spec->attention.scale)), 100); /* the score of two that meet in a column: 4 */
  for (int64_t i = 0; i < p.width; i++) row[i] = 0;
  row[(p.l + p.h) % p.width] = p.which == RPP_VALUES_V ? 1 : size;
}

static void one_hot_by_key(const rpp_values *v, place p, double *row) {
  p.h = 0;
  one_hot(v, p, row);
}

static void subnormal(const rpp_values *v, place p, double *row) {
  static const double smallest[] = {[RPP_F64] = 0x1p-1022, [RPP_F32] = 0x1p-126, [RPP_F16] = 0x1p-14, [RPP_BF16] = 0x1p-126};
  static const double around[] = {0.0625, 1, 16};
  normal(v, p, row);
  for (int64_t i = 0; i < p.width; i++) row[i] *= around[i % 3] * smallest[v->spec->dtype];
}

/* Dot products of standard deviation 65504, float16's largest number. */
static void near_max(const rpp_values *v, place p, double *row) {
  normal(v, p, row);
  scale(sqrt(65504 / sqrt((double)p.width)), p.width, row);
}

static void near_max_values(const rpp_values *v, place p, double *row) {
  uniform(v, p, row);
  scale(65000, p.width, row);
}

static void large_mean(const rpp_values *v, place p, double *row) {
  normal(v, p, row);
  for (int64_t i = 0; i < p.width; i++) row[i] += 100;
}

/* ---- Rows that score as planned, after rotation -------------------------------------------------------------------------- */

/* noise times normal numbers, plus strength in every column; of a key, in the first of each pair only. The rotated query has (s,
 * s) in a pair, its quarter turn (s, -s), the key (r, 0): both heads score s r for each pair. */
static void facing(const rpp_values *v, place p, double strength, double noise, double *row) {
  const rpp_rotary *r = &v->spec->attention.rotary;
  normal(v, p, row);
  scale(noise, p.width, row);
  for (int64_t i = 0; i < p.width; i++) {
    const bool second = r->pairing == RPP_PAIRING_HALF ? i >= r->rotary_dim / 2 : i % 2 == 1;
    if (p.which == RPP_VALUES_Q || i >= r->rotary_dim || !second) row[i] += strength;
  }
}

enum { QUERY = 2, LARGEST = 20000 }; /* float16 holds it, turned and times any magnitude */

static double along_scale(const rpp_values *v, double strength) {
  return v->spec->attention.scale < 0 ? -strength : strength;
}

static void facing_query(const rpp_values *v, place p, double *row) {
  facing(v, p, QUERY, 0.25, row);
}

static void needle(const rpp_values *v, place p, double *row) {
  if (p.l == v->needle)
    facing(v, p, along_scale(v, cap(60 / (QUERY * v->unit), LARGEST)), 0, row);
  else
    normal(v, p, row);
}

/* The maximum rises by 1/8 with every key. */
static void drift(const rpp_values *v, place p, double *row) {
  facing(v, p, along_scale(v, cap(0.125 * (double)p.l / (QUERY * v->unit), LARGEST)), 0.25, row);
}

/* Scores of -2 10^5. */
static void negative(const rpp_values *v, place p, double *row) {
  const double strength = cap(sqrt(2e5 / v->unit), LARGEST / 2);
  facing(v, p, p.which == RPP_VALUES_Q ? strength : along_scale(v, -strength), 0.05, row);
}

/* ---- The families -------------------------------------------------------------------------------------------------------- */

typedef void row_function(const rpp_values *values, place p, double *row);

static const struct {
  row_function *of[3]; /* by rpp_values_tensor */
  bool rotated;
} families[RPP_FAMILIES] = {
    [RPP_FAMILY_NORMAL] = {{normal, normal, normal}, false},
    [RPP_FAMILY_UNIFORM] = {{uniform, uniform, uniform}, false},
    [RPP_FAMILY_LARGE_LOGITS] = {{large, large, normal}, false},
    [RPP_FAMILY_NEEDLE] = {{facing_query, needle, normal}, true},
    [RPP_FAMILY_NEGATIVE] = {{negative, negative, normal}, true},
    [RPP_FAMILY_DRIFT] = {{facing_query, drift, normal}, true},
    [RPP_FAMILY_OUTLIERS] = {{normal, outliers, outliers}, false},
    [RPP_FAMILY_CONSTANT_V] = {{normal, normal, same_for_all}, false},
    [RPP_FAMILY_ONE_HOT_V] = {{normal, normal, one_hot_by_key}, false},
    [RPP_FAMILY_ONE_HOT_K] = {{one_hot, one_hot, normal}, false},
    [RPP_FAMILY_SUBNORMAL] = {{normal, subnormal, subnormal}, false},
    [RPP_FAMILY_NEAR_MAX] = {{near_max, near_max, near_max_values}, false},
    [RPP_FAMILY_REPEATED] = {{normal, repeated, normal}, false},
    [RPP_FAMILY_LARGE_MEAN] = {{normal, normal, large_mean}, false},
};

void rpp_values_open(const rpp_spec *spec, rpp_values *values) {
  const int64_t rotary = spec->attention.rotary.rotary_dim;
  rpp_random random = rpp_random_make(spec->seed, stream_of(NEEDLE, 0, 0, 0));
  values->spec = spec;
  rpp_normal_table_make(&values->normal);
  values->unit = fabs(spec->attention.scale) * (double)(rotary / 2 + spec->head_dim - rotary);
  if (!(values->unit > 1e-9)) values->unit = 1e-9;
  values->needle = (int64_t)(rpp_random_uniform(&random) * (double)spec->k_len);
}

bool rpp_values_are_rotated(const rpp_values *values) {
  return families[values->spec->family].rotated;
}

void rpp_values_row(const rpp_values *values, rpp_values_tensor which, int64_t b, int64_t l, int64_t h, double *row) {
  const int64_t width = which == RPP_VALUES_V ? values->spec->v_dim : values->spec->head_dim;
  families[values->spec->family].of[which](values, (place){which, b, l, h, width}, row);
}

void rpp_values_turn_back(const rpp_rotary *rotary, const double *cosine, const double *sine, double *row) {
  const int64_t pairs = rotary->rotary_dim / 2;
  const bool half = rotary->pairing == RPP_PAIRING_HALF;
  for (int64_t n = 0; n < pairs; n++) {
    double *first = half ? row + n : row + 2 * n, *second = half ? row + pairs + n : row + 2 * n + 1;
    const double a = *first, b = *second;
    *first = a * cosine[n] + b * sine[n];
    *second = b * cosine[n] - a * sine[n];
  }
}
