#include "reports/swept.h"

#include <inttypes.h>
#include <string.h>

#include "cases/spec_keys.h"
#include "cases/tokens.h"

static void widen(int64_t value, bool first, int64_t *least, int64_t *most) {
  if (first || value < *least) *least = value;
  if (first || value > *most) *most = value;
}

void rpp_swept_add(rpp_swept *swept, const rpp_spec *spec) {
  int64_t lowest, highest, value;
  int name;
  swept->modes |= 1u << spec->attention.mode;
  for (int k = 0; rpp_spec_keys[k].name != NULL; k++) {
    const rpp_spec_key *key = &rpp_spec_keys[k];
    if (key->kind == RPP_KEY_INTEGER) {
      memcpy(&value, (const char *)spec + key->offset, sizeof value);
      widen(value, swept->cases == 0, &swept->least[k], &swept->most[k]);
    } else if (rpp_spec_key_names(key, spec, &name) != NULL)
      swept->seen[k] |= 1u << name;
  }
  swept->cases++;
  if (!rpp_token_reach(spec, &lowest, &highest)) return;
  widen(lowest, swept->placed == 0, &swept->lowest, &swept->highest);
  widen(highest, false, &swept->lowest, &swept->highest);
  swept->placed++;
}

void rpp_swept_merge(rpp_swept *swept, const rpp_swept *other) {
  for (int k = 0; other->cases > 0 && rpp_spec_keys[k].name != NULL; k++) {
    widen(other->least[k], swept->cases == 0, &swept->least[k], &swept->most[k]);
    widen(other->most[k], false, &swept->least[k], &swept->most[k]);
    swept->seen[k] |= other->seen[k];
  }
  if (other->placed > 0) {
    widen(other->lowest, swept->placed == 0, &swept->lowest, &swept->highest);
    widen(other->highest, false, &swept->lowest, &swept->highest);
  }
  swept->modes |= other->modes;
  swept->cases += other->cases;
  swept->placed += other->placed;
}

/* ---- In words ----------------------------------------------------------------------------------------------------------- */

/* "dtype f32", "layout 4 of 6". */
static void tell(const char *key, const rpp_name *names, uint32_t seen, FILE *out) {
  enum { MOST = 3 };
  int count = 0, all = 0;
  for (const rpp_name *n = names; n->name != NULL; n++, all++) count += (seen >> n->value & 1) != 0;
  fprintf(out, "%s ", key);
  if (count > MOST) {
    fprintf(out, count == all ? "all %d" : "%d of %d", count, all);
    return;
  }
  for (const rpp_name *n = names; n->name != NULL; n++)
    if (seen >> n->value & 1) fprintf(out, "%s%s", n->name, --count > 0 ? ", " : "");
}

void rpp_swept_text(const rpp_swept *swept, const char *margin, FILE *out) {
  static const char *const sizes[] = {"lq", "lk", "h", "kv", "b", "d", "dv", "rotary", NULL};
  const rpp_spec spec = rpp_spec_default(RPP_MODE_ROPE);
  if (swept->cases == 0) return;
  fputs(margin, out);
  for (const char *const *s = sizes; *s != NULL; s++) {
    const ptrdiff_t k = rpp_spec_key_find(*s) - rpp_spec_keys;
    fprintf(out, "%s%s %" PRId64, s == sizes ? "" : ", ", *s, swept->least[k]);
    if (swept->most[k] != swept->least[k]) fprintf(out, " to %" PRId64, swept->most[k]);
  }
  if (swept->placed > 0) fprintf(out, ", positions %" PRId64 " to %" PRId64, swept->lowest, swept->highest);
  fprintf(out, "\n%s", margin);
  tell("mode", rpp_names_mode, swept->modes, out);
  for (int k = 0, name; rpp_spec_keys[k].name != NULL; k++) {
    const rpp_name *names = rpp_spec_key_names(&rpp_spec_keys[k], &spec, &name);
    if (names == NULL) continue;
    fputs("; ", out);
    tell(rpp_spec_keys[k].name, names, swept->seen[k], out);
  }
  fputc('\n', out);
}
