/* truth.c: the main job: identities and cases in one table, and what a plant in a case must show. The identities are synthetic. */
#include "judge/truth.h"

#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "files/safetensors.h"
#include "right_cases.h"
#include "support.h"
#include "synthetic_identities.h"

static char folder[] = "/tmp/ropepp-truth-XXXXXX", path[64], other[64];
static char *out, *complaints; /* what the last run wrote to its stream and to stderr */
static glob_t golden;

static void setup(void) {
  char pattern[512];
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/case.v1.safetensors", folder);
  snprintf(other, sizeof other, "%s/other.safetensors", folder);
  ck_assert_ptr_nonnull(getenv("ROPEPP_GOLDEN"));
  snprintf(pattern, sizeof pattern, "%s/*.safetensors", getenv("ROPEPP_GOLDEN"));
  ck_assert_int_eq(glob(pattern, 0, NULL, &golden), 0);
  ck_assert_uint_gt(golden.gl_pathc, 2);
}

static void teardown(void) {
  unlink(path);
  unlink(other);
  rmdir(folder);
  free(out);
  free(complaints);
  globfree(&golden);
}

static int run(int count, char **paths) {
  free(out);
  free(complaints);
  size_t size;
  FILE *stream = open_memstream(&out, &size), *caught = tmpfile();
  ck_assert(stream != NULL && caught != NULL);
  fflush(stderr);
  const int saved = dup(STDERR_FILENO);
  dup2(fileno(caught), STDERR_FILENO);
  const int status = rpp_truth_run(count, paths, stream);
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

static int lines(const char *text) {
  int count = 0;
  for (; *text; text++) count += *text == '\n';
  return count;
}

static void wants(const char *part) {
  ck_assert_msg(strstr(out, part) != NULL, "no \"%s\" in:\n%s", part, out);
}

/* A copy of a golden file at path: the element of out that is largest becomes changed, and cut bytes at the end are missing. */
static void damaged_copy(const char *name, double (*change)(double), size_t cut) {
  FILE *f = fopen(name, "rb");
  ck_assert_ptr_nonnull(f);
  static unsigned char bytes[1 << 22];
  const size_t size = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  rpp_safetensors *file;
  rpp_message error;
  ck_assert_msg(rpp_safetensors_parse(bytes, size, &file, &error), "%s", error.text);
  const rpp_tensor *t = rpp_safetensors_tensor(file, "out");
  int64_t elements, largest = 0;
  support_accepted(rpp_tensor_extent(t, &elements, NULL));
  double *values = t->data;
  for (int64_t i = 1; i < elements; i++)
    if (fabs(values[i]) > fabs(values[largest])) largest = i;
  values[largest] = change(values[largest]);
  rpp_safetensors_free(file);
  build_save(path, bytes, size - cut);
}

static double same(double x) {
  return x;
}
static double larger(double x) {
  return x * (1 + 1e-6);
}
static double broken(double x) {
  return x * NAN;
}

START_TEST(golden_cases_hold) {
  const int count = (int)golden.gl_pathc;
  ck_assert_int_eq(run(count, golden.gl_pathv), 0);
  ck_assert_str_eq(complaints, "");
  ck_assert_int_eq(lines(out), 1 + SYNTHETIC_COUNT + count + 1);
  wants("what                                 equation  deviation     bound  cases  plant   verdict\nexact ");
  wants("\n01_rope_mha_half                     ");
  char verdict[128];
  snprintf(verdict, sizeof verdict, "\n%d identities, 0 failed; %d cases, 0 failed: the truth holds\n", SYNTHETIC_COUNT, count);
  wants(verdict);
  ck_assert(strstr(out, "FAIL") == NULL && strstr(out, "MISSED") == NULL);
}
END_TEST

START_TEST(a_damaged_copy_fails) {
  double (*const changes[])(double) = {larger, broken};
  for (int i = 0; i < 2; i++) {
    damaged_copy(golden.gl_pathv[i], changes[i], 0);
    ck_assert_int_eq(run(1, (char *[]){path}), 1);
    ck_assert_str_eq(complaints, "");
    wants("\ncase                                 out ");
    wants(" FAIL\n3 identities, 0 failed; 1 cases, 1 failed: FAIL\n");
    damaged_copy(golden.gl_pathv[i], same, 0); /* the copying itself is right */
    ck_assert_int_eq(run(1, (char *[]){path}), 0);
  }
}
END_TEST

START_TEST(a_truncated_copy_cannot_be_judged) {
  const size_t cuts[] = {1, 8, 3000};
  for (int i = 0; i < 3; i++) {
    damaged_copy(golden.gl_pathv[0], same, cuts[i]);
    ck_assert_int_eq(run(1, (char *[]){path}), 2);
    char start[128];
    snprintf(start, sizeof start, "ropepp-verify: truth: %s: ", path);
    ck_assert_msg(strncmp(complaints, start, strlen(start)) == 0 && lines(complaints) == 1, "%s", complaints);
    wants("\n3 identities, 0 failed; 1 cases, 1 failed: FAIL\n");
  }
}
END_TEST

START_TEST(the_rest_goes_on) {
  damaged_copy(golden.gl_pathv[0], larger, 0);
  ck_assert_int_eq(run(4, (char *[]){other, golden.gl_pathv[0], path, golden.gl_pathv[1]}), 2); /* a bad file outranks a failure */
  ck_assert_ptr_nonnull(strstr(complaints, "No such file"));
  ck_assert_int_eq(lines(complaints), 1);
  ck_assert_int_eq(lines(out), 1 + SYNTHETIC_COUNT + 3 + 1);
  wants("\n3 identities, 0 failed; 4 cases, 2 failed: FAIL\n");
}
END_TEST

START_TEST(identities_count) {
  ck_assert_int_eq(run(0, NULL), 0);
  wants("\n3 identities, 0 failed; 0 cases, 0 failed: the truth holds\n");
  synthetic_deviation = 1;
  ck_assert_int_eq(run(1, golden.gl_pathv), 1);
  wants("\n3 identities, 1 failed; 1 cases, 0 failed: FAIL\n");
  synthetic_deviation = 0, synthetic_planted = 0;
  ck_assert_int_eq(run(1, golden.gl_pathv), 1);
  wants(" MISSED  FAIL\n");
}
END_TEST

/* Whatever a case holds and however it is stored, its plants are planted and caught. */
START_TEST(plants_of_every_case_are_caught) {
  const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  for (int dtype = 0; dtype < 4; dtype++) {
    builder b = build_right_case(_i, dtypes[dtype]);
    build_write(&b, path);
    build_free(&b);
    ck_assert_msg(run(1, (char *[]){path}) == 0, "%s, %s:\n%s%s", build_right_cases[_i], rpp_dtype_name(dtypes[dtype]), out,
                  complaints);
    wants("  caught  ok\n3 identities, 0 failed; 1 cases, 0 failed: the truth holds\n");
  }
}
END_TEST

/* Expected tensors of nothing but zeros and -inf: a change by a part in 10^6 would be none. */
START_TEST(plants_where_nothing_is_seen) {
  builder b = {0};
  build_attention(&b);
  build_key(&b, "causal_offset", "-3");
  build_tensor(&b, "out", RPP_F64, 4, (int64_t[]){2, 3, 8, 3});
  double *lse = build_tensor(&b, "lse", RPP_F64, 3, (int64_t[]){2, 8, 3});
  for (int i = 0; i < 48; i++) lse[i] = -INFINITY;
  build_write(&b, path);
  ck_assert_int_eq(run(1, (char *[]){path}), 0);
  wants("  caught  ok\n3 identities, 0 failed; 1 cases, 0 failed: the truth holds\n");
  lse[47] = -1e308;
  build_write(&b, path);
  ck_assert_int_eq(run(1, (char *[]){path}), 1);
  build_free(&b);
}
END_TEST

START_TEST(what_cannot_be_judged) {
  builder b = {0};
  build_attention(&b);
  build_write(&b, path);
  ck_assert_int_eq(run(1, (char *[]){path}), 2); /* nothing expected */
  build_tensor(&b, "v", RPP_F64, 4, (int64_t[]){2, 5, 2, 0});
  build_tensor(&b, "out", RPP_F64, 4, (int64_t[]){2, 3, 8, 0});
  build_write(&b, path);
  ck_assert_int_eq(run(1, (char *[]){path}), 1); /* no element */
  build_free(&b);
  ck_assert_int_eq(run(1, (char *[]){folder}), 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("truth");
  TCase *tests = tcase_create("truth");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, golden_cases_hold);
  tcase_add_test(tests, a_damaged_copy_fails);
  tcase_add_test(tests, a_truncated_copy_cannot_be_judged);
  tcase_add_test(tests, the_rest_goes_on);
  tcase_add_test(tests, identities_count);
  tcase_add_loop_test(tests, plants_of_every_case_are_caught, 0, BUILD_RIGHT_CASES);
  tcase_add_test(tests, plants_where_nothing_is_seen);
  tcase_add_test(tests, what_cannot_be_judged);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
