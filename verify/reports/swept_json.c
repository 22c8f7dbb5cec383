#include "reports/swept.h"

#include <jansson.h>
#include <string.h>

#include "cases/spec_keys.h"

/* ---- Writing ------------------------------------------------------------------------------------------------------------ */

static json_t *range(int64_t least, int64_t most) {
  return json_pack("[I, I]", (json_int_t)least, (json_int_t)most);
}

static json_t *names_of(const rpp_name *names, uint32_t seen) {
  json_t *list = json_array();
  for (; names->name != NULL; names++)
    if (seen >> names->value & 1) json_array_append_new(list, json_string(names->name));
  return list;
}

json_t *rpp_swept_json(const rpp_swept *swept) {
  const rpp_spec spec = rpp_spec_default(RPP_MODE_ROPE);
  if (swept->cases == 0) return json_null();
  json_t *all = json_pack("{s:I, s:o}", "cases", (json_int_t)swept->cases, "mode", names_of(rpp_names_mode, swept->modes));
  for (int k = 0, name; rpp_spec_keys[k].name != NULL; k++) {
    const rpp_spec_key *key = &rpp_spec_keys[k];
    const rpp_name *names = rpp_spec_key_names(key, &spec, &name);
    if (key->kind == RPP_KEY_INTEGER) json_object_set_new(all, key->name, range(swept->least[k], swept->most[k]));
    if (names != NULL) json_object_set_new(all, key->name, names_of(names, swept->seen[k]));
  }
  json_object_set_new(all, "placed", json_integer(swept->placed));
  json_object_set_new(all, "positions", swept->placed > 0 ? range(swept->lowest, swept->highest) : json_null());
  return all;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------ */

static bool wrong(const char *key, const char *must, rpp_message *error) {
  return rpp_message_set(error, "swept: %s: must be %s", key, must);
}

static bool read_range(const json_t *from, const char *key, int64_t *least, int64_t *most, rpp_message *error) {
  const json_t *pair = json_object_get(from, key), *first = json_array_get(pair, 0), *second = json_array_get(pair, 1);
  if (json_array_size(pair) != 2 || !json_is_integer(first) || !json_is_integer(second)) return wrong(key, "two integers", error);
  *least = json_integer_value(first);
  *most = json_integer_value(second);
  return *least <= *most || wrong(key, "the smaller one first", error);
}

static bool read_names(const json_t *from, const char *key, const rpp_name *names, uint32_t *seen, rpp_message *error) {
  size_t i;
  const json_t *list = json_object_get(from, key), *one;
  if (!json_is_array(list)) return wrong(key, "an array of names", error);
  json_array_foreach(list, i, one) {
    int value;
    const char *name = json_string_value(one);
    if (name == NULL || !rpp_names_find(names, name, strlen(name), &value)) return wrong(key, "known names", error);
    *seen |= 1u << value;
  }
  return true;
}

static bool read_count(const json_t *from, const char *key, int64_t *count, rpp_message *error) {
  const json_t *found = json_object_get(from, key);
  *count = json_integer_value(found);
  return (json_is_integer(found) && *count >= 0 && *count <= (int64_t)1 << 60) || wrong(key, "a count", error);
}

bool rpp_swept_read(const json_t *from, rpp_swept *swept, rpp_message *error) {
  const rpp_spec spec = rpp_spec_default(RPP_MODE_ROPE);
  *swept = (rpp_swept){0};
  if (json_is_null(from)) return true;
  if (!json_is_object(from)) return rpp_message_set(error, "swept: must be an object or null");
  if (!read_count(from, "cases", &swept->cases, error) || !read_count(from, "placed", &swept->placed, error) ||
      !read_names(from, "mode", rpp_names_mode, &swept->modes, error))
    return false;
  for (int k = 0, name; rpp_spec_keys[k].name != NULL; k++) {
    const rpp_spec_key *key = &rpp_spec_keys[k];
    const rpp_name *names = rpp_spec_key_names(key, &spec, &name);
    if (key->kind == RPP_KEY_INTEGER && !read_range(from, key->name, &swept->least[k], &swept->most[k], error)) return false;
    if (names != NULL && !read_names(from, key->name, names, &swept->seen[k], error)) return false;
  }
  return swept->placed == 0 || read_range(from, "positions", &swept->lowest, &swept->highest, error);
}
