/* spec_draw.c: which cases a campaign runs. A draft is drawn whole and thrown away when it is unsound or too much work, so every
 * part is drawn for itself, as often as it should be seen; parts that hang together (h and kv, d and rotary) are drawn to fit
 * what is fixed. */
#include "cases/spec.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "cases/spec_keys.h"

typedef struct {
  rpp_random random;
  rpp_spec spec;
  const char *const *fixed;      /* null: none */
  bool long_case, of_many_tiles; /* the second: in queries or in keys, not in both */
} draft;

static int64_t integer(draft *c, int64_t low, int64_t high) {
  return rpp_random_integer(&c->random, low, high);
}

/* True once in n times. */
static bool once_in(draft *c, int64_t n) {
  return integer(c, 1, n) == 1;
}

#define PICK(c, array) ((array)[integer(c, 0, (int64_t)(sizeof(array) / sizeof *(array)) - 1)])

static bool is_free(const draft *c, const char *name) {
  for (const char *const *key = c->fixed; key != NULL && *key != NULL; key++)
    if (strcmp(*key, name) == 0) return false;
  return true;
}

/* ---- Sizes --------------------------------------------------------------------------------------------------------------- */

static void draw_heads(draft *c) {
  static const int64_t ratios[] = {1, 1, 1, 2, 2, 2, 3, 4, 4, 5, 7, 8, 16}, counts[] = {1, 1, 1, 1, 2, 2, 2, 3, 4, 9, 16};
  rpp_attention *a = &c->spec.attention;
  if (is_free(c, "mode")) a->mode = (rpp_mode)integer(c, RPP_MODE_ROPE, RPP_MODE_EH);
  const int64_t ratio = PICK(c, ratios), unit = a->mode == RPP_MODE_EH ? 2 : 1;
  if (is_free(c, "kv")) {
    a->kv_heads = unit * PICK(c, counts);
    if (!is_free(c, "h")) a->kv_heads = a->heads % ratio == 0 ? a->heads / ratio : a->heads;
  }
  if (is_free(c, "h")) a->heads = a->kv_heads * ratio;
}

/* Odd counts of pairs, and both sides of the powers of two, as often as those. */
static void draw_widths(draft *c) {
  static const int64_t small[] = {2, 4, 6, 8, 10, 14, 16, 18, 22, 26, 30, 32}, odd[] = {3, 5, 9, 17, 33, 65, 129};
  static const int64_t large[] = {34,  40,  48,  50,  62,  64,  64,  64,  66,  80,  96,  100, 112, 126,
                                  128, 128, 130, 160, 192, 200, 224, 250, 254, 256, 258, 320, 576};
  static const int64_t values[] = {1, 2, 3, 8, 16, 31, 32, 48, 64, 65, 128, 256};
  rpp_spec *s = &c->spec;
  int64_t *rotary = &s->attention.rotary.rotary_dim;
  if (is_free(c, "d")) {
    s->head_dim = once_in(c, 2) ? PICK(c, small) : PICK(c, large);
    if (once_in(c, 40)) s->head_dim = PICK(c, odd);
    if (!is_free(c, "rotary") && s->head_dim < *rotary) s->head_dim = *rotary;
  }
  if (is_free(c, "rotary")) {
    *rotary = s->head_dim - s->head_dim % 2;
    if (once_in(c, 6)) *rotary = once_in(c, 2) && *rotary >= 8 ? *rotary / 8 * 2 : 2 * integer(c, 1, *rotary / 2);
  }
  if (is_free(c, "dv")) s->v_dim = once_in(c, 5) ? PICK(c, values) : s->head_dim;
}

static int64_t draw_length(draft *c) {
  switch (integer(c, 0, 19)) {
  case 0:
    return 0;
  case 1:
  case 2:
    return 1;
  case 3:
  case 4:
  case 5:
  case 6:
  case 7:
  case 8:
    return integer(c, 2, 24);
  default: { /* at the edges of tiles */
    const int64_t tile = (int64_t)8 << integer(c, 0, 4), tiles = integer(c, 1, tile <= 32 ? 4 : 2);
    return tile * tiles + integer(c, -1, 1);
  }
  }
}

static void draw_lengths(draft *c) {
  static const int64_t longest[] = {8191, 8192, 8193, 16385, 32768, 33728, 65536, 65537, 131071, 131072, 131072, 131072};
  rpp_spec *s = &c->spec;
  if (is_free(c, "b")) {
    s->batch = once_in(c, 4) && !c->long_case ? integer(c, 2, 4) : 1;
    if (s->batch > 1 && once_in(c, 4)) s->batch = integer(c, 5, 9);
  }
  const bool many_keys = c->of_many_tiles && once_in(c, 2);
  const int64_t length = c->long_case ? PICK(c, longest) : many_keys ? integer(c, 258, 4100) : draw_length(c);
  if (is_free(c, "lk")) s->k_len = length;
  if (!is_free(c, "lq")) return;
  if (c->of_many_tiles) {
    s->q_len = many_keys ? integer(c, 1, 8) : integer(c, 258, 2100);
    return;
  }
  if (c->long_case) {
    s->q_len = integer(c, 1, 8);
    return;
  }
  switch (integer(c, 0, 9)) {
  case 0:
  case 1:
    s->q_len = 1; /* decode */
    return;
  case 2:
  case 3:
    s->q_len = draw_length(c);
    return;
  case 4:
    s->q_len = s->k_len + (integer(c, 1, 40));
    return;
  case 5:
    s->q_len = integer(c, 0, s->k_len);
    return;
  default:
    s->q_len = s->k_len;
  }
}

/* ---- What is computed ---------------------------------------------------------------------------------------------------- */

static rpp_scaling draw_scaling(draft *c) {
  static const double factors[] = {1, 1.5, 2, 4, 8};
  static const rpp_scaling ramps[] = {{RPP_SCALING_YARN, 32, 4096, 0, 0},    {RPP_SCALING_YARN, 4, 64, 0, 0},
                                      {RPP_SCALING_YARN_HF, 32, 4096, 0, 0}, {RPP_SCALING_YARN_HF, 4, 64, 0, 0},
                                      {RPP_SCALING_LLAMA3, 8, 8192, 1, 4},   {RPP_SCALING_LLAMA3, 4, 256, 1, 4},
                                      {RPP_SCALING_LLAMA3, 4, 256, 2, 5}};
  if (once_in(c, 2)) return (rpp_scaling){.kind = RPP_SCALING_NONE};
  if (once_in(c, 2)) return PICK(c, ramps);
  const rpp_scaling_kind kind = (rpp_scaling_kind)integer(c, RPP_SCALING_LINEAR, RPP_SCALING_NTK_AWARE);
  return (rpp_scaling){.kind = kind, .factor = PICK(c, factors)};
}

static void draw_rotation(draft *c) {
  static const double bases[] = {10000, 10000, 10000, 500000, 500000, 100, 1000000};
  rpp_rotary *r = &c->spec.attention.rotary;
  if (is_free(c, "pairing")) r->pairing = once_in(c, 2) ? RPP_PAIRING_HALF : RPP_PAIRING_INTERLEAVED;
  if (is_free(c, "base")) r->base = PICK(c, bases);
  if (is_free(c, "scaling")) r->scaling = draw_scaling(c);
  if (is_free(c, "angles")) r->angles = once_in(c, 4) ? RPP_ANGLES_HF_F32 : RPP_ANGLES_EXACT;
  const bool k_rotated = once_in(c, 4), q_rotated = k_rotated && !once_in(c, 3); /* a cache holds rotated keys, and q comes raw */
  if (is_free(c, "inputs")) c->spec.attention.q_rotated = q_rotated, c->spec.attention.k_rotated = k_rotated;
}

#define PAST_INT32 (((int64_t)1 << 32) + 1) /* for numbers that are kept in 32 bits, which are 1 there */

static int64_t draw_window(draft *c) {
  if (once_in(c, 16)) return PAST_INT32;
  switch (integer(c, 0, 3)) {
  case 0:
    return integer(c, 1, 4);
  case 1:
    return ((int64_t)8 << integer(c, 0, 4)) + integer(c, -1, 1);
  default:
    return integer(c, 1, c->spec.k_len > 1 ? c->spec.k_len : 2);
  }
}

#define HUGE_SCALE 1e6 /* makes scores whose last place is worth whole powers of e, where the family has large ones */

static void draw_mask(draft *c) {
  rpp_spec *s = &c->spec;
  rpp_attention *a = &s->attention;
  static const rpp_mask masks[] = {RPP_MASK_CAUSAL, RPP_MASK_CAUSAL, RPP_MASK_FULL, RPP_MASK_WINDOW};
  if (is_free(c, "packed")) {
    s->packed = once_in(c, 6) && !c->long_case ? integer(c, 1, 6) : 0;
    if (s->packed > 1 && once_in(c, 4)) s->packed = integer(c, 7, 40);
  }
  if (is_free(c, "mask")) {
    a->mask = PICK(c, masks);
    a->window = a->mask == RPP_MASK_WINDOW ? draw_window(c) : 0;
  }
  if (is_free(c, "scale")) {
    rpp_spec_key_default(rpp_spec_key_find("scale"), s);
    if (once_in(c, 8)) {
      const int64_t sixteenths = integer(c, 1, 32);
      a->scale = sixteenths > 24 ? HUGE_SCALE : (double)sixteenths / 16;
    }
    if (once_in(c, 30)) a->scale = once_in(c, 4) ? 0 : -a->scale;
  }
  if (!is_free(c, "offset")) return;
  rpp_spec_key_default(rpp_spec_key_find("offset"), s); /* aligned at the last query and key */
  if (once_in(c, 3)) a->causal_offset = 0;              /* at the first ones */
  if (once_in(c, 6)) a->causal_offset = integer(c, -s->q_len - 2, s->k_len + 2);
  if (once_in(c, 50)) a->causal_offset = once_in(c, 2) ? PAST_INT32 : -PAST_INT32;
}

/* ---- On what ------------------------------------------------------------------------------------------------------------- */

static int64_t draw_position(draft *c) {
  static const int64_t known[] = {1,       1857,    4095,     32767,     65535, 131071,
                                  999999, /* where kernels have failed, or may */
                                  1000000, 2097151, 16777215, 999000000, -7,    -100000};
  if (once_in(c, 2)) return 0;
  return once_in(c, 2) ? PICK(c, known) : integer(c, 0, 5000);
}

static void draw_data(draft *c) {
  static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F32, RPP_F32, RPP_F16, RPP_F16, RPP_BF16, RPP_BF16};
  rpp_spec *s = &c->spec;
  const int64_t longest = s->k_len > s->q_len ? s->k_len : s->q_len, position = draw_position(c);
  if (is_free(c, "dtype")) s->dtype = PICK(c, dtypes);
  if (is_free(c, "position")) s->position = position > longest && once_in(c, 2) ? position - longest + 1 : position;
  if (is_free(c, "reset")) s->reset = once_in(c, 8) ? integer(c, 1, longest > 1 ? longest : 2) : 0;
  if (is_free(c, "batched")) s->batched_positions = s->batch > 1 && once_in(c, 2);
  if (is_free(c, "layout")) s->layout = once_in(c, 3) ? RPP_LAYOUT_CONTIGUOUS : (rpp_layout)integer(c, 0, RPP_LAYOUT_SLICED);
  if (is_free(c, "family")) s->family = once_in(c, 2) ? RPP_FAMILY_NORMAL : (rpp_family)integer(c, 1, RPP_FAMILIES - 1);
  if (is_free(c, "family") && is_free(c, "scale") && fabs(s->attention.scale) == HUGE_SCALE)
    s->family = s->family == RPP_FAMILY_NORMAL ? RPP_FAMILY_LARGE_LOGITS : RPP_FAMILY_NEAR_MAX;
  if (is_free(c, "inplace")) s->in_place = once_in(c, 6);
  const uint64_t seed = rpp_random_bits(&c->random) >> 32;
  if (is_free(c, "seed")) s->seed = seed;
}

/* ---- How much work ------------------------------------------------------------------------------------------------------- */

/* Products of a naive kernel, the mask aside, and what it costs to draw and rotate the tensors. */
static double work(const rpp_spec *spec) {
  const double heads = (double)spec->attention.heads * (spec->attention.mode == RPP_MODE_EC ? 2 : 1);
  const double kv_heads = (double)spec->attention.kv_heads, q_len = (double)spec->q_len, k_len = (double)spec->k_len;
  return (double)spec->batch * (double)(spec->head_dim + spec->v_dim) *
         (heads * q_len * k_len + 4 * (heads * q_len + kv_heads * k_len));
}

enum { SMALL_WORK = 200000, LARGER_WORK = 2000000, LARGEST_WORK = 20000000, LONG_WORK = 100000000, SAMPLED_WORK = 1000000 };

/* Few rows of a large case are checked, and now and then of a small one. */
static void draw_rows(draft *c) {
  rpp_spec *s = &c->spec;
  const int64_t rows = integer(c, 1, 12);
  const bool sampled = work(s) > SAMPLED_WORK || once_in(c, 20);
  if (is_free(c, "rows")) s->rows = sampled ? c->long_case && rows > 2 ? 2 : rows : 0;
  if (is_free(c, "rows") && s->rows > s->q_len) s->rows = s->q_len;
}

static void draw_all(draft *c) {
  draw_heads(c);
  draw_widths(c);
  draw_lengths(c);
  draw_rotation(c);
  draw_mask(c);
  draw_data(c);
  draw_rows(c);
}

rpp_spec rpp_spec_draw(uint64_t seed, uint64_t index, const rpp_spec *base, const char *const *fixed) {
  enum { DRAFTS = 400, AFFORDABLE = 300 }; /* of the last 100, fixed keys having made them large, any amount of work will do */
  draft c = {.random = rpp_random_make(seed, index), .fixed = base != NULL ? fixed : NULL};
  const int64_t lot = integer(&c, 0, 399);
  c.long_case = lot <= 1, c.of_many_tiles = lot > 16 && lot <= 28;
  const bool sparse = lot >= 384 && is_free(&c, "layout"); /* small cases; no draw, so that others are as if there were none */
  const double limit = c.long_case ? LONG_WORK : lot <= 16 ? LARGEST_WORK : lot <= 130 ? LARGER_WORK : SMALL_WORK;
  rpp_spec start = rpp_spec_default(RPP_MODE_ROPE);
  if (c.fixed != NULL && !is_free(&c, "mode")) start.attention.mode = base->attention.mode;
  for (const rpp_spec_key *key = rpp_spec_keys; c.fixed != NULL && key->name != NULL; key++)
    if (!is_free(&c, key->name)) rpp_spec_key_copy(key, base, &start);

  rpp_message error;
  for (int drafts = 0; drafts < DRAFTS; drafts++) {
    c.spec = start;
    draw_all(&c);
    if (sparse && work(&c.spec) <= SMALL_WORK) c.spec.layout = RPP_LAYOUT_SPARSE;
    if (rpp_spec_check(&c.spec, &error) && (drafts >= AFFORDABLE || work(&c.spec) <= limit)) return c.spec;
  }
  /* Keys that only fit their neighbours' defaults. */
  c.spec = start;
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++)
    if (is_free(&c, key->name)) rpp_spec_key_default(key, &c.spec);
  return c.spec;
}
