#include "cases/gen.h"

#include <string.h>

#include "cases/generate.h"
#include "files/case_write.h"

enum { EXIT_PASS = 0, EXIT_BAD = 2 };

/* The data of a file; out and lse are not written. */
static bool generate(const rpp_spec *spec, rpp_generated *g, rpp_message *error) {
  rpp_spec plain = *spec;
  plain.layout = RPP_LAYOUT_CONTIGUOUS;
  plain.rows = 0;
  return rpp_generate(&plain, RPP_F16, RPP_F16, g, error);
}

bool rpp_gen_write(const rpp_spec *spec, const char *path, rpp_message *error) {
  rpp_generated g;
  char name[RPP_SPEC_TEXT];
  if (!generate(spec, &g, error)) return false;
  rpp_spec_print(spec, name);
  const bool ok = rpp_case_write(path, name, &g.attention, &g.inputs, error);
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
