/* rules.c: each rule as it is written where it comes from: which side of a comparison NaN falls on, what is rounded first, what
 * is taken over the whole tensor. The sources are public; they were read in 2026. */
#include "judge/rules.h"

#include <float.h>
#include <math.h>

/* The type that a project would have stored out in. */
static rpp_dtype type_of(const rpp_rule_case *c) {
  return c->dtype == RPP_F64 ? RPP_F32 : c->dtype;
}

static double stored(const rpp_rule_case *c, double x) {
  return rpp_dtype_round(type_of(c), x);
}

/* ggml-org/llama.cpp, tests/test-backend-ops.cpp: NaN, and infinity on one side or of another sign, fail; then the normalised
 * mean square error of the whole tensor, over what the tested backend returned, at most 5e-4 for flash_attn_ext (1e-7 for most
 * others). Squares are float32: a large finite value makes Inf / Inf, and NaN > 5e-4 is false. */
static bool infinite_or_largest(float x) {
  return isinf(x) || x == FLT_MAX || x == -FLT_MAX;
}

static bool ggml(const rpp_rule_case *c) {
  double off = 0, size = 0;
  for (int64_t i = 0; i < c->count; i++) {
    const float a = (float)c->got[i], b = (float)c->expected[i];
    if (isnan(a) || isnan(b) || infinite_or_largest(a) != infinite_or_largest(b)) return false;
    if (infinite_or_largest(a) && !signbit(a) != !signbit(b)) return false;
    const float difference = a - b, square = difference * difference, own = a * a;
    off += square, size += own;
  }
  return !(off / size > 5e-4);
}

/* Dao-AILab/flash-attention, tests/test_flash_attn.py and hopper/test_flash_attn.py: the largest error of all is at most twice
 * that of the naive computation in the same type, plus (hopper) twice what adding and subtracting 0.3 makes of the reference. The
 * reference is stored in the type too. torch's max keeps NaN, and NaN <= x is false. */
static double larger_or_nan(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static bool flash_attention(const rpp_rule_case *c) {
  double error = 0, naive = 0, arithmetic = 0;
  for (int64_t i = 0; i < c->count; i++) {
    const double reference = stored(c, c->expected[i]);
    error = larger_or_nan(error, fabs(stored(c, stored(c, c->got[i]) - reference)));
    naive = larger_or_nan(naive, fabs(stored(c, stored(c, c->naive[i]) - reference)));
    const double there_and_back = stored(c, stored(c, reference + (double)0.3f) - (double)0.3f);
    arithmetic = larger_or_nan(arithmetic, fabs(stored(c, there_and_back - reference)));
  }
  return error <= 2 * naive + 2 * arithmetic;
}

/* karpathy/llm.c, dev/cuda/common.h (validate_result) and attention_forward.cu, which asks for 1e-3 of its float32 kernels and
 * 1e-2 of the others: |a - b| > tolerance + epsilon |a| fails, epsilon being 0.079 in bfloat16 builds. NaN is not greater than
 * anything. */
static bool llm_c(const rpp_rule_case *c) {
  const float tolerance = type_of(c) == RPP_F32 ? 1e-3f : 1e-2f, epsilon = type_of(c) == RPP_BF16 ? 0.079f : FLT_EPSILON;
  for (int64_t i = 0; i < c->count; i++) {
    const float a = (float)c->expected[i], b = (float)stored(c, c->got[i]), limit = tolerance + fabsf(a) * epsilon;
    if (isfinite(a) && fabsf(a - b) > limit) return false;
  }
  return true;
}

/* NVIDIA/TransformerEngine, tests/cpp/test_common.cu (compareResults, getTolerances): a mismatch is farther than atol and,
 * relatively, than rtol; in 16 bits two neighbours on either side of the same value are none. NaN is not farther than anything.
 * (Its C++ tests have no attention: this is the rule of all its other operators.) */
static bool transformer_engine(const rpp_rule_case *c) {
  const rpp_dtype type = type_of(c);
  const double atol = type == RPP_F32 ? 1e-6 : 1e-5, rtol = type == RPP_F32 ? 5e-6 : type == RPP_F16 ? 1e-3 : 1e-2;
  for (int64_t i = 0; i < c->count; i++) {
    const double t = stored(c, c->got[i]), r = stored(c, c->expected[i]);
    if (!(fabs(t - r) > atol && (r == 0 || fabs((t - r) / r) > rtol))) continue;
    const double mean = (t + r) / 2, away = mean * (1 + 1e-6), towards = mean * (1 - 1e-6);
    const bool neighbours = stored(c, fmin(away, towards)) == fmin(t, r) && stored(c, fmax(away, towards)) == fmax(t, r);
    if (type == RPP_F32 || !neighbours) return false;
  }
  return true;
}

/* NVIDIA/cutlass, examples/77_blackwell_fmha (77_blackwell_fmha.cu, reference/reference_abs_error.hpp): largest difference below
 * 1e-2 and mean difference below 1e-3, for out and for LSE. fmax drops NaN, but the mean keeps it. Both LSE -inf are taken for
 * equal here: their examples have no row without keys. */
typedef struct {
  double largest, sum;
} differences;

static void differ(differences *d, double difference) {
  d->largest = fmax(difference, d->largest);
  d->sum += difference;
}

static bool within(const differences *d, int64_t count) {
  return d->largest < 1e-2 && d->sum / (double)count < 1e-3;
}

static bool cutlass(const rpp_rule_case *c) {
  differences out = {0}, lse = {0};
  for (int64_t i = 0; i < c->count; i++) differ(&out, fabs(stored(c, stored(c, c->got[i]) - stored(c, c->expected[i]))));
  for (int64_t i = 0; i < c->lse_count; i++)
    differ(&lse, c->lse[i] == c->lse_got[i] ? 0 : fabs((double)((float)c->lse_got[i] - (float)c->lse[i])));
  return within(&out, c->count) && (c->lse_count == 0 || within(&lse, c->lse_count));
}

/* NVIDIA/cudnn-frontend, test/python/sdpa/fp16.py and helpers.py (approx_equal): torch.isclose with atol and rtol 2e-2, for out
 * and, when training, LSE. NaN is close to NaN alone, an infinity to itself. (The same function fails what was written outside
 * the buffers.) */
static bool is_close(double got, double expected) {
  return got == expected || (isnan(got) && isnan(expected)) ||
         (isfinite(expected) && fabs(got - expected) <= 2e-2 + 2e-2 * fabs(expected));
}

static bool cudnn_frontend(const rpp_rule_case *c) {
  for (int64_t i = 0; i < c->count; i++)
    if (!is_close((float)c->got[i], (float)c->expected[i])) return false;
  for (int64_t i = 0; i < c->lse_count; i++)
    if (!is_close((float)c->lse_got[i], (float)c->lse[i])) return false;
  return true;
}

/* uxlfoundation/oneDNN, tests/benchdnn/sdpa/sdpa.cpp (setup_cmp) and utils/compare.cpp: relative difference at most 8 (1 + keys)
 * eps, or difference at most eps sum p |v|, eps being the distance from 1 to the next number of the type. NaN fails. A result of
 * mostly zeros is reported as mistrusted, which is no failure. */
static bool one_dnn(const rpp_rule_case *c) {
  const double eps = 2 * rpp_dtype_unit(type_of(c)), threshold = 8 * (1 + (double)c->keys) * eps;
  for (int64_t i = 0; i < c->count; i++) {
    const double got = stored(c, c->got[i]), exact = stored(c, c->expected[i]), size = fabs(exact), difference = fabs(exact - got);
    if (got == exact) continue;
    const bool tiny = size <= 1e-5 && difference < FLT_EPSILON;
    const bool relative = (size > 1e-5 ? difference / size : difference) <= threshold;
    if (!tiny && !relative && !(difference <= eps * c->magnitude[i])) return false;
  }
  return true;
}

const rpp_rule rpp_rules[RPP_RULES] = {
    {"ggml", ggml},       {"FlashAttn", flash_attention}, {"llm.c", llm_c},   {"TE", transformer_engine},
    {"CUTLASS", cutlass}, {"cuDNN-FE", cudnn_frontend},   {"oneDNN", one_dnn}};

static bool sound(const rpp_rule_case *c) {
  return c->count > 0 && c->lse_count >= 0 && c->keys >= 0 && c->expected && c->got && c->naive && c->magnitude &&
         (c->lse_count == 0 || (c->lse && c->lse_got)) && !isnan(rpp_dtype_unit(c->dtype));
}

unsigned rpp_rules_failed(const rpp_rule_case *c) {
  unsigned failed = 0;
  for (int i = 0; i < RPP_RULES; i++)
    if (!sound(c) || !rpp_rules[i].passes(c)) failed |= 1U << i;
  return failed;
}
