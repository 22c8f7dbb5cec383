#include "cases/gen.h"

#include <inttypes.h>
#include <string.h>

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

/* The data of a file; out and lse are not written. */
static bool generate(const rpp_spec *spec, rpp_generated *g, rpp_message *error) {
  rpp_spec plain = *spec;
  plain.layout = RPP_LAYOUT_CONTIGUOUS;
  plain.rows = 0;
  return rpp_generate(&plain, RPP_F16, RPP_F16, g, error);
}

bool rpp_gen_write(const rpp_spec *spec, const char *path, rpp_message *error) {
  rpp_generated g;
  metadata m;
  if (!generate(spec, &g, error)) return false;
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

/* ---- What a case was made from ------------------------------------------------------------------------------------------- */

/* Row-major tensors of a file and of generated data. */
static bool same(const rpp_tensor *a, const rpp_tensor *b) {
  int64_t elements = 0, bytes = 0;
  if (a == NULL || b->ndim == 0) return a == NULL && b->ndim == 0;
  if (a->dtype != b->dtype || a->ndim != b->ndim || memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) != 0 ||
      rpp_tensor_extent(b, &elements, &bytes) != RPP_OK)
    return false;
  return elements == 0 ||
         memcmp((const char *)a->data + a->byte_offset, (const char *)b->data + b->byte_offset, (size_t)bytes) == 0;
}

bool rpp_gen_recall(const rpp_case *c, rpp_spec *spec) {
  rpp_generated g;
  rpp_message error;
  const rpp_attention_inputs *i = &c->inputs;
  /* Sizes first: a label may ask for more memory than the file has. */
  if (c->op != RPP_OP_ATTENTION || !rpp_spec_parse(c->name.text, spec, &error) || spec->batch != i->q->shape[0] ||
      spec->q_len != i->q->shape[1] || spec->k_len != i->k->shape[1] || spec->head_dim != c->head_dim ||
      spec->v_dim != i->v->shape[3] || spec->attention.heads != c->attention.heads || spec->dtype != i->q->dtype ||
      spec->attention.kv_heads != c->attention.kv_heads || !generate(spec, &g, &error))
    return false;
  const bool found = same(i->q, &g.q) && same(i->k, &g.k) && same(i->v, &g.v) && same(i->pos_q, &g.pos_q) &&
                     same(i->pos_k, &g.pos_k) && same(i->cu_q, &g.cu_q) && same(i->cu_k, &g.cu_k);
  rpp_generated_free(&g);
  return found;
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
