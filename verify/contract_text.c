#include "contract_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "program/parse.h"

static const rpp_name names_rotate[] = {{"once", 0}, {"each", 1}, {NULL, 0}};
static const rpp_name names_sums[] = {{"f64", RPP_SUMS_F64}, {"f32", RPP_SUMS_F32}, {"tc", RPP_SUMS_TENSOR_CORE}, {NULL, 0}};
static const rpp_name names_angle_error[] = {
    {"none", RPP_ANGLES_AS_MODELLED}, {"f32", RPP_ANGLES_F32_PRODUCT}, {"f64", RPP_ANGLES_F64_PRODUCT}, {NULL, 0}};
static const rpp_name names_flag[] = {{"0", 0}, {"1", 1}, {NULL, 0}};

/* Fields are reached by offset: an enumerator as an int of its size. */
_Static_assert(sizeof(rpp_dtype) == sizeof(int) && sizeof(rpp_sums) == sizeof(int) && sizeof(rpp_angle_model) == sizeof(int) &&
                   sizeof(rpp_angle_error) == sizeof(int),
               "enumerators are of int's size");

typedef enum { ENUMERATOR = 0, FLAG, COUNT } kind;

#define AT(field) offsetof(rpp_contract, field)

/* In the order of the computation, in which they are printed. */
static const struct {
  const char *name;
  kind kind;
  size_t offset;
  const rpp_name *names; /* null for a count */
} keys[] = {
    {"rotated", ENUMERATOR, AT(rotated), rpp_names_dtype},
    {"rotate", FLAG, AT(rotate_each), names_rotate},
    {"v", ENUMERATOR, AT(value), rpp_names_dtype},
    {"p", ENUMERATOR, AT(probability), rpp_names_dtype},
    {"acc", ENUMERATOR, AT(sums), names_sums},
    {"depth", COUNT, AT(sum_depth), NULL},
    {"tile", COUNT, AT(key_tile), NULL},
    {"splits", COUNT, AT(max_splits), NULL},
    {"out", ENUMERATOR, AT(output), rpp_names_dtype},
    {"lse", ENUMERATOR, AT(lse), rpp_names_dtype},
    {"angles", ENUMERATOR, AT(angles), rpp_names_angles},
    {"angle-error", ENUMERATOR, AT(angle_error), names_angle_error},
    {"deterministic", FLAG, AT(deterministic), names_flag},
};
enum { KEYS = sizeof keys / sizeof *keys, ITEM = 64 };

static rpp_angle_error usual_error(rpp_angle_model angles) {
  return angles == RPP_ANGLES_EXACT ? RPP_ANGLES_F64_PRODUCT : RPP_ANGLES_AS_MODELLED;
}

rpp_contract rpp_contract_default(rpp_dtype dtype) {
  const rpp_dtype wide = dtype == RPP_F64 ? RPP_F64 : RPP_F32;
  return (rpp_contract){.input = dtype,
                        .rotated = dtype,
                        .value = dtype,
                        .probability = dtype,
                        .output = dtype,
                        .lse = wide,
                        .sums = dtype == RPP_F64   ? RPP_SUMS_F64
                                : dtype == RPP_F32 ? RPP_SUMS_F32
                                                   : RPP_SUMS_TENSOR_CORE,
                        .sum_depth = 1,
                        .key_tile = 16,
                        .max_splits = 1,
                        .angles = RPP_ANGLES_EXACT,
                        .angle_error = usual_error(RPP_ANGLES_EXACT)};
}

static int find(const char *name) {
  int k = 0;
  while (k < KEYS && strcmp(keys[k].name, name) != 0) k++;
  return k;
}

static bool set(int k, const char *value, rpp_contract *contract, rpp_message *error) {
  char *field = (char *)contract + keys[k].offset;
  int64_t count;
  int name;
  if (keys[k].kind == COUNT) {
    if (!rpp_parse_integer(keys[k].name, value, 1, &count, error)) return false;
    memcpy(field, &count, sizeof count);
    return true;
  }
  if (!rpp_parse_name(keys[k].name, value, keys[k].names, &name, error)) return false;
  if (keys[k].kind == FLAG)
    *(bool *)(void *)field = name != 0;
  else
    memcpy(field, &name, sizeof name);
  return true;
}

/* The dtype that a text begins with. */
static bool begin(const char *word, rpp_contract *contract, rpp_message *error) {
  int dtype;
  if (!rpp_parse_name("dtype", word, rpp_names_dtype, &dtype, error)) return false;
  *contract = rpp_contract_default((rpp_dtype)dtype);
  return true;
}

/* One item, key=value or, first of all, a dtype. given: the keys that were. */
static bool take(char *item, bool first, rpp_contract *contract, bool *given, rpp_message *error) {
  char *equals = strchr(item, '=');
  if (equals == NULL && first) return begin(item, contract, error);
  if (equals == NULL) return rpp_message_set(error, "%s: must be key=value", *item == '\0' ? "an item of nothing" : item);
  *equals = '\0';
  const int k = find(item);
  if (k == KEYS) return rpp_message_set(error, "%s = %s: no such key of a contract", item, equals + 1);
  if (given[k]) return rpp_message_set(error, "%s = %s: %s is given twice", item, equals + 1, item);
  given[k] = true;
  return set(k, equals + 1, contract, error);
}

bool rpp_contract_parse(const char *text, rpp_contract *contract, rpp_message *error) {
  rpp_contract parsed = *contract;
  bool given[KEYS] = {false};
  if (*text == '\0') return rpp_message_set(error, "a contract is expected, such as f32 or bf16,acc=f32");
  for (const char *at = text;;) {
    char item[ITEM];
    const size_t length = strcspn(at, ",");
    if (length >= sizeof item) return rpp_message_set(error, "%.80s: is too long", at);
    memcpy(item, at, length);
    item[length] = '\0';
    if (!take(item, at == text, &parsed, given, error)) return false;
    if (at[length] == '\0') break;
    at += length + 1;
  }
  if (given[find("angles")] && !given[find("angle-error")]) parsed.angle_error = usual_error(parsed.angles);
  *contract = parsed;
  return true;
}

void rpp_contract_print(const rpp_contract *contract, char *text) {
  size_t used = (size_t)snprintf(text, RPP_CONTRACT_TEXT, "%s", rpp_names_get(rpp_names_dtype, (int)contract->input));
  for (int k = 0; k < KEYS; k++) {
    const char *field = (const char *)contract + keys[k].offset;
    int64_t count;
    int name;
    used += (size_t)snprintf(text + used, RPP_CONTRACT_TEXT - used, ",%s=", keys[k].name);
    if (keys[k].kind == COUNT) {
      memcpy(&count, field, sizeof count);
      used += (size_t)snprintf(text + used, RPP_CONTRACT_TEXT - used, "%" PRId64, count);
      continue;
    }
    if (keys[k].kind == FLAG)
      name = *(const bool *)(const void *)field;
    else
      memcpy(&name, field, sizeof name);
    used += (size_t)snprintf(text + used, RPP_CONTRACT_TEXT - used, "%s", rpp_names_get(keys[k].names, name));
  }
}
