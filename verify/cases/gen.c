#include "cases/gen.h"

#include <inttypes.h>

#include "cases/generate.h"
#include "files/safetensors_write.h"
#include "program/names.h"
#include "program/print.h"

enum { EXIT_PASS = 0, EXIT_BAD = 2, METADATA = 24 };

typedef struct {
  char text[METADATA][RPP_SPEC_TEXT];
  rpp_safetensors_pair pair[METADATA];
  size_t count;
} metadata;

/* Room for the value of one more key. */
static char *add(metadata *m, const char *key) {
  m->pair[m->count] = (rpp_safetensors_pair){key, m->text[m->count]};
  return m->text[m->count++];
}

static void add_text(metadata *m, const char *key, const char *value) {
  snprintf(add(m, key), RPP_SPEC_TEXT, "%s", value);
}

static void add_integer(metadata *m, const char *key, int64_t value) {
  snprintf(add(m, key), RPP_SPEC_TEXT, "%" PRId64, value);
}

static void describe(const rpp_spec *spec, metadata *m) {
  const rpp_attention *a = &spec->attention;
  const rpp_rotary *r = &a->rotary;
  m->count = 0;
  add_text(m, "format", "ropepp-case/1");
  add_text(m, "op", "attention");
  rpp_spec_print(spec, add(m, "name"));
  add_text(m, "mode", rpp_names_get(rpp_names_mode, a->mode));
  add_integer(m, "heads", a->heads);
  add_integer(m, "kv_heads", a->kv_heads);
  add_integer(m, "head_dim", spec->head_dim);
  add_text(m, "inputs", rpp_names_get(rpp_names_inputs, a->q_rotated));
  add_text(m, "pairing", rpp_names_get(rpp_names_pairing, r->pairing));
  add_integer(m, "rotary", r->rotary_dim);
  rpp_print_number(r->base, add(m, "base"));
  rpp_print_scaling(&r->scaling, add(m, "scaling"));
  if (r->angles != RPP_ANGLES_EXACT) add_text(m, "angles", rpp_names_get(rpp_names_angles, r->angles));
  rpp_print_mask(a->mask, a->window, add(m, "mask"));
  add_integer(m, "causal_offset", a->causal_offset);
  rpp_print_number(a->scale, add(m, "scale"));
}

bool rpp_gen_write(const rpp_spec *spec, const char *path, rpp_message *error) {
  rpp_generated g;
  metadata m;
  rpp_spec plain = *spec; /* out and lse are not written */
  plain.layout = RPP_LAYOUT_CONTIGUOUS;
  plain.rows = 0;
  if (!rpp_generate(&plain, RPP_F16, RPP_F16, &g, error)) return false;
  describe(spec, &m);
  const rpp_safetensors_entry all[] = {{"q", &g.q},         {"k", &g.k},       {"v", &g.v},      {"pos_q", &g.pos_q},
                                       {"pos_k", &g.pos_k}, {"cu_q", &g.cu_q}, {"cu_k", &g.cu_k}};
  rpp_safetensors_entry present[sizeof all / sizeof *all];
  size_t count = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i].tensor->ndim > 0) present[count++] = all[i];
  const bool ok = rpp_safetensors_write(path, m.count, m.pair, count, present, error);
  rpp_generated_free(&g);
  return ok;
}

static void complain(FILE *complaints, const char *what, const rpp_message *error) {
  fputs("ropepp-verify: gen: ", complaints);
  for (; *what != '\0'; what++) fputc((unsigned char)*what < ' ' || *what == 0x7f ? '?' : *what, complaints);
  fprintf(complaints, ": %s\n", error->text);
}

int rpp_gen_run(const char *text, const char *path, FILE *complaints) {
  rpp_spec spec;
  rpp_message error;
  if (!rpp_spec_parse(text, &spec, &error)) {
    complain(complaints, "SPEC", &error);
    return EXIT_BAD;
  }
  if (!rpp_gen_write(&spec, path, &error)) {
    complain(complaints, path, &error);
    return EXIT_BAD;
  }
  return EXIT_PASS;
}
