#include "config_fields.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

bool rpp_config_refuse(const char *field, const json_t *value, const char *what, rpp_message *error) {
  enum { SHOWN = 48 };
  char text[SHOWN + 4] = "";
  if (json_is_string(value))
    snprintf(text, sizeof text, "\"%.*s\"", SHOWN - 2, json_string_value(value));
  else if (json_dumpb(value, text, SHOWN, JSON_COMPACT | JSON_ENCODE_ANY) > SHOWN)
    strcat(text, "...");
  return rpp_message_set(error, "%s = %s: %s", field, text, what);
}

bool rpp_config_parse(const char *bytes, size_t size, rpp_config *config, rpp_message *error) {
  json_error_t why;
  *config = (rpp_config){0};
  json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &why);
  if (root == NULL && json_error_code(&why) == json_error_numeric_overflow) { /* so that the field can be named, if it matters */
    root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    config->whole_as_reals = true;
  }
  if (root == NULL) return rpp_message_set(error, "not JSON: line %d: %s", why.line, why.text);
  config->root = config->fields = root;
  json_t *nested = json_object_get(root, "text_config");
  bool good = json_is_object(root) || rpp_message_set(error, "not a JSON object");
  if (good && nested != NULL && !json_is_null(nested))
    good = json_is_object(nested) || rpp_config_refuse("text_config", nested, "must be an object", error);
  if (good && json_is_object(nested)) config->fields = nested;
  if (!good) rpp_config_free(config);
  return good;
}

bool rpp_config_load(const char *path, rpp_config *config, rpp_message *error) {
  *config = (rpp_config){0};
  errno = 0;
  FILE *f = fopen(path, "rb");
  if (f == NULL) return rpp_message_set(error, "cannot be read: %s", strerror(errno));
  size_t size = 0, room = 0;
  char *bytes = NULL;
  bool good = true;
  while (good && size == room && size <= RPP_CONFIG_LARGEST) {
    room = room == 0 ? 1 << 16 : room * 2;
    char *larger = realloc(bytes, room);
    good = larger != NULL || rpp_message_set(error, "cannot be read: out of memory");
    if (larger != NULL) bytes = larger, size += fread(bytes + size, 1, room - size, f);
  }
  if (good && ferror(f)) good = rpp_message_set(error, "cannot be read: %s", strerror(errno));
  if (good && size > RPP_CONFIG_LARGEST) good = rpp_message_set(error, "larger than 16 MiB: not a config.json");
  fclose(f);
  good = good && rpp_config_parse(bytes, size, config, error);
  free(bytes);
  return good;
}

void rpp_config_free(rpp_config *config) {
  json_decref(config->root);
  *config = (rpp_config){0};
}

bool rpp_config_get(const rpp_config *config, const char *field, json_t **value, rpp_message *error) {
  json_t *inner = json_object_get(config->fields, field), *outer = json_object_get(config->root, field);
  if (json_is_null(inner)) inner = NULL;
  if (json_is_null(outer)) outer = NULL;
  *value = inner != NULL ? inner : outer;
  if (inner == NULL || outer == NULL || json_equal(inner, outer)) return true;
  return rpp_config_refuse(field, outer, "text_config says otherwise", error);
}

bool rpp_config_integer(const rpp_config *config, const char *field, bool required, int64_t least, int64_t *value,
                        rpp_message *error) {
  json_t *got;
  if (!rpp_config_get(config, field, &got, error)) return false;
  if (got == NULL) return !required || rpp_message_set(error, "%s: missing, or null: a model of Llama's kind has it", field);
  const double real = json_number_value(got);
  const bool whole = json_is_integer(got) || (config->whole_as_reals && json_is_real(got) && real == floor(real));
  if (!whole) return rpp_config_refuse(field, got, "must be an integer", error);
  char range[64];
  snprintf(range, sizeof range, "must be from %" PRId64 " to %d", least, RPP_MODEL_LARGEST);
  if (!(real >= (double)least && real <= RPP_MODEL_LARGEST)) return rpp_config_refuse(field, got, range, error);
  *value = (int64_t)real;
  return true;
}

bool rpp_config_boolean(const rpp_config *config, const char *field, bool *value, rpp_message *error) {
  json_t *got;
  if (!rpp_config_get(config, field, &got, error)) return false;
  if (got == NULL) return true;
  if (!json_is_boolean(got)) return rpp_config_refuse(field, got, "must be true or false", error);
  *value = json_is_true(got);
  return true;
}

bool rpp_config_text(const rpp_config *config, const char *field, const char **value, rpp_message *error) {
  json_t *got;
  if (!rpp_config_get(config, field, &got, error)) return false;
  if (got == NULL) return true;
  if (!json_is_string(got)) return rpp_config_refuse(field, got, "must be text", error);
  *value = json_string_value(got);
  return true;
}

bool rpp_config_number_of(const json_t *object, const char *field, double low, double *value, rpp_message *error) {
  const json_t *got = json_object_get(object, field);
  if (got == NULL || json_is_null(got)) return true;
  char range[64];
  snprintf(range, sizeof range, "must be a number above %g", low);
  if (!json_is_number(got) || !(json_number_value(got) > low)) return rpp_config_refuse(field, got, range, error);
  *value = json_number_value(got);
  return true;
}
