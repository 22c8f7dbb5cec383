#include "cases/cases.h"

#include <inttypes.h>
#include <string.h>

#include "cases/generate.h"
#include "cases/tokens.h"
#include "program/names.h"

/* ---- Properties ---------------------------------------------------------------------------------------------------------- */

static bool mode(const rpp_spec *s, int64_t value) {
  return s->attention.mode == (rpp_mode)value;
}
static bool ratio(const rpp_spec *s, int64_t value) {
  return s->attention.heads == value * s->attention.kv_heads;
}
static bool several_kv(const rpp_spec *s, int64_t value) {
  return s->attention.kv_heads >= 2 && s->attention.heads / s->attention.kv_heads >= value;
}
static bool pairing(const rpp_spec *s, int64_t value) {
  return s->attention.rotary.pairing == (rpp_pairing)value;
}
static bool width(const rpp_spec *s, int64_t value) {
  return s->head_dim == value;
}
static bool odd_pairs(const rpp_spec *s, int64_t value) {
  return s->attention.rotary.rotary_dim / 2 % 2 == value;
}
static bool odd_width(const rpp_spec *s, int64_t value) {
  return s->head_dim % 2 == value;
}
static bool partial(const rpp_spec *s, int64_t value) {
  return s->head_dim - s->attention.rotary.rotary_dim >= value;
}
static bool other_values(const rpp_spec *s, int64_t value) {
  return (s->v_dim > s->head_dim) - (s->v_dim < s->head_dim) == (int)value;
}
static bool wide(const rpp_spec *s, int64_t value) {
  return s->head_dim >= value;
}
static bool many_kv(const rpp_spec *s, int64_t value) {
  const int64_t halved = s->attention.mode == RPP_MODE_EH ? 2 : 1;
  return s->attention.kv_heads / halved >= value;
}
static bool many_queries(const rpp_spec *s, int64_t value) {
  return s->q_len >= value;
}
static bool some_tiles(const rpp_spec *s, int64_t value) {
  return s->k_len >= value && s->k_len < 8191;
}
static bool no_queries(const rpp_spec *s, int64_t value) {
  return s->q_len == value;
}
static bool no_keys(const rpp_spec *s, int64_t value) {
  return s->k_len == value;
}
static bool lengths(const rpp_spec *s, int64_t value) {
  return (s->q_len > s->k_len) - (s->q_len < s->k_len) == (int)value;
}
static bool at_least_keys(const rpp_spec *s, int64_t value) {
  return s->k_len >= value;
}
static bool batch(const rpp_spec *s, int64_t value) {
  return s->batch >= value;
}
static bool edge(const rpp_spec *s, int64_t value, int64_t past) {
  return s->k_len > value / 2 && (s->k_len - past) % value == 0;
}
static bool below_edge(const rpp_spec *s, int64_t value) {
  return edge(s, value, -1);
}
static bool on_edge(const rpp_spec *s, int64_t value) {
  return edge(s, value, 0);
}
static bool above_edge(const rpp_spec *s, int64_t value) {
  return edge(s, value, 1);
}
static bool mask(const rpp_spec *s, int64_t value) {
  return s->attention.mask == (rpp_mask)value;
}
static bool wide_window(const rpp_spec *s, int64_t value) {
  return s->attention.mask == RPP_MASK_WINDOW && s->attention.window > value;
}
static bool far_offset(const rpp_spec *s, int64_t value) {
  return s->attention.mask != RPP_MASK_FULL && (s->attention.causal_offset > value || s->attention.causal_offset < -value);
}
static bool offset(const rpp_spec *s, int64_t value) {
  const int64_t aligned = s->k_len - s->q_len, is = s->attention.causal_offset;
  return s->attention.mask != RPP_MASK_FULL && aligned != 0 &&
         (value == 0   ? is == 0
          : value == 1 ? is == aligned
                       : is != 0 && is != aligned);
}
static bool other_scale(const rpp_spec *s, int64_t value) {
  (void)value;
  return s->attention.scale * s->attention.scale * (double)s->head_dim > 1.01;
}
static bool scale_is(const rpp_spec *s, int64_t value) {
  return s->attention.scale == (double)value;
}
static bool scale_below(const rpp_spec *s, int64_t value) {
  return s->attention.scale < (double)value;
}
static bool packed(const rpp_spec *s, int64_t value) {
  return s->packed >= value;
}
static bool packed_empty(const rpp_spec *s, int64_t value) {
  enum { MOST = 64 };
  int64_t cu_q[MOST + 1], cu_k[MOST + 1], empty = 0;
  if (s->packed < 2 || s->packed > MOST || s->k_len == 0 || s->q_len == 0) return false;
  rpp_token_packing(s, cu_q, cu_k);
  const int64_t *cu = value == 0 ? cu_q : cu_k;
  for (int64_t n = 0; n < s->packed; n++) empty += cu[n] == cu[n + 1];
  return empty > 0;
}
static bool scaling(const rpp_spec *s, int64_t value) {
  return s->attention.rotary.scaling.kind == (rpp_scaling_kind)value;
}
static bool angles(const rpp_spec *s, int64_t value) {
  return s->attention.rotary.angles == (rpp_angle_model)value;
}
static bool base(const rpp_spec *s, int64_t value) {
  return s->attention.rotary.base == (double)value;
}
static bool last_position(const rpp_spec *s, int64_t value) {
  return rpp_token_last_position(s) >= value;
}
static bool first_position(const rpp_spec *s, int64_t value) {
  int64_t lowest = 0, highest = 0;
  return rpp_token_reach(s, &lowest, &highest) && lowest <= value;
}
static bool reset(const rpp_spec *s, int64_t value) {
  return s->reset >= value && s->reset < s->k_len;
}
static bool batched(const rpp_spec *s, int64_t value) {
  return s->batched_positions && s->batch >= value;
}
static bool inputs(const rpp_spec *s, int64_t value) {
  return rpp_inputs_of(&s->attention) == (int)value;
}
static bool dtype(const rpp_spec *s, int64_t value) {
  return s->dtype == (rpp_dtype)value;
}
static bool far(const rpp_spec *s, int64_t value) {
  rpp_generated g;
  if (s->layout != RPP_LAYOUT_SPARSE) return false;
  rpp_generated_describe(s, s->dtype, RPP_F32, &g);
  const rpp_tensor *const all[] = {&g.q, &g.k, &g.v, &g.out}, *t = all[value];
  int64_t last = 0;
  for (int d = 0; d < t->ndim; d++) last += (t->shape[d] - 1) * t->strides[d];
  return last > INT32_MAX;
}
static bool layout(const rpp_spec *s, int64_t value) {
  return s->layout == (rpp_layout)value;
}
static bool family(const rpp_spec *s, int64_t value) {
  return s->family == (rpp_family)value;
}
static bool in_place(const rpp_spec *s, int64_t value) {
  return s->in_place == (value == 1);
}
static bool rows(const rpp_spec *s, int64_t value) {
  return s->rows >= value;
}

const rpp_case_property rpp_case_properties[] = {
    {"mode", "rope", mode, RPP_MODE_ROPE},
    {"mode", "ec", mode, RPP_MODE_EC},
    {"mode", "eh", mode, RPP_MODE_EH},
    {"GQA ratio", "1", ratio, 1},
    {"GQA ratio", "2", ratio, 2},
    {"GQA ratio", "3", ratio, 3},
    {"GQA ratio", "4", ratio, 4},
    {"GQA ratio", "7", ratio, 7},
    {"GQA ratio", "8", ratio, 8},
    {"GQA ratio", "16", ratio, 16},
    {"GQA ratio", "above 1, several KV heads", several_kv, 2},
    {"GQA ratio", "of 9 KV heads or more", many_kv, 9},
    {"pairing", "interleaved", pairing, RPP_PAIRING_INTERLEAVED},
    {"pairing", "half", pairing, RPP_PAIRING_HALF},
    {"D", "2", width, 2},
    {"D", "64", width, 64},
    {"D", "128", width, 128},
    {"D", "256", width, 256},
    {"D", "above 256", wide, 257},
    {"D", "odd", odd_width, 1},
    {"D", "an odd count of pairs", odd_pairs, 1},
    {"D", "wider than rotated", partial, 2},
    {"Dv", "narrower than D", other_values, -1},
    {"Dv", "wider than D", other_values, 1},
    {"queries", "none", no_queries, 0},
    {"queries", "1", no_queries, 1},
    {"queries", "513 or more", many_queries, 513},
    {"keys", "none", no_keys, 0},
    {"keys", "1", no_keys, 1},
    {"queries", "fewer than keys", lengths, -1},
    {"queries", "as many as keys", lengths, 0},
    {"queries", "more than keys", lengths, 1},
    {"keys", "a multiple of 8 less 1", below_edge, 8},
    {"keys", "a multiple of 8", on_edge, 8},
    {"keys", "a multiple of 8 plus 1", above_edge, 8},
    {"keys", "a multiple of 16 less 1", below_edge, 16},
    {"keys", "a multiple of 16", on_edge, 16},
    {"keys", "a multiple of 16 plus 1", above_edge, 16},
    {"keys", "a multiple of 32 less 1", below_edge, 32},
    {"keys", "a multiple of 32", on_edge, 32},
    {"keys", "a multiple of 32 plus 1", above_edge, 32},
    {"keys", "a multiple of 64 less 1", below_edge, 64},
    {"keys", "a multiple of 64", on_edge, 64},
    {"keys", "a multiple of 64 plus 1", above_edge, 64},
    {"keys", "a multiple of 128 less 1", below_edge, 128},
    {"keys", "a multiple of 128", on_edge, 128},
    {"keys", "a multiple of 128 plus 1", above_edge, 128},
    {"keys", "513 to 8190", some_tiles, 513},
    {"keys", "8191 or more", at_least_keys, 8191},
    {"keys", "33728 or more", at_least_keys, 33728},
    {"keys", "131072", at_least_keys, 131072},
    {"batch", "2 or more", batch, 2},
    {"batch", "4 or more", batch, 4},
    {"batch", "9", batch, 9},
    {"packed", "1", packed, 1},
    {"packed", "several sequences", packed, 2},
    {"packed", "9 or more", packed, 9},
    {"packed", "a sequence without queries", packed_empty, 0},
    {"packed", "a sequence without keys", packed_empty, 1},
    {"mask", "causal", mask, RPP_MASK_CAUSAL},
    {"mask", "full", mask, RPP_MASK_FULL},
    {"mask", "window", mask, RPP_MASK_WINDOW},
    {"mask", "window past 2^31", wide_window, INT32_MAX},
    {"offset", "0 though lengths differ", offset, 0},
    {"offset", "lk - lq", offset, 1},
    {"offset", "another", offset, 2},
    {"offset", "past 2^31", far_offset, INT32_MAX},
    {"scale", "above d^-1/2", other_scale, 0},
    {"scale", "1000000", scale_is, 1000000},
    {"scale", "0", scale_is, 0},
    {"scale", "negative", scale_below, 0},
    {"scaling", "none", scaling, RPP_SCALING_NONE},
    {"scaling", "linear", scaling, RPP_SCALING_LINEAR},
    {"scaling", "ntk", scaling, RPP_SCALING_NTK},
    {"scaling", "ntk-aware", scaling, RPP_SCALING_NTK_AWARE},
    {"scaling", "yarn", scaling, RPP_SCALING_YARN},
    {"scaling", "yarn-hf", scaling, RPP_SCALING_YARN_HF},
    {"scaling", "llama3", scaling, RPP_SCALING_LLAMA3},
    {"base", "10000", base, 10000},
    {"base", "500000", base, 500000},
    {"angles", "exact", angles, RPP_ANGLES_EXACT},
    {"angles", "hf-f32", angles, RPP_ANGLES_HF_F32},
    {"position", "131071 and on", last_position, 131071},
    {"position", "1000000 and on", last_position, 1000000},
    {"position", "16777216 and on", last_position, 16777216},
    {"position", "below 0", first_position, -1},
    {"position", "reset among the keys", reset, 1},
    {"position", "different in the batch", batched, 2},
    {"inputs", "raw", inputs, 0},
    {"inputs", "rotated", inputs, 1},
    {"inputs", "rotated-k", inputs, 2},
    {"inputs", "rotated in place", in_place, 1},
    {"dtype", "f64", dtype, RPP_F64},
    {"dtype", "f32", dtype, RPP_F32},
    {"dtype", "f16", dtype, RPP_F16},
    {"dtype", "bf16", dtype, RPP_BF16},
    {"layout", "contiguous", layout, RPP_LAYOUT_CONTIGUOUS},
    {"layout", "head-major", layout, RPP_LAYOUT_HEAD_MAJOR},
    {"layout", "padded", layout, RPP_LAYOUT_PADDED},
    {"layout", "fused", layout, RPP_LAYOUT_FUSED},
    {"layout", "sliced", layout, RPP_LAYOUT_SLICED},
    {"layout", "sparse", layout, RPP_LAYOUT_SPARSE},
    {"layout", "elements of q past 2^31", far, 0},
    {"layout", "elements of k past 2^31", far, 1},
    {"layout", "elements of v past 2^31", far, 2},
    {"layout", "elements of out past 2^31", far, 3},
    {"family", "normal", family, RPP_FAMILY_NORMAL},
    {"family", "uniform", family, RPP_FAMILY_UNIFORM},
    {"family", "large-logits", family, RPP_FAMILY_LARGE_LOGITS},
    {"family", "needle", family, RPP_FAMILY_NEEDLE},
    {"family", "negative", family, RPP_FAMILY_NEGATIVE},
    {"family", "drift", family, RPP_FAMILY_DRIFT},
    {"family", "outliers", family, RPP_FAMILY_OUTLIERS},
    {"family", "constant-v", family, RPP_FAMILY_CONSTANT_V},
    {"family", "one-hot-v", family, RPP_FAMILY_ONE_HOT_V},
    {"family", "one-hot-k", family, RPP_FAMILY_ONE_HOT_K},
    {"family", "subnormal", family, RPP_FAMILY_SUBNORMAL},
    {"family", "near-max", family, RPP_FAMILY_NEAR_MAX},
    {"family", "repeated", family, RPP_FAMILY_REPEATED},
    {"family", "large-mean", family, RPP_FAMILY_LARGE_MEAN},
    {"rows", "sampled", rows, 1},
    {0},
};

/* ---- How often ----------------------------------------------------------------------------------------------------------- */

void rpp_cases_count(uint64_t seed, int64_t cases, int64_t *counts) {
  for (int i = 0; rpp_case_properties[i].name != NULL; i++) counts[i] = 0;
  for (int64_t n = 0; n < cases; n++) {
    const rpp_spec spec = rpp_spec_draw(seed, (uint64_t)n, NULL, NULL);
    for (int i = 0; rpp_case_properties[i].name != NULL; i++)
      counts[i] += rpp_case_properties[i].holds(&spec, rpp_case_properties[i].value);
  }
}

int rpp_cases_run(uint64_t seed, int64_t cases, FILE *out) {
  int64_t counts[sizeof rpp_case_properties / sizeof *rpp_case_properties];
  int status = 0;
  rpp_cases_count(seed, cases, counts);
  fprintf(out, "seed %" PRIu64 ", %" PRId64 " cases\n%-10s %-28s %6s\n", seed, cases, "", "property", "cases");
  const char *group = "";
  for (int i = 0; rpp_case_properties[i].name != NULL; i++) {
    const rpp_case_property *p = &rpp_case_properties[i];
    fprintf(out, "%-10s %-28s %6" PRId64 "%s\n", strcmp(group, p->group) == 0 ? "" : p->group, p->name, counts[i],
            counts[i] == 0 ? "  NONE" : "");
    group = p->group;
    if (counts[i] == 0) status = 1;
  }
  return status;
}
