/* check_run.c: the command: exit statuses, the table, the JSON, one line for a file that cannot be judged. */
#include "check_run.h"

#include <glob.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case_builder.h"
#include "files/safetensors.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-check-XXXXXX", path[64], other[64];
static char *out, *complaints; /* what the last run wrote to its stream and to stderr */

/* In the parent, so that the folder goes even when a test fails. */
static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/case.safetensors", folder);
  snprintf(other, sizeof other, "%s/other.safetensors", folder);
}

static void teardown(void) {
  unlink(path);
  unlink(other);
  rmdir(folder);
  free(out);
  free(complaints);
}

static int run(int count, char **paths, rpp_format format) {
  free(out);
  free(complaints);
  size_t size;
  FILE *stream = open_memstream(&out, &size), *caught = tmpfile();
  ck_assert(stream != NULL && caught != NULL);
  fflush(stderr);
  const int saved = dup(STDERR_FILENO);
  dup2(fileno(caught), STDERR_FILENO);
  const int status = rpp_check_run(count, paths, format, stream);
  fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
  fclose(stream);
  size = (size_t)lseek(fileno(caught), 0, SEEK_END);
  complaints = calloc(size + 1, 1);
  ck_assert_int_eq(pread(fileno(caught), complaints, size, 0), (ssize_t)size);
  fclose(caught);
  return status;
}

static int run_one(const char *name, rpp_format format) {
  return run(1, (char *[]){(char *)name}, format);
}

/* Exit 2, and one line: program, command, file, message. */
static void check_bad(const char *name, const char *message) {
  char start[256];
  ck_assert_int_eq(run_one(name, RPP_FORMAT_HUMAN), 2);
  snprintf(start, sizeof start, "ropepp-verify: check: %s: ", name);
  ck_assert_msg(strncmp(complaints, start, strlen(start)) == 0, "'%s'", complaints);
  ck_assert_ptr_eq(strchr(complaints, '\n'), complaints + strlen(complaints) - 1);
  ck_assert_uint_gt(strlen(complaints), strlen(start) + 5);
  if (message != NULL) ck_assert_msg(strstr(complaints, message) != NULL, "'%s' does not hold '%s'", complaints, message);
  ck_assert_str_eq(out, "");
}

static glob_t golden(void) {
  char pattern[512];
  glob_t found;
  ck_assert_ptr_nonnull(getenv("ROPEPP_GOLDEN"));
  snprintf(pattern, sizeof pattern, "%s/*.safetensors", getenv("ROPEPP_GOLDEN"));
  ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
  ck_assert_uint_eq(found.gl_pathc, 15);
  return found;
}

static unsigned char *read_all(const char *name, size_t *size) {
  FILE *f = fopen(name, "rb");
  ck_assert_ptr_nonnull(f);
  fseek(f, 0, SEEK_END);
  *size = (size_t)ftell(f);
  rewind(f);
  unsigned char *bytes = malloc(*size);
  ck_assert_uint_eq(fread(bytes, 1, *size, f), *size);
  fclose(f);
  return bytes;
}

/* Where the data of a tensor starts in the bytes of a file. */
static double *data_of(unsigned char *bytes, size_t size, const char *tensor, int64_t *elements) {
  rpp_safetensors *file;
  rpp_message error;
  int64_t span;
  ck_assert(rpp_safetensors_parse(bytes, size, &file, &error));
  double *data = (double *)rpp_safetensors_tensor(file, tensor)->data;
  rpp_tensor_extent(rpp_safetensors_tensor(file, tensor), elements, &span);
  rpp_safetensors_free(file);
  return data;
}

START_TEST(golden_cases_pass) {
  glob_t found = golden();
  ck_assert_int_eq(run((int)found.gl_pathc, found.gl_pathv, RPP_FORMAT_HUMAN), 0);
  ck_assert_str_eq(complaints, "");
  ck_assert_ptr_nonnull(strstr(out, "\n92 tensors in 15 cases: pass\n"));
  ck_assert_ptr_nonnull(strstr(out, "\n22_layer_eh "));
  ck_assert_ptr_null(strstr(out, "FAIL"));

  ck_assert_int_eq(run((int)found.gl_pathc, found.gl_pathv, RPP_FORMAT_JSON), 0);
  json_t *report = json_loads(out, 0, NULL), *cases = json_object_get(report, "cases"), *c, *t;
  ck_assert(json_is_true(json_object_get(report, "pass")));
  ck_assert_uint_eq(json_array_size(cases), 15);
  size_t i, j, tensors = 0;
  json_array_foreach(cases, i, c) {
    ck_assert_str_eq(json_string_value(json_object_get(c, "file")), found.gl_pathv[i]);
    ck_assert(json_is_true(json_object_get(c, "pass")) && json_is_string(json_object_get(c, "name")));
    json_array_foreach(json_object_get(c, "tensors"), j, t) {
      tensors++;
      ck_assert(json_is_true(json_object_get(t, "pass")) && json_integer_value(json_object_get(t, "elements")) > 0);
      ck_assert_double_le(json_number_value(json_object_get(t, "deviation")), 1e-12);
      ck_assert_double_eq(json_number_value(json_object_get(t, "bound")), 1e-12);
      ck_assert_uint_ge(json_array_size(json_object_get(json_object_get(t, "worst"), "index")), 3);
    }
  }
  ck_assert_uint_eq(tensors, 92);
  json_decref(report);
  globfree(&found);
}
END_TEST

START_TEST(one_changed_element_of_out_fails) {
  glob_t found = golden();
  for (size_t i = 0; i < found.gl_pathc; i++) {
    size_t size;
    int64_t n, largest = 0;
    unsigned char *bytes = read_all(found.gl_pathv[i], &size);
    double *at = data_of(bytes, size, "out", &n);
    double value, best = 0;
    for (int64_t e = 0; e < n; e++) {
      memcpy(&value, at + e, sizeof value);
      if (fabs(value) > fabs(best)) best = value, largest = e;
    }
    value = best * (1 + 1e-6);
    memcpy(at + largest, &value, sizeof value);
    build_save(path, bytes, size);
    ck_assert_int_eq(run_one(path, RPP_FORMAT_HUMAN), 1);
    ck_assert(strstr(out, "FAIL") != NULL && strstr(out, ": pass") == NULL && strstr(out, "worst at (b=") != NULL);

    value = NAN;
    memcpy(at + n - 1, &value, sizeof value);
    build_save(path, bytes, size);
    ck_assert_int_eq(run_one(path, RPP_FORMAT_HUMAN), 1);
    ck_assert(strstr(out, "got nan (nan)") != NULL && strstr(out, ": FAIL\n") != NULL);
    free(bytes);
  }
  globfree(&found);
}
END_TEST

START_TEST(a_truncated_copy_cannot_be_judged) {
  glob_t found = golden();
  for (size_t i = 0; i < found.gl_pathc; i++) {
    size_t size;
    unsigned char *bytes = read_all(found.gl_pathv[i], &size);
    for (size_t length = 0; length < size; length += length < 1400 ? 41 : 2 + size / 23) {
      build_save(path, bytes, length);
      check_bad(path, NULL);
    }
    build_save(path, bytes, size - 1);
    check_bad(path, NULL);
    bytes = realloc(bytes, size + 1);
    bytes[size] = 0;
    build_save(path, bytes, size + 1);
    check_bad(path, "data: 1 trailing bytes");
    free(bytes);
  }
  globfree(&found);
}
END_TEST

START_TEST(the_worst_element_is_printed) {
  builder b = {0};
  build_attention(&b);
  build_key(&b, "scale", "0");
  double *v = build_find(&b, "v")->values, *answer = build_tensor(&b, "out", RPP_F64, 4, (int64_t[]){2, 3, 8, 3});
  for (int i = 0; i < 60; i++) v[i] = 1; /* constant V returns itself */
  for (int i = 0; i < 144; i++) answer[i] = 1;
  build_write(&b, path);
  ck_assert_int_eq(run_one(path, RPP_FORMAT_HUMAN), 0);
  ck_assert_ptr_nonnull(strstr(out, "\n1 tensor in 1 case: pass\n"));

  answer[((1 * 3 + 2) * 8 + 5) * 3 + 1] = 1.5;
  build_write(&b, path);
  ck_assert_int_eq(run_one(path, RPP_FORMAT_HUMAN), 1);
  ck_assert_ptr_nonnull(
      strstr(out, "worst at (b=1, t=2, h=5, d=1): expected 0x1p+0 (1), got 0x1.8p+0 (1.5), 5e+11 times the bound\n"));
  ck_assert_ptr_nonnull(strstr(out, "\n1 tensor in 1 case: FAIL\n"));

  answer[0] = -INFINITY;
  build_write(&b, path);
  ck_assert_int_eq(run_one(path, RPP_FORMAT_JSON), 1);
  json_t *report = json_loads(out, 0, NULL);
  json_t *t = json_array_get(json_object_get(json_array_get(json_object_get(report, "cases"), 0), "tensors"), 0);
  ck_assert(json_is_false(json_object_get(report, "pass")) && json_is_false(json_object_get(t, "pass")));
  ck_assert_str_eq(json_string_value(json_object_get(t, "deviation")), "inf");
  ck_assert_str_eq(json_string_value(json_object_get(json_object_get(t, "worst"), "got")), "-inf");
  ck_assert_double_eq(json_number_value(json_object_get(json_object_get(t, "worst"), "expected")), 1);
  json_decref(report);
  build_free(&b);
}
END_TEST

START_TEST(a_bad_file_does_not_stop_the_others) {
  glob_t found = golden();
  build_save(path, "junk", 4);
  char *paths[] = {found.gl_pathv[0], path, found.gl_pathv[1]};
  ck_assert_int_eq(run(3, paths, RPP_FORMAT_HUMAN), 2);
  ck_assert_ptr_nonnull(strstr(complaints, "case.safetensors: size = 4 bytes"));
  ck_assert_ptr_nonnull(strstr(out, "\n12 tensors in 2 cases: FAIL (1 more file could not be judged)\n"));
  ck_assert_int_eq(run(3, paths, RPP_FORMAT_JSON), 2);
  json_t *report = json_loads(out, 0, NULL), *bad = json_array_get(json_object_get(report, "cases"), 1);
  ck_assert(json_is_false(json_object_get(report, "pass")) && json_is_false(json_object_get(bad, "pass")));
  ck_assert_str_eq(json_string_value(json_object_get(bad, "file")), path);
  ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(bad, "error")), "size = 4 bytes"));
  json_decref(report);
  globfree(&found);
}
END_TEST

START_TEST(one_mismatch_among_passes_fails) {
  glob_t found = golden();
  size_t size;
  int64_t n;
  unsigned char *bytes = read_all(found.gl_pathv[0], &size);
  data_of(bytes, size, "out", &n)[0] = 42;
  build_save(path, bytes, size);
  char *paths[] = {path, found.gl_pathv[0]};
  ck_assert_int_eq(run(2, paths, RPP_FORMAT_HUMAN), 1);
  ck_assert_ptr_nonnull(strstr(out, "\n10 tensors in 2 cases: FAIL\n"));
  free(bytes);
  globfree(&found);
}
END_TEST

START_TEST(nothing_judged_is_not_a_pass) {
  ck_assert_int_eq(run(0, NULL, RPP_FORMAT_HUMAN), 2);
  ck_assert_str_eq(complaints, "ropepp-verify: check: no case file given\n");

  builder b = {0};
  build_attention(&b);
  build_write(&b, path);
  check_bad(path, "nothing to judge");
  build_tensor(&b, "v", RPP_F64, 4, (int64_t[]){2, 5, 2, 0});
  build_tensor(&b, "out", RPP_F64, 4, (int64_t[]){2, 3, 8, 0});
  build_write(&b, path);
  ck_assert_int_eq(run_one(path, RPP_FORMAT_HUMAN), 1);
  ck_assert_ptr_nonnull(strstr(out, "FAIL: no element to judge\n"));
  ck_assert_int_eq(run_one(path, RPP_FORMAT_JSON), 1);
  ck_assert_ptr_nonnull(strstr(out, "\"worst\": null"));
  build_free(&b);
}
END_TEST

START_TEST(hostile_files) {
  builder b = {0};
  size_t size;
  build_attention(&b);
  build_tensor(&b, "out", RPP_F64, 4, (int64_t[]){2, 3, 8, 3});
  unsigned char *bytes = build_bytes(&b, &size);
  const uint64_t length = UINT64_C(1) << 60;
  memcpy(bytes, &length, sizeof length);
  build_save(path, bytes, size);
  check_bad(path, "header length = 1152921504606846976");
  free(bytes);

  build_key(&b, "scale", "nan");
  build_write(&b, path);
  check_bad(path, "scale = nan: must be a finite decimal number");
  build_key(&b, "scale", "1\\n2");
  build_write(&b, path);
  check_bad(path, "scale = 1?2: ");
  build_key(&b, "scale", NULL);
  build_key(&b, "mode", "eh");
  build_key(&b, "heads", "3");
  build_write(&b, path);
  check_bad(path, "heads = 3");
  build_free(&b);

  check_bad(folder, "not a regular file");
  check_bad(other, "No such file");
}
END_TEST

START_TEST(a_path_of_any_bytes) {
  char odd[64];
  snprintf(odd, sizeof odd, "%s/a\n\xff\x1b", folder);
  ck_assert_int_eq(run_one(odd, RPP_FORMAT_HUMAN), 2);
  ck_assert_ptr_eq(strchr(complaints, '\n'), complaints + strlen(complaints) - 1);
  ck_assert_ptr_null(strchr(complaints, '\x1b'));
  ck_assert_int_eq(run_one(odd, RPP_FORMAT_JSON), 2);
  json_t *report = json_loads(out, 0, NULL);
  ck_assert_ptr_nonnull(report);
  json_decref(report);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_run");
  TCase *tests = tcase_create("check_run");
  tcase_set_timeout(tests, 60);
  tcase_add_unchecked_fixture(tests, setup, teardown);
  tcase_add_test(tests, golden_cases_pass);
  tcase_add_test(tests, one_changed_element_of_out_fails);
  tcase_add_test(tests, a_truncated_copy_cannot_be_judged);
  tcase_add_test(tests, the_worst_element_is_printed);
  tcase_add_test(tests, a_bad_file_does_not_stop_the_others);
  tcase_add_test(tests, one_mismatch_among_passes_fails);
  tcase_add_test(tests, nothing_judged_is_not_a_pass);
  tcase_add_test(tests, hostile_files);
  tcase_add_test(tests, a_path_of_any_bytes);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
