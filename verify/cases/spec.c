#include "cases/spec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cases/spec_keys.h"
#include "cases/tokens.h"
#include "program/parse.h"
#include "program/print.h"

rpp_spec rpp_spec_default(rpp_mode mode) {
  rpp_spec spec = {.attention = {.mode = mode, .rotary = {.table_dtype = RPP_F64}}};
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++) rpp_spec_key_default(key, &spec);
  return spec;
}

/* ---- Whether a spec is sound --------------------------------------------------------------------------------------------- */

static bool check_heads(const rpp_spec *spec, rpp_message *error) {
  const int64_t h = spec->attention.heads, kv = spec->attention.kv_heads;
  if (strcmp(rpp_names_get(rpp_names_mode, spec->attention.mode), "?") == 0)
    return rpp_message_set(error, "mode = %d: unknown", (int)spec->attention.mode);
  if (spec->attention.mode == RPP_MODE_EH && h % 2 != 0)
    return rpp_message_set(error, "h = %" PRId64 ": eh needs an even count", h);
  if (spec->attention.mode == RPP_MODE_EH && kv % 2 != 0)
    return rpp_message_set(error, "kv = %" PRId64 ": eh needs an even count", kv);
  return h % kv == 0 || rpp_message_set(error, "kv = %" PRId64 ": must divide h = %" PRId64, kv, h);
}

static bool in_range(const char *name, double value, double least, double most, rpp_message *error) {
  char text[RPP_PRINT_TEXT];
  if (value >= least && value <= most) return true;
  rpp_print_number(value, text);
  return rpp_message_set(error, "%s = %s: must be from %g to %g", name, text, least, most);
}

/* Ranges a little inside the library's own, whatever the combination. */
static bool check_scaling(const rpp_rotary *rotary, rpp_message *error) {
  const rpp_scaling *s = &rotary->scaling;
  if (s->kind == RPP_SCALING_NONE) return true;
  if (!in_range("scaling: factor", s->factor, 1, 1e6, error)) return false;
  if (s->kind == RPP_SCALING_NTK_AWARE && rotary->rotary_dim == 2)
    return rpp_message_set(error, "scaling = ntk-aware: is undefined for rotary = 2");
  if (s->kind < RPP_SCALING_YARN) return true;
  if (!in_range("scaling: orig", s->orig, 1, 1e9, error)) return false;
  return s->kind != RPP_SCALING_LLAMA3 ||
         (in_range("scaling: low", s->low, 1e-6, 1e6, error) && in_range("scaling: high", s->high, 1e-6, 1e6, error) &&
          (s->low < s->high || rpp_message_set(error, "scaling: high = %g: must be above low = %g", s->high, s->low)));
}

static bool check_rotary(const rpp_spec *spec, rpp_message *error) {
  const rpp_rotary *r = &spec->attention.rotary;
  if (r->rotary_dim % 2 != 0) return rpp_message_set(error, "rotary = %" PRId64 ": must be even", r->rotary_dim);
  if (r->rotary_dim > spec->head_dim)
    return rpp_message_set(error, "rotary = %" PRId64 ": must be at most d = %" PRId64, r->rotary_dim, spec->head_dim);
  return in_range("base", r->base, 1.0009765625, 1e12, error) && check_scaling(r, error) &&
         in_range("scale", spec->attention.scale, -1e6, 1e6, error);
}

/* Every position lies in the range of the angle model: 2^24 for hf-f32; exact angles take all that the keys allow. */
static bool check_positions(const rpp_spec *spec, rpp_message *error) {
  const int64_t limit = (int64_t)1 << 24, last = rpp_token_last_position(spec);
  if (spec->attention.rotary.angles != RPP_ANGLES_HF_F32 || (spec->position >= -limit && last <= limit)) return true;
  return rpp_message_set(error, "position = %" PRId64 ": hf-f32 angles end at %" PRId64 ", and positions reach %" PRId64,
                         spec->position, limit, last);
}

static bool check_size(const char *name, int64_t b, int64_t l, int64_t h, int64_t d, rpp_message *error) {
  /* Each is at most 2^31, and b, h, d at most 2^12: only the last product could overflow, and then h d alone is past 2^20. */
  const double elements = (double)b * (double)l * (double)h * (double)d;
  return elements <= 0x1p31 ||
         rpp_message_set(error, "%s: %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64 " elements: must be at most 2^31", name, b,
                         l, h, d);
}

bool rpp_spec_check(const rpp_spec *spec, rpp_message *error) {
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++)
    if (!rpp_spec_key_check(key, spec, error)) return false;
  if (spec->attention.mask == RPP_MASK_WINDOW && spec->attention.window < 1)
    return rpp_message_set(error, "mask = window:%" PRId64 ": must be at least 1", spec->attention.window);
  if (!check_heads(spec, error) || !check_rotary(spec, error) || !check_positions(spec, error)) return false;
  if (spec->rows > spec->q_len)
    return rpp_message_set(error, "rows = %" PRId64 ": must be at most lq = %" PRId64, spec->rows, spec->q_len);
  rpp_head_counts counts;
  if (rpp_attention_heads(&spec->attention, &counts) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  const int64_t b = spec->batch, widest = spec->v_dim > spec->head_dim ? spec->v_dim : spec->head_dim;
  return check_size("q or out", b, spec->q_len, counts.output, widest, error) &&
         check_size("k or v", b, spec->k_len, counts.kv, widest, error);
}

/* ---- Text ---------------------------------------------------------------------------------------------------------------- */

/* The next value, up to a comma outside parentheses, copied without the parentheses around it. Moves *at past the comma. */
static bool next_value(const char *key, const char **at, char *value, size_t room, rpp_message *error) {
  const char *start = *at, *end = start + strcspn(start, ",");
  if (*start == '(') {
    start++;
    end = start + strcspn(start, "()");
    if (*end != ')') return rpp_message_set(error, "%s = %.60s: the parenthesis is not closed", key, *at);
    if (end[1] != '\0' && end[1] != ',') return rpp_message_set(error, "%s = %.60s: junk after the parenthesis", key, *at);
    *at = end + 1;
  } else
    *at = end;
  const size_t length = (size_t)(end - start);
  if (length >= room) return rpp_message_set(error, "%s = %.60s...: is too long", key, start);
  memcpy(value, start, length);
  value[length] = '\0';
  if (**at == ',' && *++*at == '\0') return rpp_message_set(error, "%s = %.60s: ends in a comma", key, value);
  return true;
}

/* `key=value,...`: sets what is given, and lists it after count names that are there already. */
static bool parse_keys(const char *at, rpp_spec *spec, const char **given, int count, rpp_message *error) {
  while (*at != '\0') {
    char name[16], value[RPP_PRINT_TEXT];
    const size_t length = strcspn(at, "=,");
    if (at[length] != '=') return rpp_message_set(error, "%.60s: must be key=value", at);
    if (length >= sizeof name) return rpp_message_set(error, "%.60s: no such key", at);
    memcpy(name, at, length);
    name[length] = '\0';
    const rpp_spec_key *key = rpp_spec_key_find(name);
    at += length + 1;
    if (key == NULL) return rpp_message_set(error, "%s = %.60s: no such key", name, at);
    if (!next_value(name, &at, value, sizeof value, error)) return false;
    for (int i = 0; i < count; i++)
      if (given[i] == key->name) return rpp_message_set(error, "%s = %s: given twice", name, value);
    if (!rpp_spec_key_parse(key, value, spec, error)) return false;
    given[count++] = key->name;
  }
  given[count] = NULL;
  return true;
}

static bool is_given(const char *const *given, const char *name) {
  while (*given != NULL && *given != name) given++;
  return *given != NULL;
}

/* The mode, when the text starts with one, and then the keys. */
static bool parse_text(const char *text, rpp_spec *spec, const char **given, rpp_message *error) {
  const size_t length = strcspn(text, ":=,");
  int mode = RPP_MODE_ROPE, count = 0;
  if (text[length] == ':' || text[length] == '\0') {
    if (!rpp_names_find(rpp_names_mode, text, length, &mode))
      return rpp_message_set(error, "mode = %.*s: must be one of rope, ec, eh", length < 60 ? (int)length : 60, text);
    given[count++] = "mode";
    text += length + (text[length] == ':');
  }
  *spec = rpp_spec_default((rpp_mode)mode);
  if (!parse_keys(text, spec, given, count, error)) return false;
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++)
    if (!is_given(given, key->name)) rpp_spec_key_default(key, spec);
  return true;
}

bool rpp_spec_parse(const char *text, rpp_spec *spec, rpp_message *error) {
  const char *given[RPP_SPEC_KEYS];
  rpp_spec parsed;
  if (!parse_text(text, &parsed, given, error)) return false;
  if (given[0] == NULL || strcmp(given[0], "mode") != 0)
    return rpp_message_set(error, "%.60s: must start with rope:, ec: or eh:", text);
  if (!rpp_spec_check(&parsed, error)) return false;
  *spec = parsed;
  return true;
}

bool rpp_spec_parse_only(const char *text, rpp_spec *spec, const char *keys[RPP_SPEC_KEYS], rpp_message *error) {
  if (!parse_text(text, spec, keys, error)) return false;
  const rpp_spec drawn = rpp_spec_draw(0, 0, spec, keys);
  return rpp_spec_check(&drawn, error);
}

void rpp_spec_print(const rpp_spec *spec, char *text) {
  size_t used = (size_t)snprintf(text, RPP_SPEC_TEXT, "%s", rpp_names_get(rpp_names_mode, spec->attention.mode));
  char separator = ':';
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL && used < RPP_SPEC_TEXT; key++) {
    char value[RPP_PRINT_TEXT];
    rpp_spec standard = *spec;
    if (!key->always) rpp_spec_key_default(key, &standard);
    if (!key->always && rpp_spec_key_same(key, spec, &standard)) continue;
    rpp_spec_key_print(key, spec, value);
    const bool list = strchr(value, ',') != NULL;
    used += (size_t)snprintf(text + used, RPP_SPEC_TEXT - used, "%c%s=%s%s%s", separator, key->name, list ? "(" : "", value,
                             list ? ")" : "");
    separator = ',';
  }
}

/* ---- Help ---------------------------------------------------------------------------------------------------------------- */

static void values_of(const rpp_spec_key *key, char *text, size_t room) {
  switch (key->kind) {
  case RPP_KEY_INTEGER:
    if (key->most == INT64_MAX)
      snprintf(text, room, "an integer");
    else
      snprintf(text, room, "%" PRId64 " .. %" PRId64, key->least, key->most);
    return;
  case RPP_KEY_SEED:
    snprintf(text, room, "0 .. 2^64 - 1");
    return;
  case RPP_KEY_NUMBER:
    snprintf(text, room, "a number");
    return;
  case RPP_KEY_FLAG:
    snprintf(text, room, "0 | 1");
    return;
  case RPP_KEY_MASK:
    snprintf(text, room, "causal | full | window:W");
    return;
  case RPP_KEY_SCALING:
    snprintf(text, room,
             "none | (KIND:option=number,...) of linear, ntk, ntk-aware: factor; yarn, yarn-hf: and orig; llama3: and low, high");
    return;
  case RPP_KEY_INPUTS:
  case RPP_KEY_NAME:
    break;
  }
  const rpp_name *names = key->kind == RPP_KEY_INPUTS ? rpp_names_inputs : key->names;
  size_t used = 0;
  for (; names->name != NULL && used < room; names++)
    used += (size_t)snprintf(text + used, room - used, "%s%s", used == 0 ? "" : " | ", names->name);
}

/* Words, broken where a line would pass 78 columns; new lines are indented. */
static size_t put_words(char *text, size_t used, size_t room, const char *words, int indent) {
  size_t column = 79;
  while (*words != '\0' && used < room) {
    const size_t length = strcspn(words, " ");
    const bool fits = column + 1 + length <= 78;
    used += (size_t)snprintf(text + used, room - used, "%s%*s%.*s", fits || used == 0 ? "" : "\n", fits ? 1 : indent, "",
                             (int)length, words);
    column = (fits ? column + 1 : (size_t)indent) + length;
    words += length + strspn(words + length, " ");
  }
  return used;
}

const char *rpp_spec_help(void) {
  static char text[8192];
  if (*text != '\0') return text;
  size_t used =
      put_words(text, 0, sizeof text - 1,
                "SPEC is MODE:key=value,... of MODE rope, ec or eh, and of these keys (defaults in brackets); a value with "
                "commas stands in parentheses.",
                0);
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL && used < sizeof text - 1; key++) {
    char values[400] = "";
    values_of(key, values, sizeof values);
    used += (size_t)snprintf(text + used, sizeof text - used, "\n  %-9s%s [%s]", key->name, key->meaning, key->standard);
    used = put_words(text, used, sizeof text - 1, values, 13);
  }
  snprintf(text + used, sizeof text - used, "\n");
  return text;
}
