#include "files/case_metadata.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "program/names.h"
#include "program/parse.h"

static const char format[] = "ropepp-case/1";

static bool check_keys(const rpp_safetensors *file, rpp_message *error) {
  static const char *const known[] = {"format", "op",      "mode",          "heads",  "kv_heads", "head_dim",
                                      "base",   "pairing", "scaling",       "rotary", "hidden",   "name",
                                      "inputs", "mask",    "causal_offset", "scale",  "angles"};
  for (size_t i = 0; i < rpp_safetensors_metadata_count(file); i++) {
    const char *value, *key = rpp_safetensors_metadata_at(file, i, &value);
    bool found = false;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) found = found || strcmp(key, known[k]) == 0;
    if (!found) return rpp_message_set(error, "metadata: %.60s = %.60s: unknown key", key, value);
  }
  return true;
}

/* ---- One value by key: *value is left alone when the key is absent ------------------------------------------------------ */

/* The value of a key that must be there; null, with a message, when it is not. */
static const char *required(const rpp_safetensors *file, const char *key, rpp_message *error) {
  const char *text = rpp_safetensors_metadata(file, key);
  if (text == NULL) rpp_message_set(error, "metadata: %s is missing", key);
  return text;
}

static bool name(const rpp_safetensors *file, const char *key, const rpp_name *table, int *value, rpp_message *error) {
  const char *text = rpp_safetensors_metadata(file, key);
  return text == NULL || rpp_parse_name(key, text, table, value, error);
}

static bool integer(const rpp_safetensors *file, const char *key, int64_t least, int64_t *value, rpp_message *error) {
  const char *text = rpp_safetensors_metadata(file, key);
  return text == NULL || rpp_parse_integer(key, text, least, value, error);
}

static bool number(const rpp_safetensors *file, const char *key, double *value, rpp_message *error) {
  const char *text = rpp_safetensors_metadata(file, key);
  return text == NULL || rpp_parse_number(key, text, value, error);
}

/* ---- The groups of keys ------------------------------------------------------------------------------------------------- */

static bool check_required(const rpp_safetensors *file, rpp_message *error) {
  static const char *const keys[] = {"op", "mode", "heads", "kv_heads", "head_dim", "pairing", "mask"};
  const char *text = required(file, "format", error);
  if (text == NULL) return false;
  if (strcmp(text, format) != 0) return rpp_message_set(error, "format = %.60s: must be %s", text, format);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (required(file, keys[i], error) == NULL) return false;
  return true;
}

static bool read_op(const rpp_safetensors *file, rpp_case *c, rpp_message *error) {
  const char *text = rpp_safetensors_metadata(file, "op");
  if (strcmp(text, "rotate") == 0 || strcmp(text, "backward") == 0)
    return rpp_message_set(error, "op = %s: not supported by this version", text);
  int op = 0;
  if (!name(file, "op", rpp_names_op, &op, error)) return false;
  c->op = (rpp_op)op;
  return true;
}

static bool read_sizes(const rpp_safetensors *file, rpp_case *c, rpp_message *error) {
  rpp_attention *a = &c->attention;
  int mode = 0;
  if (!name(file, "mode", rpp_names_mode, &mode, error) || !integer(file, "heads", 1, &a->heads, error) ||
      !integer(file, "kv_heads", 1, &a->kv_heads, error) || !integer(file, "head_dim", 2, &c->head_dim, error))
    return false;
  a->mode = (rpp_mode)mode;
  if (rpp_attention_heads(a, &c->counts) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());

  const bool layer = c->op == RPP_OP_LAYER;
  if (layer && required(file, "hidden", error) == NULL) return false;
  if (!layer && rpp_safetensors_metadata(file, "hidden") != NULL)
    return rpp_message_set(error, "hidden = %.60s: only a layer has it", rpp_safetensors_metadata(file, "hidden"));
  return integer(file, "hidden", 1, &c->hidden, error);
}

static bool read_rotary(const rpp_safetensors *file, rpp_case *c, rpp_message *error) {
  rpp_rotary *r = &c->attention.rotary;
  int pairing = 0, angles = RPP_ANGLES_EXACT;
  r->rotary_dim = c->head_dim;
  r->table_dtype = RPP_F64;
  if (!name(file, "pairing", rpp_names_pairing, &pairing, error) || !name(file, "angles", rpp_names_angles, &angles, error) ||
      !integer(file, "rotary", 2, &r->rotary_dim, error))
    return false;
  r->pairing = (rpp_pairing)pairing;
  r->angles = (rpp_angle_model)angles;
  if (r->rotary_dim > c->head_dim)
    return rpp_message_set(error, "rotary = %" PRId64 ": must be at most head_dim = %" PRId64, r->rotary_dim, c->head_dim);
  if (r->rotary_dim % 2 != 0)
    return rpp_message_set(error, "%s = %" PRId64 ": the rotary width must be even",
                           rpp_safetensors_metadata(file, "rotary") != NULL ? "rotary" : "head_dim", r->rotary_dim);

  const bool given = rpp_safetensors_tensor(file, "inv_freq") != NULL || rpp_safetensors_tensor(file, "cos") != NULL;
  if (!given && !c->attention.q_rotated && required(file, "base", error) == NULL) return false;
  const char *scaling = rpp_safetensors_metadata(file, "scaling");
  return number(file, "base", &r->base, error) && (scaling == NULL || rpp_parse_scaling("scaling", scaling, &r->scaling, error));
}

static bool read_softmax(const rpp_safetensors *file, rpp_case *c, rpp_message *error) {
  rpp_attention *a = &c->attention;
  a->scale = 1 / sqrt((double)c->head_dim);
  return rpp_parse_mask("mask", rpp_safetensors_metadata(file, "mask"), &a->mask, &a->window, error) &&
         integer(file, "causal_offset", INT64_MIN, &a->causal_offset, error) && number(file, "scale", &a->scale, error);
}

bool rpp_case_metadata(const rpp_safetensors *file, rpp_case *c, rpp_message *error) {
  int inputs = 0;
  if (!check_keys(file, error) || !check_required(file, error) || !read_op(file, c, error) ||
      !name(file, "inputs", rpp_names_inputs, &inputs, error))
    return false;
  rpp_inputs_set(inputs, &c->attention);
  if (c->attention.k_rotated && c->op == RPP_OP_LAYER)
    return rpp_message_set(error, "inputs = %s: a layer rotates its own", rpp_names_get(rpp_names_inputs, inputs));
  const char *label = rpp_safetensors_metadata(file, "name");
  if (label != NULL) rpp_message_set(&c->name, "%s", label);
  return read_sizes(file, c, error) && read_rotary(file, c, error) && read_softmax(file, c, error);
}
