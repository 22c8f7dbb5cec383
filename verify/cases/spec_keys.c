#include "cases/spec_keys.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "program/parse.h"
#include "program/print.h"

const rpp_name rpp_names_layout[] = {{"contiguous", RPP_LAYOUT_CONTIGUOUS},
                                     {"head-major", RPP_LAYOUT_HEAD_MAJOR},
                                     {"padded", RPP_LAYOUT_PADDED},
                                     {"fused", RPP_LAYOUT_FUSED},
                                     {"sliced", RPP_LAYOUT_SLICED},
                                     {"sparse", RPP_LAYOUT_SPARSE},
                                     {NULL, 0}};

const rpp_name rpp_names_family[] = {
    {"normal", RPP_FAMILY_NORMAL},       {"uniform", RPP_FAMILY_UNIFORM},       {"large-logits", RPP_FAMILY_LARGE_LOGITS},
    {"needle", RPP_FAMILY_NEEDLE},       {"negative", RPP_FAMILY_NEGATIVE},     {"drift", RPP_FAMILY_DRIFT},
    {"outliers", RPP_FAMILY_OUTLIERS},   {"constant-v", RPP_FAMILY_CONSTANT_V}, {"one-hot-v", RPP_FAMILY_ONE_HOT_V},
    {"one-hot-k", RPP_FAMILY_ONE_HOT_K}, {"subnormal", RPP_FAMILY_SUBNORMAL},   {"near-max", RPP_FAMILY_NEAR_MAX},
    {"repeated", RPP_FAMILY_REPEATED},   {"large-mean", RPP_FAMILY_LARGE_MEAN}, {NULL, 0}};

/* Fields are reached by offset: an enumerator as an int of its size. */
_Static_assert(sizeof(rpp_pairing) == sizeof(int) && sizeof(rpp_family) == sizeof(int) && sizeof(rpp_dtype) == sizeof(int),
               "enumerators are of int's size");

/* ---- Defaults that follow from other keys -------------------------------------------------------------------------------- */

static void derive_kv(rpp_spec *spec) {
  spec->attention.kv_heads = spec->attention.heads;
}
static void derive_lk(rpp_spec *spec) {
  spec->k_len = spec->q_len;
}
static void derive_dv(rpp_spec *spec) {
  spec->v_dim = spec->head_dim;
}
static void derive_rotary(rpp_spec *spec) {
  spec->attention.rotary.rotary_dim = spec->head_dim - spec->head_dim % 2;
}
static void derive_offset(rpp_spec *spec) {
  spec->attention.causal_offset = spec->packed > 0 ? 0 : spec->k_len - spec->q_len;
}
static void derive_scale(rpp_spec *spec) {
  spec->attention.scale = 1 / sqrt((double)spec->head_dim);
}

/* ---- The table ----------------------------------------------------------------------------------------------------------- */

#define LENGTH ((int64_t)INT32_MAX)
#define AT(field) offsetof(rpp_spec, field)
#define INTEGER(field, least, most) RPP_KEY_INTEGER, AT(field), NULL, least, most
#define NUMBER(field) RPP_KEY_NUMBER, AT(field), NULL, 0, 0
#define FLAG(field) RPP_KEY_FLAG, AT(field), NULL, 0, 0
#define NAME(field, names) RPP_KEY_NAME, AT(field), names, 0, 0
#define OTHER(kind) kind, 0, NULL, 0, 0

/* One key, one entry. */
const rpp_spec_key rpp_spec_keys[] = {
    {"h", "query heads, nominal", "2", NULL, INTEGER(attention.heads, 1, 1024), true},
    {"kv", "KV heads, nominal", "h", derive_kv, INTEGER(attention.kv_heads, 1, 1024), true},
    {"b", "batch", "1", NULL, INTEGER(batch, 1, 4096), false},
    {"lq", "queries of a sequence", "16", NULL, INTEGER(q_len, 0, LENGTH), true},
    {"lk", "keys of a sequence", "lq", derive_lk, INTEGER(k_len, 0, LENGTH), true},
    {"d", "head width", "64", NULL, INTEGER(head_dim, 2, 4096), true},
    {"dv", "value width", "d", derive_dv, INTEGER(v_dim, 1, 4096), false},
    {"rotary", "rotary width, even", "d, or d - 1", derive_rotary, INTEGER(attention.rotary.rotary_dim, 2, 4096), false},
    {"dtype", "of q, k and v", "f32", NULL, NAME(dtype, rpp_names_dtype), false},
    {"pairing", "columns of a pair", "interleaved", NULL, NAME(attention.rotary.pairing, rpp_names_pairing), false},
    {"base", "of the frequencies", "10000", NULL, NUMBER(attention.rotary.base), false},
    {"scaling", "of the frequencies", "none", NULL, OTHER(RPP_KEY_SCALING), false},
    {"angles", "angle model", "exact", NULL, NAME(attention.rotary.angles, rpp_names_angles), false},
    {"packed", "sequences packed into one; 0: not packed", "0", NULL, INTEGER(packed, 0, 4096), false},
    {"mask", "visible keys", "causal", NULL, OTHER(RPP_KEY_MASK), false},
    {"offset", "query i sees keys to i + offset", "lk - lq, or 0 when packed", derive_offset,
     INTEGER(attention.causal_offset, INT64_MIN, INT64_MAX), false},
    {"scale", "softmax scale", "d^-1/2", derive_scale, NUMBER(attention.scale), false},
    {"inputs", "q and k before rotation, after it, or k alone after it", "raw", NULL, OTHER(RPP_KEY_INPUTS), false},
    {"position", "of the first key", "0", NULL, INTEGER(position, -1000000000, 1000000000), false},
    {"reset", "tokens after which positions restart at 0; 0: never", "0", NULL, INTEGER(reset, 0, LENGTH), false},
    {"batched", "positions differ between the batch's sequences", "0", NULL, FLAG(batched_positions), false},
    {"layout", "of tensors in memory", "contiguous", NULL, NAME(layout, rpp_names_layout), false},
    {"family", "how values are drawn", "normal", NULL, NAME(family, rpp_names_family), false},
    {"inplace", "rotation overwrites its input", "0", NULL, FLAG(in_place), false},
    {"rows", "query rows checked, drawn from the seed; 0: all", "0", NULL, INTEGER(rows, 0, LENGTH), false},
    {"seed", "of the values", "0", NULL, RPP_KEY_SEED, AT(seed), NULL, 0, 0, true},
    {0},
};

_Static_assert(sizeof rpp_spec_keys / sizeof *rpp_spec_keys + 1 <= RPP_SPEC_KEYS, "room for every key, mode and a null");

const rpp_spec_key *rpp_spec_key_find(const char *name) {
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++)
    if (strcmp(name, key->name) == 0) return key;
  return NULL;
}

/* ---- By kind ------------------------------------------------------------------------------------------------------------- */

static size_t field_size(rpp_spec_kind kind) {
  switch (kind) {
  case RPP_KEY_INTEGER:
  case RPP_KEY_SEED:
  case RPP_KEY_NUMBER:
    return 8;
  case RPP_KEY_FLAG:
    return sizeof(bool);
  case RPP_KEY_NAME:
    return sizeof(int);
  default:
    return 0; /* more than one field */
  }
}

void rpp_spec_key_copy(const rpp_spec_key *key, const rpp_spec *from, rpp_spec *to) {
  rpp_attention *a = &to->attention;
  memcpy((char *)to + key->offset, (const char *)from + key->offset, field_size(key->kind));
  if (key->kind == RPP_KEY_MASK) a->mask = from->attention.mask, a->window = from->attention.window;
  if (key->kind == RPP_KEY_SCALING) a->rotary.scaling = from->attention.rotary.scaling;
  if (key->kind == RPP_KEY_INPUTS) a->q_rotated = from->attention.q_rotated, a->k_rotated = from->attention.k_rotated;
}

bool rpp_spec_key_same(const rpp_spec_key *key, const rpp_spec *a, const rpp_spec *b) {
  const rpp_attention *x = &a->attention, *y = &b->attention;
  const rpp_scaling *s = &x->rotary.scaling, *t = &y->rotary.scaling;
  switch (key->kind) {
  case RPP_KEY_MASK:
    return x->mask == y->mask && x->window == y->window;
  case RPP_KEY_SCALING:
    return s->kind == t->kind && s->factor == t->factor && s->orig == t->orig && s->low == t->low && s->high == t->high;
  case RPP_KEY_INPUTS:
    return x->q_rotated == y->q_rotated && x->k_rotated == y->k_rotated;
  default:
    return memcmp((const char *)a + key->offset, (const char *)b + key->offset, field_size(key->kind)) == 0;
  }
}

static bool parse_value(const rpp_spec_key *key, const char *text, rpp_spec *spec, rpp_message *error) {
  rpp_attention *a = &spec->attention;
  char *field = (char *)spec + key->offset;
  int64_t integer = 0;
  int name = 0;
  double number = 0;
  switch (key->kind) {
  case RPP_KEY_INTEGER:
    if (!rpp_parse_integer(key->name, text, key->least, &integer, error)) return false;
    memcpy(field, &integer, sizeof integer);
    return true;
  case RPP_KEY_SEED:
    return rpp_parse_unsigned(key->name, text, (uint64_t *)(void *)field, error);
  case RPP_KEY_NUMBER:
    if (!rpp_parse_number(key->name, text, &number, error)) return false;
    memcpy(field, &number, sizeof number);
    return true;
  case RPP_KEY_FLAG:
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
      return rpp_message_set(error, "%s = %.80s: must be 0 or 1", key->name, text);
    *(bool *)(void *)field = *text == '1';
    return true;
  case RPP_KEY_NAME:
    if (!rpp_parse_name(key->name, text, key->names, &name, error)) return false;
    memcpy(field, &name, sizeof name);
    return true;
  case RPP_KEY_MASK:
    return rpp_parse_mask(key->name, text, &a->mask, &a->window, error);
  case RPP_KEY_SCALING:
    return rpp_parse_scaling(key->name, text, &a->rotary.scaling, error);
  case RPP_KEY_INPUTS:
    if (!rpp_parse_name(key->name, text, rpp_names_inputs, &name, error)) return false;
    rpp_inputs_set(name, a);
    return true;
  }
  return false;
}

bool rpp_spec_key_parse(const rpp_spec_key *key, const char *text, rpp_spec *spec, rpp_message *error) {
  return parse_value(key, text, spec, error) && rpp_spec_key_check(key, spec, error);
}

void rpp_spec_key_print(const rpp_spec_key *key, const rpp_spec *spec, char *text) {
  const rpp_attention *a = &spec->attention;
  const char *field = (const char *)spec + key->offset;
  int64_t integer = 0;
  uint64_t seed = 0;
  double number = 0;
  int name = 0;
  switch (key->kind) {
  case RPP_KEY_INTEGER:
    memcpy(&integer, field, sizeof integer);
    snprintf(text, RPP_PRINT_TEXT, "%" PRId64, integer);
    return;
  case RPP_KEY_SEED:
    memcpy(&seed, field, sizeof seed);
    snprintf(text, RPP_PRINT_TEXT, "%" PRIu64, seed);
    return;
  case RPP_KEY_NUMBER:
    memcpy(&number, field, sizeof number);
    rpp_print_number(number, text);
    return;
  case RPP_KEY_FLAG:
    strcpy(text, *(const bool *)(const void *)field ? "1" : "0");
    return;
  case RPP_KEY_NAME:
    memcpy(&name, field, sizeof name);
    snprintf(text, RPP_PRINT_TEXT, "%s", rpp_names_get(key->names, name));
    return;
  case RPP_KEY_MASK:
    rpp_print_mask(a->mask, a->window, text);
    return;
  case RPP_KEY_SCALING:
    rpp_print_scaling(&a->rotary.scaling, text);
    return;
  case RPP_KEY_INPUTS:
    snprintf(text, RPP_PRINT_TEXT, "%s", rpp_names_get(rpp_names_inputs, rpp_inputs_of(a)));
    return;
  }
}

void rpp_spec_key_default(const rpp_spec_key *key, rpp_spec *spec) {
  rpp_message error;
  if (key->derive != NULL)
    key->derive(spec);
  else
    parse_value(key, key->standard, spec, &error);
}

const rpp_name *rpp_spec_key_names(const rpp_spec_key *key, const rpp_spec *spec, int *value) {
  switch (key->kind) {
  case RPP_KEY_NAME:
    memcpy(value, (const char *)spec + key->offset, sizeof *value);
    return key->names;
  case RPP_KEY_MASK:
    *value = (int)spec->attention.mask;
    return rpp_names_mask;
  case RPP_KEY_SCALING:
    *value = (int)spec->attention.rotary.scaling.kind;
    return rpp_names_scaling;
  case RPP_KEY_INPUTS:
    *value = rpp_inputs_of(&spec->attention);
    return rpp_names_inputs;
  default:
    return NULL;
  }
}

bool rpp_spec_key_check(const rpp_spec_key *key, const rpp_spec *spec, rpp_message *error) {
  int name = 0;
  const rpp_name *names = rpp_spec_key_names(key, spec, &name);
  if (names != NULL && strcmp(rpp_names_get(names, name), "?") == 0)
    return rpp_message_set(error, "%s = %d: unknown", key->name, name);
  if (key->kind != RPP_KEY_INTEGER) return true;
  int64_t value;
  memcpy(&value, (const char *)spec + key->offset, sizeof value);
  return (value >= key->least && value <= key->most) ||
         rpp_message_set(error, "%s = %" PRId64 ": must be from %" PRId64 " to %" PRId64, key->name, value, key->least, key->most);
}
