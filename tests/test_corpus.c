/* test_corpus.c: lines of specs: read strictly, appended once. */
#include "cases/corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

static char path[] = "/tmp/ropepp-corpus-XXXXXX";

static void setup(void) {
  close(mkstemp(path));
}

static void teardown(void) {
  unlink(path);
}

static void write_text(const char *text) {
  FILE *file = fopen(path, "w");
  fputs(text, file);
  fclose(file);
}

static int lines(void) {
  FILE *file = fopen(path, "r");
  int count = 0;
  for (int c; (c = fgetc(file)) != EOF;) count += c == '\n';
  fclose(file);
  return count;
}

static void add(rpp_corpus *corpus, int64_t index, int kernel, uint64_t seed) {
  rpp_corpus_case one = {.index = index, .kernel = kernel, .spec = rpp_spec_default(RPP_MODE_EH)};
  one.spec.seed = seed;
  ck_assert(rpp_corpus_add(corpus, &one));
}

START_TEST(reading) {
  rpp_corpus corpus = {0};
  rpp_message error;
  write_text("# a comment\n\n  ec:h=4,kv=2,seed=3  # blocked\r\n\trope:scaling=(linear:factor=2)\nec:lq=1");
  ck_assert_msg(rpp_corpus_read(path, &corpus, &error), "%s", error.text);
  ck_assert_int_eq(corpus.count, 3);
  ck_assert_int_eq(corpus.cases[0].spec.attention.kv_heads, 2);
  ck_assert_double_eq(corpus.cases[1].spec.attention.rotary.scaling.factor, 2);
  ck_assert_int_eq(corpus.cases[2].spec.q_len, 1);
  ck_assert(rpp_corpus_read(path, &corpus, &error)); /* a second file comes after the first */
  ck_assert_int_eq(corpus.count, 6);
  rpp_corpus_free(&corpus);

  write_text("ec:h=2\n# fine\nec:h=two\nec:h=3\n");
  ck_assert(!rpp_corpus_read(path, &corpus, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "line 3: h = two"));
  ck_assert(!rpp_corpus_read("/nonexistent/file", &corpus, &error));
  rpp_corpus_free(&corpus);
}
END_TEST

START_TEST(appending) {
  const char *const kernels[] = {"first", "second"};
  rpp_corpus corpus = {0}, again = {0};
  rpp_message error;
  write_text("# kept\neh:h=2,kv=2,lq=16,lk=16,d=64,seed=1\neh:h=2,kv=2,l"); /* the last line is broken off */
  for (int i = 0; i < 4; i++) add(&corpus, i, i % 2, (uint64_t)i);
  ck_assert_msg(rpp_corpus_append(&corpus, path, kernels, &error), "%s", error.text);
  ck_assert_int_eq(lines(), 6);
  for (int i = 0; i < 2; i++) ck_assert(rpp_corpus_append(&corpus, path, kernels, &error)); /* nothing is new */
  ck_assert_int_eq(lines(), 6);
  rpp_corpus_free(&corpus);

  write_text("");
  add(&corpus, 0, 1, 5);
  add(&corpus, 1, 1, 5);
  ck_assert(rpp_corpus_append(&corpus, path, kernels, &error) && rpp_corpus_read(path, &again, &error));
  ck_assert_int_eq(again.count, 1);
  ck_assert_uint_eq(again.cases[0].spec.seed, 5);
  ck_assert(!rpp_corpus_append(&corpus, "/nonexistent/file", kernels, &error));
  rpp_corpus_free(&corpus);
  rpp_corpus_free(&again);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("corpus");
  TCase *tests = tcase_create("corpus");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, reading);
  tcase_add_test(tests, appending);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
