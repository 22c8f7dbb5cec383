/* gen.c: case files that the project's own reader takes, with the problem and the data of the spec. */
#include "cases/gen.h"

#include <stdlib.h>
#include <unistd.h>

#include "cases/generate.h"
#include "files/case.h"
#include "guarded.h"
#include "support.h"

static char path[] = "/tmp/ropepp-gen-XXXXXX";

static void enter(void) {
  strcpy(path + sizeof path - 7, "XXXXXX");
  const int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  close(fd);
}

static void leave(void) {
  unlink(path);
}

static void check_tensor(const rpp_tensor *file, const rpp_tensor *drawn) {
  if (drawn->ndim == 0) {
    ck_assert_ptr_null(file);
    return;
  }
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(file->dtype, drawn->dtype);
  ck_assert_int_eq(file->ndim, drawn->ndim);
  int64_t index[RPP_MAX_DIMS] = {0};
  bool empty = false;
  for (int d = 0; d < drawn->ndim; d++) {
    ck_assert_int_eq(file->shape[d], drawn->shape[d]);
    empty = empty || drawn->shape[d] == 0;
  }
  if (!empty) do { /* ck_assert is slow */
      if (rpp_tensor_get(file, index) != rpp_tensor_get(drawn, index)) ck_abort_msg("an element differs");
    } while (guarded_next(drawn, index));
}

static void check_problem(const rpp_attention *file, const rpp_attention *spec) {
  const rpp_rotary *r = &file->rotary, *s = &spec->rotary;
  ck_assert(file->mode == spec->mode && file->heads == spec->heads && file->kv_heads == spec->kv_heads);
  ck_assert(file->mask == spec->mask && file->window == spec->window && file->causal_offset == spec->causal_offset);
  ck_assert(file->scale == spec->scale && file->q_rotated == spec->q_rotated && file->k_rotated == spec->k_rotated);
  ck_assert(r->pairing == s->pairing && r->rotary_dim == s->rotary_dim && r->base == s->base && r->angles == s->angles);
  ck_assert(r->scaling.kind == s->scaling.kind && r->scaling.factor == s->scaling.factor && r->scaling.orig == s->scaling.orig);
  ck_assert(r->scaling.low == s->scaling.low && r->scaling.high == s->scaling.high && r->table_dtype == s->table_dtype);
}

/* The spec that a case was made from is known again, and is not once anything else is in the file. */
static void check_recalled(rpp_case *c, const char *text) {
  rpp_spec spec;
  char again[RPP_SPEC_TEXT];
  if (strlen(text) >= sizeof c->name.text) return; /* the label is cut */
  ck_assert_msg(rpp_gen_recall(c, &spec), "%s", text);
  rpp_spec_print(&spec, again);
  ck_assert_str_eq(again, text);
  const rpp_tensor *const all[] = {c->inputs.q, c->inputs.k, c->inputs.v, c->inputs.pos_q, c->inputs.pos_k};
  for (int i = 0; i < 5; i++) {
    int64_t elements = 0;
    if (all[i] == NULL || rpp_tensor_extent(all[i], &elements, NULL) != RPP_OK || elements == 0) continue;
    unsigned char *byte = (unsigned char *)all[i]->data + (elements - 1) * (int64_t)rpp_dtype_size(all[i]->dtype);
    *byte ^= 1;
    ck_assert_msg(!rpp_gen_recall(c, &spec), "%s: tensor %d", text, i);
    *byte ^= 1;
  }
}

START_TEST(a_label_is_no_proof) {
  static const char *const labels[] = {"", "a case of mine", "rope:lq=4,lk=5,d=8,seed=2", "rope:lq=4,lk=4,d=8,seed=3",
                                       "rope:h=1024,lq=2000000,lk=4,d=8,seed=2"};
  rpp_safetensors *file;
  rpp_case c;
  rpp_spec spec;
  rpp_message error;
  ck_assert_int_eq(rpp_gen_run("rope:lq=4,lk=4,d=8,seed=2", path, stderr), 0);
  ck_assert(rpp_safetensors_load(path, &file, &error) && rpp_case_read(file, &c, &error));
  ck_assert(rpp_gen_recall(&c, &spec) && spec.seed == 2);
  for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
    rpp_message_set(&c.name, "%s", labels[i]);
    ck_assert_msg(!rpp_gen_recall(&c, &spec), "%s", labels[i]);
  }
  rpp_safetensors_free(file);
}
END_TEST

START_TEST(files_hold_the_spec) {
  for (uint64_t n = 0; n < 400; n++) {
    const rpp_spec spec = rpp_spec_draw(9, n, NULL, NULL);
    if (spec.k_len > 1000) continue;
    rpp_generated g;
    rpp_safetensors *file;
    rpp_case c;
    rpp_message error;
    char text[RPP_SPEC_TEXT];
    rpp_spec_print(&spec, text);
    ck_assert_int_eq(rpp_gen_run(text, path, stderr), 0);
    ck_assert_msg(rpp_safetensors_load(path, &file, &error), "%s: %s", text, error.text);
    ck_assert_msg(rpp_case_read(file, &c, &error), "%s: %s", text, error.text);
    ck_assert(rpp_generate(&spec, RPP_F64, RPP_F64, &g, &error));
    check_problem(&c.attention, &spec.attention);
    check_tensor(c.inputs.q, &g.q);
    check_tensor(c.inputs.k, &g.k);
    check_tensor(c.inputs.v, &g.v);
    check_tensor(c.inputs.pos_q, &g.pos_q);
    check_tensor(c.inputs.pos_k, &g.pos_k);
    check_tensor(c.inputs.cu_q, &g.cu_q);
    check_tensor(c.inputs.cu_k, &g.cu_k);
    ck_assert_str_eq(rpp_safetensors_metadata(file, "name"), text);
    check_recalled(&c, text);
    rpp_generated_free(&g);
    rpp_safetensors_free(file);
  }
}
END_TEST

/* Status 2, one line, nothing written. */
START_TEST(what_goes_wrong_is_one_line) {
  static const struct {
    const char *spec, *path, *says;
  } wrong[] = {{"ec:h=3,kv=2", "/tmp/ropepp-gen-not", "SPEC: kv = 2"},
               {"ec:dtype=f\n8", "/tmp/ropepp-gen-not", "SPEC: dtype = f?8"},
               {"ec:", "/nowhere/case\033[2J", "/nowhere/case?[2J: cannot be written: No such file"},
               {"ec:", "/tmp", "/tmp: cannot be written: not a regular file"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char *text = NULL;
    size_t size = 0;
    FILE *complaints = open_memstream(&text, &size);
    ck_assert_int_eq(rpp_gen_run(wrong[i].spec, wrong[i].path, complaints), 2);
    fclose(complaints);
    ck_assert_msg(strstr(text, wrong[i].says) != NULL, "%s", text);
    ck_assert_ptr_eq(strchr(text, '\n'), text + size - 1);
    free(text);
  }
  ck_assert_int_ne(access("/tmp/ropepp-gen-not", F_OK), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gen");
  TCase *tests = tcase_create("gen");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, enter, leave);
  tcase_add_test(tests, files_hold_the_spec);
  tcase_add_test(tests, a_label_is_no_proof);
  tcase_add_test(tests, what_goes_wrong_is_one_line);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
