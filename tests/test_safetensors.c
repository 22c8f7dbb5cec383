/* safetensors.c: a right file is read as written; every wrong one is refused with one line that names what is wrong, and nothing
 * past the buffer is read (each is copied to a heap block of its exact size, for AddressSanitizer to guard). */
#include "files/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "case_builder.h"
#include "support.h"

static const char plain[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                            "\"b\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[8,16]}}";

/* Parses header and 16 bytes of data; the message on refusal, null when it was taken. */
static const char *refusal(const char *header, size_t data_size) {
  static rpp_message error;
  static const unsigned char data[64];
  size_t size;
  unsigned char *bytes = build_raw(header, data, data_size, &size);
  rpp_safetensors *file;
  const bool ok = rpp_safetensors_parse(bytes, size, &file, &error);
  ck_assert(ok == (file != NULL));
  rpp_safetensors_free(file);
  free(bytes);
  return ok ? NULL : error.text;
}

static void check_refused(const char *header, size_t data_size, const char *expected) {
  const char *got = refusal(header, data_size);
  ck_assert_msg(got != NULL, "taken: %s", header);
  ck_assert_msg(strstr(got, expected) != NULL, "'%s' does not hold '%s'", got, expected);
}

START_TEST(reads_what_was_written) {
  builder b = {0};
  build_key(&b, "format", "x");
  build_key(&b, "name", "caf\\u00e9 \\\"q\\\"");
  static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16, RPP_I64};
  for (int i = 0; i < 5; i++) {
    double *values = build_tensor(&b, rpp_dtype_name(dtypes[i]), dtypes[i], i % 4 + 1, (int64_t[]){3, 1, 1, 1});
    for (int j = 0; j < 3; j++) values[j] = i - 2 * j;
  }
  build_tensor(&b, "none", RPP_F64, 2, (int64_t[]){0, 7});
  size_t size;
  unsigned char *bytes = build_bytes(&b, &size);
  rpp_safetensors *file;
  rpp_message error;
  ck_assert(rpp_safetensors_parse(bytes, size, &file, &error));

  ck_assert_uint_eq(rpp_safetensors_metadata_count(file), 2);
  const char *value;
  ck_assert_str_eq(rpp_safetensors_metadata_at(file, 1, &value), "name");
  ck_assert_str_eq(value, "caf\xc3\xa9 \"q\"");
  ck_assert_str_eq(rpp_safetensors_metadata(file, "format"), "x");
  ck_assert_ptr_null(rpp_safetensors_metadata(file, "F64"));

  ck_assert_uint_eq(rpp_safetensors_tensor_count(file), 6);
  ck_assert_ptr_null(rpp_safetensors_tensor(file, "__metadata__"));
  for (int i = 0; i < 5; i++) {
    const rpp_tensor *t = rpp_safetensors_tensor(file, rpp_dtype_name(dtypes[i]));
    ck_assert(t != NULL && t->dtype == dtypes[i] && t->ndim == i % 4 + 1);
    for (int64_t j = 0; j < 3; j++) ck_assert_double_eq(rpp_tensor_get(t, (int64_t[]){j, 0, 0, 0}), (double)(i - 2 * j));
  }
  const char *name;
  ck_assert_ptr_eq(rpp_safetensors_tensor_at(file, 0, &name), rpp_safetensors_tensor(file, name));
  ck_assert_str_eq(name, "F64");
  rpp_safetensors_free(file);
  free(bytes);
  build_free(&b);
}
END_TEST

START_TEST(data_needs_no_alignment) {
  for (size_t pad = 0; pad < 8; pad++) {
    char header[200];
    const double value = 0.1;
    snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}%*s", (int)pad, "");
    size_t size;
    unsigned char *bytes = build_raw(header, &value, sizeof value, &size);
    rpp_safetensors *file;
    rpp_message error;
    ck_assert(rpp_safetensors_parse(bytes, size, &file, &error));
    ck_assert_double_eq(rpp_tensor_get(rpp_safetensors_tensor(file, "a"), (int64_t[]){0}), 0.1);
    rpp_safetensors_free(file);
    free(bytes);
  }
}
END_TEST

START_TEST(every_truncation_is_refused) {
  size_t size;
  unsigned char *whole = build_raw(plain, "0123456789abcdef", 16, &size);
  for (size_t length = 0; length <= size; length++) {
    unsigned char *bytes = malloc(length + (length == 0));
    memcpy(bytes, whole, length);
    rpp_safetensors *file;
    rpp_message error = {""};
    const bool ok = rpp_safetensors_parse(bytes, length, &file, &error);
    ck_assert_msg(ok == (length == size), "length %zu: %s", length, error.text);
    rpp_safetensors_free(file);
    free(bytes);
  }
  free(whole);
}
END_TEST

START_TEST(header_lengths) {
  static const struct {
    uint64_t length;
    const char *expected;
  } bad[] = {{UINT64_C(1) << 60, "header length = 1152921504606846976: must be at most 100000000"},
             {UINT64_MAX, "header length = 18446744073709551615: must be at most 100000000"},
             {UINT64_C(1) << 63, "header length = 9223372036854775808: must be at most 100000000"},
             {100000001, "header length = 100000001: must be at most 100000000"},
             {100000000, "header length = 100000000: passes the end of a file of"},
             {sizeof plain - 1 + 17, "passes the end of a file of"},
             {sizeof plain - 1 + 16, "header: not JSON"},
             {sizeof plain - 2, "header: not JSON"},
             {1, "header: not JSON"},
             {0, "header: must start with '{'"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    size_t size;
    unsigned char *bytes = build_raw(plain, "0123456789abcdef", 16, &size);
    memcpy(bytes, &bad[i].length, sizeof bad[i].length);
    rpp_safetensors *file;
    rpp_message error;
    ck_assert_msg(!rpp_safetensors_parse(bytes, size, &file, &error), "not '%s'", bad[i].expected);
    ck_assert_msg(strstr(error.text, bad[i].expected) != NULL, "'%s' does not hold '%s'", error.text, bad[i].expected);
    ck_assert_ptr_null(file);
    free(bytes);
  }
}
END_TEST

START_TEST(headers) {
  check_refused("", 16, "header: must start with '{'");
  check_refused(" {}", 0, "header: must start with '{'");
  check_refused("[]", 0, "header: must start with '{'");
  check_refused("{", 0, "header: not JSON");
  check_refused("{}x", 0, "header: not JSON");
  check_refused("{\"a\":1,}", 0, "header: not JSON");
  check_refused("{\"a\xff\":1}", 0, "header: not JSON");
  check_refused("{\"a\\u0000b\":1}", 0, "header: not JSON");
  check_refused("{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0, "header: not JSON");
  check_refused("{\"a\":99999999999999999999}", 0, "header: not JSON");
  check_refused("{\"__metadata__\":[]}", 0, "__metadata__");
  check_refused("{\"__metadata__\":{\"heads\":4}}", 0, "__metadata__: heads: must be a string");
  check_refused("{\"__metadata__\":{\"heads\":null}}", 0, "heads");
  ck_assert_ptr_null(refusal("{}", 0));
  ck_assert_ptr_null(refusal("{}   \n", 0));
  ck_assert_ptr_null(refusal(plain, 16));
}
END_TEST

START_TEST(duplicate_keys) {
  check_refused("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "duplicate object key");
  check_refused("{\"q\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"q\":{\"dtype\":\"F32\",\"shape\":[0],"
                "\"data_offsets\":[0,0]}}",
                0, "\"q\"");
  check_refused("{\"q\":{\"dtype\":\"F32\",\"shape\":[0],\"shape\":[0],\"data_offsets\":[0,0]}}", 0, "\"shape\"");
  /* The same key spelled with an escape. */
  check_refused("{\"__metadata__\":{\"a\":\"1\",\"\\u0061\":\"2\"}}", 0, "duplicate object key");
}
END_TEST

START_TEST(deep_nesting) {
  enum { DEPTH = 1000000 };
  char *header = malloc(DEPTH + 8);
  strcpy(header, "{\"a\":");
  memset(header + 5, '[', DEPTH);
  header[5 + DEPTH] = '\0';
  check_refused(header, 0, "header: not JSON: maximum parsing depth reached");
  free(header);
}
END_TEST

/* One tensor called q, with 16 bytes of data. */
static void check_tensor_refused(const char *dtype, const char *shape, const char *offsets, const char *expected) {
  char header[400];
  snprintf(header, sizeof header, "{\"q\":{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s}}", dtype, shape, offsets);
  check_refused(header, 16, expected);
}

START_TEST(tensor_fields) {
  check_refused("{\"q\":1}", 0, "q: must be an object of dtype, shape and data_offsets");
  check_refused("{\"q\":{}}", 0, "q: must be an object");
  check_refused("{\"q\":{\"dtype\":\"F32\",\"shape\":[0]}}", 0, "q: must be an object");
  check_refused("{\"q\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}}", 0, "q: must be an object");
  check_refused("{\"q\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offset\":[0,0]}}", 0, "q: must be an object");
  check_tensor_refused("\"F8\"", "[2]", "[0,16]", "q: dtype = F8");
  check_tensor_refused("\"f64\"", "[2]", "[0,16]", "q: dtype = f64");
  check_tensor_refused("\"?\"", "[2]", "[0,16]", "q: dtype = ?");
  check_tensor_refused("64", "[2]", "[0,16]", "q: dtype");
  check_tensor_refused("\"F64\"", "[]", "[0,16]", "q: shape");
  check_tensor_refused("\"F64\"", "2", "[0,16]", "q: shape");
  check_tensor_refused("\"F64\"", "[2,1,1,1,1]", "[0,16]", "q: shape");
  check_tensor_refused("\"F64\"", "[-2]", "[0,16]", "q: shape");
  check_tensor_refused("\"F64\"", "[2.0]", "[0,16]", "q: shape");
  check_tensor_refused("\"F64\"", "[\"2\"]", "[0,16]", "q: shape");
  check_tensor_refused("\"F64\"", "[[2]]", "[0,16]", "q: shape");
  check_tensor_refused("\"F64\"", "[4611686018427387904,4]", "[0,16]", "q: shape: its bytes overflow");
  check_tensor_refused("\"F64\"", "[4611686018427387904,4,0]", "[0,0]", "q: shape: its bytes overflow");
  check_tensor_refused("\"F64\"", "[0,4611686018427387904,4]", "[0,0]", "q: shape: its bytes overflow");
  check_tensor_refused("\"F64\"", "[2305843009213693954]", "[0,16]", "q: shape: its bytes overflow");
  check_tensor_refused("\"F16\"", "[4294967296,4294967296]", "[0,16]", "q: shape: its bytes overflow");
}
END_TEST

START_TEST(offsets) {
  check_tensor_refused("\"F64\"", "[2]", "[0,17]", "must not decrease and lie within 16 bytes of data");
  check_tensor_refused("\"F64\"", "[2]", "[8,24]", "must not decrease and lie within 16 bytes of data");
  check_tensor_refused("\"F64\"", "[2]", "[-8,8]", "must not decrease and lie within 16 bytes of data");
  check_tensor_refused("\"F64\"", "[2]", "[16,0]", "must not decrease and lie within 16 bytes of data");
  check_tensor_refused("\"F64\"", "[2]", "[0]", "q: data_offsets");
  check_tensor_refused("\"F64\"", "[2]", "[0,16,16]", "q: data_offsets");
  check_tensor_refused("\"F64\"", "[2]", "[0,16.0]", "q: data_offsets");
  check_tensor_refused("\"F64\"", "[2]", "null", "q: data_offsets");
  check_tensor_refused("\"F64\"", "[2]", "[9223372036854775800,9223372036854775807]",
                       "must not decrease and lie within 16 bytes of data");
  check_tensor_refused("\"F64\"", "[1]", "[0,16]", "q: data_offsets: 16 bytes, but its dtype and shape need 8");
  check_tensor_refused("\"F64\"", "[3]", "[0,16]", "q: data_offsets");
  check_tensor_refused("\"F64\"", "[1]", "[0,8]", "data: 8 trailing bytes");
  check_tensor_refused("\"F64\"", "[1]", "[8,16]", "q: data_offsets: 8 unused bytes before it");
  check_refused("{}", 1, "data: 1 trailing bytes");
}
END_TEST

START_TEST(tiling) {
#define TENSOR(name, begin, end) "\"" name "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" begin "," end "]}"
  check_refused("{" TENSOR("a", "0", "8") "," TENSOR("b", "4", "12") "}", 12, "b: data_offsets: overlaps a");
  check_refused("{" TENSOR("a", "0", "8") "," TENSOR("b", "0", "8") "}", 8, "data_offsets: overlaps");
  check_refused("{" TENSOR("a", "0", "8") "," TENSOR("b", "12", "20") "}", 20, "b: data_offsets: 4 unused bytes before it");
  check_refused("{" TENSOR("a", "0", "8") "," TENSOR("b", "8", "16") "}", 17, "data: 1 trailing bytes");
  ck_assert_ptr_null(refusal("{" TENSOR("b", "8", "16") "," TENSOR("a", "0", "8") "}", 16));
#define EMPTY(name, at) "\"" name "\":{\"dtype\":\"F32\",\"shape\":[2,0],\"data_offsets\":[" at "," at "]}"
  ck_assert_ptr_null(
      refusal("{" EMPTY("e", "8") "," TENSOR("b", "8", "16") "," TENSOR("a", "0", "8") "," EMPTY("f", "16") "}", 16));
  check_refused("{" EMPTY("e", "4") "," TENSOR("a", "0", "8") "}", 8, "e: data_offsets: overlaps a");
}
END_TEST

START_TEST(hostile_names_stay_on_one_line) {
  const char *got = refusal("{\"a\\n\\u001b[2J\\u009b\xe2\x80\xae\":1}", 0);
  ck_assert_str_eq(got, "a??[2J?????: must be an object of dtype, shape and data_offsets");
}
END_TEST

static char folder[] = "/tmp/ropepp-safetensors-XXXXXX", path[64], fifo[64];

/* In the parent, so that the folder goes even when a test fails. */
static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/file", folder);
  snprintf(fifo, sizeof fifo, "%s/fifo", folder);
}

static void teardown(void) {
  unlink(path);
  unlink(fifo);
  rmdir(folder);
}

START_TEST(paths) {
  rpp_safetensors *file;
  rpp_message error;

  ck_assert(!rpp_safetensors_load(path, &file, &error));
  ck_assert_str_eq(error.text, "cannot be opened: No such file or directory");
  ck_assert(!rpp_safetensors_load(folder, &file, &error));
  ck_assert_str_eq(error.text, "not a regular file");
  ck_assert_int_eq(mkfifo(fifo, 0600), 0);
  ck_assert(!rpp_safetensors_load(fifo, &file, &error)); /* must not wait for a writer */
  ck_assert_str_eq(error.text, "not a regular file");
  ck_assert(!rpp_safetensors_load("/dev/null", &file, &error));
  build_save(path, "", 0);
  ck_assert(!rpp_safetensors_load(path, &file, &error));
  ck_assert_str_eq(error.text, "size = 0 bytes: too short for a safetensors file");

  size_t size;
  unsigned char *bytes = build_raw(plain, "0123456789abcdef", 16, &size);
  build_save(path, bytes, size);
  ck_assert(rpp_safetensors_load(path, &file, &error));
  ck_assert_uint_eq(rpp_safetensors_tensor_count(file), 2);
  rpp_safetensors_free(file);
  if (geteuid() != 0) { /* nothing is unreadable to root */
    ck_assert_int_eq(chmod(path, 0), 0);
    ck_assert(!rpp_safetensors_load(path, &file, &error));
    ck_assert_str_eq(error.text, "cannot be opened: Permission denied");
  }
  free(bytes);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("safetensors");
  TCase *tests = tcase_create("safetensors");
  tcase_add_unchecked_fixture(tests, setup, teardown);
  tcase_add_test(tests, reads_what_was_written);
  tcase_add_test(tests, data_needs_no_alignment);
  tcase_add_test(tests, every_truncation_is_refused);
  tcase_add_test(tests, header_lengths);
  tcase_add_test(tests, headers);
  tcase_add_test(tests, duplicate_keys);
  tcase_add_test(tests, deep_nesting);
  tcase_add_test(tests, tensor_fields);
  tcase_add_test(tests, offsets);
  tcase_add_test(tests, tiling);
  tcase_add_test(tests, hostile_names_stay_on_one_line);
  tcase_add_test(tests, paths);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
