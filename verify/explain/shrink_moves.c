#include "explain/shrink_moves.h"

#include <string.h>

#include "cases/spec_keys.h"
#include "program/print.h"

/* ---- Numbers ------------------------------------------------------------------------------------------------------------- */

/* Small ones, and neighbours of the usual tiles; then the number itself less a half, a quarter, ... and one. */
static bool smaller(int64_t *value, int step) {
  static const int64_t edges[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257};
  const int count = sizeof edges / sizeof *edges;
  if (step < count) {
    if (edges[step] < *value) *value = edges[step];
    return true;
  }
  const int halvings = step - count + 1;
  if (halvings > 62 || *value >> halvings == 0) return false;
  *value -= *value >> halvings;
  return true;
}

static bool queries(rpp_spec *spec, int step) {
  return smaller(&spec->q_len, step);
}
static bool keys(rpp_spec *spec, int step) {
  return smaller(&spec->k_len, step);
}
static bool batch(rpp_spec *spec, int step) {
  return smaller(&spec->batch, step);
}
static bool packed(rpp_spec *spec, int step) {
  return smaller(&spec->packed, step);
}
static bool window(rpp_spec *spec, int step) {
  return spec->attention.mask == RPP_MASK_WINDOW && smaller(&spec->attention.window, step);
}
static bool reset(rpp_spec *spec, int step) {
  return smaller(&spec->reset, step);
}
static bool position(rpp_spec *spec, int step) {
  return smaller(&spec->position, step);
}
static bool value_width(rpp_spec *spec, int step) {
  return spec->v_dim != spec->head_dim && smaller(&spec->v_dim, step);
}

/* Both lengths at once: what holds between them may be what fails. */
static bool lengths(rpp_spec *spec, int step) {
  static const int64_t pairs[][2] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {1, 3}, {2, 3},
                                     {3, 2}, {3, 3}, {1, 4}, {2, 4}, {4, 4}, {8, 8}};
  const int count = sizeof pairs / sizeof *pairs;
  if (step < count) {
    if (pairs[step][0] <= spec->q_len && pairs[step][1] <= spec->k_len) spec->q_len = pairs[step][0], spec->k_len = pairs[step][1];
    return true;
  }
  if (step > count) return false;
  spec->q_len -= spec->q_len / 2;
  spec->k_len -= spec->k_len / 2;
  return true;
}

/* Sampled rows: all of them where those are few; else fewer. */
static bool rows(rpp_spec *spec, int step) {
  if (spec->rows == 0) return false;
  if (step > 0) return smaller(&spec->rows, step); /* the first of which is 1 */
  if (spec->q_len <= 64) spec->rows = 0;
  return true;
}

static bool head_width(rpp_spec *spec, int step) {
  static const int64_t widths[] = {2, 4, 6, 8, 16, 32, 64, 128};
  const int count = sizeof widths / sizeof *widths;
  if (step == count) spec->head_dim -= spec->head_dim / 4 * 2;
  if (step == count + 1 && spec->head_dim > 2) spec->head_dim -= 2;
  if (step < count && widths[step] < spec->head_dim) spec->head_dim = widths[step];
  return step <= count + 1;
}

/* Columns that are not rotated stay: alone, or without them, it may not fail. */
static bool is_partial(const rpp_spec *spec) {
  return spec->attention.rotary.rotary_dim < spec->head_dim - 1;
}

static bool rotary_width(rpp_spec *spec, int step) {
  static const int64_t widths[] = {2, 4, 6, 8, 16, 32, 64};
  int64_t *width = &spec->attention.rotary.rotary_dim;
  if (step >= (int)(sizeof widths / sizeof *widths)) return false;
  if (widths[step] < *width && is_partial(spec)) *width = widths[step];
  return true;
}

/* Both at once, an even and an odd count of pairs: what is left of one alone may all be rotated. */
static bool widths(rpp_spec *spec, int step) {
  static const int64_t both[][2] = {{4, 2}, {6, 4}, {8, 4}, {8, 6}, {16, 8}, {16, 14}, {64, 32}, {64, 62}};
  if (step >= (int)(sizeof both / sizeof *both)) return false;
  if (is_partial(spec) && both[step][0] < spec->head_dim && both[step][1] <= spec->attention.rotary.rotary_dim)
    spec->head_dim = both[step][0], spec->attention.rotary.rotary_dim = both[step][1];
  return true;
}

/* ---- Heads ---------------------------------------------------------------------------------------------------------------- */

/* Projected counts, simplest first: fewer queries heads, and among as many, a KV head for each. */
static const int64_t head_counts[][2] = {{1, 1}, {2, 2}, {2, 1}, {3, 3}, {3, 1}, {4, 4}, {4, 2}, {4, 1}, {6, 3}, {6, 2}};

static void set_heads(rpp_spec *spec, int64_t projected, int64_t kv) {
  const int64_t nominal = spec->attention.mode == RPP_MODE_EH ? 2 : 1;
  spec->attention.heads = nominal * projected;
  spec->attention.kv_heads = nominal * kv;
}

static bool heads(rpp_spec *spec, int step) {
  const int64_t nominal = spec->attention.mode == RPP_MODE_EH ? 2 : 1, p = spec->attention.heads / nominal,
                k = spec->attention.kv_heads / nominal;
  const int count = sizeof head_counts / sizeof *head_counts;
  if (step == count && p % 2 == 0 && k % 2 == 0) set_heads(spec, p / 2, k / 2);
  if (step == count + 1 && k > 1) set_heads(spec, p / k, 1);
  if (step == count + 2 && k > 1) set_heads(spec, p - p / k, k - 1);
  if (step < count && (head_counts[step][0] < p || (head_counts[step][0] == p && head_counts[step][1] > k)))
    set_heads(spec, head_counts[step][0], head_counts[step][1]);
  return step <= count + 2;
}

/* ---- Everything else ------------------------------------------------------------------------------------------------------ */

/* The kernel's dtype stays, and so does what has moves of its own and a default that is not the simplest. */
static bool has_simple_default(const rpp_spec_key *key) {
  static const char *const others[] = {"h", "kv", "lq", "lk", "d", "dtype", "seed", "rows"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(key->name, others[i]) == 0) return false;
  return true;
}

/* One key after the other at its default; numbers that follow from others after those. */
static bool defaults(rpp_spec *spec, int step) {
  if (rpp_spec_keys[step].name == NULL) return false;
  if (has_simple_default(&rpp_spec_keys[step])) rpp_spec_key_default(&rpp_spec_keys[step], spec);
  return true;
}

static bool family(rpp_spec *spec, int step) {
  if (step == 0 && spec->family > RPP_FAMILY_UNIFORM) spec->family = RPP_FAMILY_UNIFORM;
  return step == 0;
}

static bool mask(rpp_spec *spec, int step) {
  if (step == 0 && spec->attention.mask == RPP_MASK_WINDOW) spec->attention.mask = RPP_MASK_FULL, spec->attention.window = 0;
  return step == 0;
}

/* The corner at which a causal mask starts. */
static bool offset(rpp_spec *spec, int step) {
  if (step == 0 && spec->attention.causal_offset != spec->k_len - spec->q_len) spec->attention.causal_offset = 0;
  return step == 0;
}

/* Far apart or not: whether it fails where elements lie close together, first of all. */
static bool closer(rpp_spec *spec, int step) {
  static const rpp_layout layouts[] = {RPP_LAYOUT_CONTIGUOUS, RPP_LAYOUT_PADDED};
  if (spec->layout != RPP_LAYOUT_SPARSE || step > 1) return false;
  spec->layout = layouts[step];
  return true;
}

/* Straight to a smallest case with everything at its default but the mode, the dtype, the pairing, the mask, the seed and
 * what closer could not change: most faults show there, and the rest of the table then has little to do. */
static bool smallest(rpp_spec *spec, int step) {
  static const struct {
    int64_t projected, kv, q_len, k_len, head_dim;
  } cases[] = {{1, 1, 1, 2, 2}, {1, 1, 2, 2, 4}, {2, 2, 1, 2, 2}, {2, 2, 2, 2, 4}, {2, 1, 2, 4, 4}};
  if (step >= (int)(sizeof cases / sizeof *cases)) return false;
  rpp_spec made = rpp_spec_default(spec->attention.mode);
  set_heads(&made, cases[step].projected, cases[step].kv);
  made.q_len = cases[step].q_len, made.k_len = cases[step].k_len, made.head_dim = cases[step].head_dim;
  made.dtype = spec->dtype;
  made.seed = spec->seed;
  if (spec->layout == RPP_LAYOUT_SPARSE) made.layout = RPP_LAYOUT_SPARSE;
  made.attention.rotary.pairing = spec->attention.rotary.pairing;
  made.attention.mask = spec->attention.mask;
  made.attention.window = spec->attention.window < 2 ? spec->attention.window : 2;
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++)
    if (key->derive != NULL && has_simple_default(key)) key->derive(&made);
  if (made.q_len > spec->q_len || made.k_len > spec->k_len || made.head_dim > spec->head_dim ||
      made.attention.heads > spec->attention.heads)
    return true;
  if (made.q_len + made.k_len + made.head_dim + made.attention.heads <
      spec->q_len + spec->k_len + spec->head_dim + spec->attention.heads)
    *spec = made;
  return true;
}

/* Before lengths and positions: of q and k at one position, both raw, no fault of their angles shows. */
static bool inputs(rpp_spec *spec, int step) {
  rpp_inputs_set(0, &spec->attention);
  return step == 0;
}

const rpp_shrink_move rpp_shrink_moves[] = {
    {"closer", closer, false},
    {"smallest", smallest, true},
    {"inputs", inputs, false},
    {"rows", rows, false},
    {"lengths", lengths, true},
    {"keys", keys, true},
    {"queries", queries, true},
    {"batch", batch, false},
    {"heads", heads, true},
    {"head width", head_width, true},
    {"widths", widths, true},
    {"defaults", defaults, false},
    {"value width", value_width, false},
    {"rotary width", rotary_width, false},
    {"packed", packed, false},
    {"family", family, false},
    {"mask", mask, false},
    {"window", window, false},
    {"offset", offset, false},
    {"reset", reset, false},
    {"position", position, false},
    {0},
};

/* ---- What follows from a move --------------------------------------------------------------------------------------------- */

static bool same_value(const rpp_spec_key *key, const rpp_spec *a, const rpp_spec *b) {
  char text_a[RPP_PRINT_TEXT], text_b[RPP_PRINT_TEXT];
  rpp_spec_key_print(key, a, text_a);
  rpp_spec_key_print(key, b, text_b);
  return strcmp(text_a, text_b) == 0;
}

static bool at_default(const rpp_spec_key *key, const rpp_spec *spec) {
  rpp_spec standard = *spec;
  key->derive(&standard);
  return same_value(key, spec, &standard);
}

bool rpp_shrink_move_apply(const rpp_shrink_move *move, int step, rpp_spec *spec) {
  const rpp_spec before = *spec;
  if (!move->apply(spec, step)) return false;
  if (memcmp(&before, spec, sizeof before) == 0) return true;
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++)
    if (key->derive != NULL && has_simple_default(key) && same_value(key, &before, spec) && at_default(key, &before))
      key->derive(spec);
  if (spec->attention.rotary.rotary_dim > spec->head_dim) spec->attention.rotary.rotary_dim = spec->head_dim - spec->head_dim % 2;
  if (spec->rows >= spec->q_len) spec->rows = 0;
  return true;
}
