/* test_npy.c: a right .npy file is read as written, in either order; every wrong one is refused with one line, and nothing past the buffer
 * is read (each is copied to a heap block of its exact size, for AddressSanitizer to guard). */
#include "files/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "case_builder.h"
#include "support.h"

#define DICT(descr, fortran, shape) "{'descr': '" descr "', 'fortran_order': " fortran ", 'shape': " shape ", }"

/* A file of a version, a header and data, in a block of its own. */
static unsigned char *build(int major, const char *header, const void *data, size_t data_size, size_t *size) {
  const size_t length = strlen(header), prefix = major == 1 ? 10 : 12;
  unsigned char *bytes = malloc(prefix + length + data_size);
  ck_assert_ptr_nonnull(bytes);
  memcpy(bytes, "\x93NUMPY", 6);
  bytes[6] = (unsigned char)major, bytes[7] = 0;
  for (size_t i = 8; i < prefix; i++) bytes[i] = (unsigned char)(length >> 8 * (i - 8));
  memcpy(bytes + prefix, header, length);
  if (data_size > 0) memcpy(bytes + prefix + length, data, data_size);
  *size = prefix + length + data_size;
  return bytes;
}

/* What is said of a file with so many bytes of zeros; null: it is taken. */
static const char *refusal(int major, const char *header, size_t data_size) {
  static rpp_message error;
  static const unsigned char data[128];
  size_t size;
  rpp_npy npy;
  unsigned char *bytes = build(major, header, data, data_size, &size);
  const bool good = rpp_npy_parse(bytes, size, &npy, &error);
  ck_assert(good == (npy.tensor.ndim > 0));
  rpp_npy_free(&npy);
  free(bytes);
  return good ? NULL : error.text;
}

static void refused(const char *header, size_t data_size, const char *expected) {
  const char *got = refusal(1, header, data_size);
  ck_assert_msg(got != NULL, "taken: %s", header);
  ck_assert_msg(strstr(got, expected) != NULL, "'%s' does not hold '%s'", got, expected);
}

static double at(const rpp_npy *npy, int64_t i, int64_t j) {
  return rpp_tensor_get(&npy->tensor, (int64_t[]){i, j});
}

START_TEST(what_numpy_writes) {
  /* np.save of np.arange(6, dtype=...).reshape(2, 3), as NumPy 1.24 pads it. */
  static const struct {
    const char *descr;
    rpp_dtype dtype;
    size_t element;
  } kinds[] = {{"<f8", RPP_F64, 8}, {"<f4", RPP_F32, 4}, {"<f2", RPP_F16, 2}, {"<i8", RPP_I64, 8}, {"<i4", RPP_I64, 4}};
  for (int kind = 0; kind < 5; kind++)
    for (int major = 1; major <= 3; major++) {
      char header[128];
      unsigned char data[48];
      size_t size;
      rpp_npy npy;
      rpp_message error;
      for (int i = 0; i < 6; i++) {
        const rpp_tensor one = {data, kinds[kind].dtype, 1, {6}, {1}, 0};
        const int32_t narrow = i - 3;
        const int64_t index = i;
        if (kinds[kind].element == 4 && kinds[kind].dtype == RPP_I64)
          memcpy(data + 4 * i, &narrow, 4);
        else
          rpp_tensor_set(&one, &index, i - 3);
      }
      snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }%*s\n", kinds[kind].descr, 58, "");
      unsigned char *bytes = build(major, header, data, 6 * kinds[kind].element, &size);
      ck_assert_msg(rpp_npy_parse(bytes, size, &npy, &error), "%s", error.text);
      ck_assert(npy.tensor.dtype == kinds[kind].dtype && npy.tensor.ndim == 2);
      for (int i = 0; i < 6; i++) ck_assert_double_eq(at(&npy, i / 3, i % 3), i - 3);
      rpp_npy_free(&npy);
      free(bytes);
    }
}
END_TEST

START_TEST(fortran_order) {
  const double data[] = {0, 1, 2, 3, 4, 5};
  size_t size;
  rpp_npy npy;
  rpp_message error;
  unsigned char *bytes = build(1, DICT("<f8", "True", "(2, 3)"), data, sizeof data, &size);
  ck_assert(rpp_npy_parse(bytes, size, &npy, &error));
  ck_assert(npy.tensor.shape[0] == 2 && npy.tensor.shape[1] == 3);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++) ck_assert_double_eq(at(&npy, i, j), i + 2 * j);
  rpp_npy_free(&npy);
  free(bytes);
}
END_TEST

START_TEST(other_spellings) {
  ck_assert_ptr_null(refusal(1, "{\"shape\":(2,),\"descr\":\"<f8\",\"fortran_order\":False}", 16));
  ck_assert_ptr_null(refusal(1, " { 'shape' : ( 2 , 1 , ) , 'descr' : '<f8' ,\n'fortran_order' : False , } \n", 16));
  ck_assert_ptr_null(refusal(2, DICT("<f2", "False", "(0, 3)"), 0));
  ck_assert_ptr_null(refusal(1, DICT("<i4", "True", "(0,)"), 0));
}
END_TEST

START_TEST(headers) {
  refused("", 0, "header: '{' expected at byte 0 of it");
  refused("[]", 0, "'{' expected");
  refused("{", 0, "a string expected");
  refused("{}", 0, "header: descr is missing");
  refused("{'descr': '<f8'}", 0, "header: fortran_order is missing");
  refused("{'descr': '<f8', 'fortran_order': False}", 0, "header: shape is missing");
  refused("{'descr' '<f8'}", 0, "':' expected");
  refused("{'descr': '<f8' 'shape': (1,)}", 0, "a comma expected");
  refused("{'descr': '<f8", 0, "a short string expected");
  refused("{'descr': '<\\x66'}", 0, "a short string expected");
  refused("{'descr': 8}", 0, "a string expected");
  refused("{'descr': '<f8', 'descr': '<f8'}", 0, "header: descr: given twice");
  refused("{'shape': (1,), 'shape': (1,)}", 0, "header: shape: given twice");
  refused("{'fortran_order': False, 'fortran_order': False}", 0, "header: fortran_order: given twice");
  refused("{'fortran_order': false}", 0, "True or False expected");
  refused("{'fortran_order': 0}", 0, "True or False expected");
  refused("{'endian': '<'}", 0, "header: endian: unknown key");
  refused(DICT("<f8", "False", "(1,)") "x", 8, "nothing more expected");
  refused("{'descr': [('a', '<f8')]}", 0, "structured arrays are not taken");
  char big[300] = "{'";
  memset(big + 2, 'a', 290);
  refused(big, 0, "a short string expected");
}
END_TEST

START_TEST(shapes) {
  refused(DICT("<f8", "False", "()"), 8, "shape: 0 sizes: must be 1 to 4");
  refused(DICT("<f8", "False", "(1, 1, 1, 1, 1)"), 8, "shape: 5 sizes: must be 1 to 4");
  refused(DICT("<f8", "False", "(1)"), 8, "a comma after the only size expected");
  refused(DICT("<f8", "False", "[1]"), 8, "a tuple of sizes expected");
  refused(DICT("<f8", "False", "(-1,)"), 8, "a size expected");
  refused(DICT("<f8", "False", "(1.0,)"), 8, "a comma expected");
  refused(DICT("<f8", "False", "(1 1)"), 8, "a comma expected");
  refused(DICT("<f8", "False", "(,)"), 8, "a size expected");
  refused(DICT("<f8", "False", "(1,"), 8, "a size expected");
  refused(DICT("<f8", "False", "(2L, 3L)"), 48, "a comma expected");
  refused(DICT("<f8", "False", "(9223372036854775808,)"), 8, "shape: a size overflows a 64-bit integer");
  refused(DICT("<f8", "False", "(99999999999999999999999,)"), 8, "shape: a size overflows a 64-bit integer");
  refused(DICT("<f8", "False", "(2305843009213693952, 2)"), 0, "shape: its bytes overflow a 64-bit integer");
  refused(DICT("<f8", "False", "(0, 2305843009213693952, 2)"), 0, "shape: its bytes overflow a 64-bit integer");
  refused(DICT("<f8", "False", "(2305843009213693954,)"), 16, "shape: its bytes overflow a 64-bit integer");
  refused(DICT("<i4", "False", "(1152921504606846976, 0)"), 0,
          "does not fit 63 bits"); /* past what a tensor may be, though it is empty */
  char many[2000] = "{'shape': (";
  for (int i = 0; i < 40; i++) strcat(many, "1, ");
  refused(many, 0, "shape: more than 32 sizes");
}
END_TEST

START_TEST(dtypes) {
  refused(DICT(">f4", "False", "(1,)"), 4, "descr = >f4: is big-endian");
  refused(DICT("<V2", "False", "(1,)"), 2, ".npy knows no bfloat16: save float32");
  refused(DICT("|V2", "False", "(1,)"), 2, ".npy knows no bfloat16");
  refused(DICT("<c8", "False", "(1,)"), 8, "descr = <c8: must be <f8, <f4, <f2, <i8 or <i4");
  refused(DICT("|u1", "False", "(1,)"), 1, "descr = |u1");
  refused(DICT("|O", "False", "(1,)"), 8, "descr = |O");
  refused(DICT("f4", "False", "(1,)"), 4, "descr = f4");
  refused(DICT("<f4 ", "False", "(1,)"), 4, "descr = <f4 ");
  refused(DICT("", "False", "(1,)"), 4, "descr = ");
}
END_TEST

START_TEST(data) {
  refused(DICT("<f4", "False", "(2, 3)"), 23, "data: 23 bytes, but descr and shape need 24: the file is cut short");
  refused(DICT("<f4", "False", "(2, 3)"), 25, "data: 1 trailing bytes");
  refused(DICT("<f4", "False", "(0,)"), 1, "data: 1 trailing bytes");
  refused(DICT("<i4", "True", "(1152921504606846976,)"), 4, "data: 4 bytes, but descr and shape need 4611686018427387904");
}
END_TEST

START_TEST(versions_and_lengths) {
  static const struct {
    size_t at;
    unsigned char value;
    const char *expected;
  } bad[] = {{0, 0x92, "not a .npy file"},   {5, 'y', "not a .npy file"},
             {6, 0, "version = 0.0"},        {6, 4, "version = 4.0"},
             {7, 1, "version = 1.1"},        {9, 1, "header length = "},
             {8, 0, "header: '{' expected"}, {8, 1, "header: a string expected"},
             {6, 2, "header length = "},     {9, 255, "passes the end of a file of"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    size_t size;
    rpp_npy npy;
    rpp_message error;
    unsigned char *bytes = build(1, DICT("<f4", "False", "(1,)"), "abcd", 4, &size);
    bytes[bad[i].at] = bad[i].value;
    ck_assert_msg(!rpp_npy_parse(bytes, size, &npy, &error), "taken, not: %s", bad[i].expected);
    ck_assert_msg(strstr(error.text, bad[i].expected) != NULL, "'%s' does not hold '%s'", error.text, bad[i].expected);
    free(bytes);
  }
}
END_TEST

START_TEST(every_truncation_is_refused) {
  for (int major = 1; major <= 3; major++) {
    size_t size;
    unsigned char *whole = build(major, DICT("<f4", "False", "(2, 2)"), "0123456789abcdef", 16, &size);
    for (size_t length = 0; length <= size; length++) {
      unsigned char *bytes = malloc(length + (length == 0));
      rpp_npy npy;
      rpp_message error = {""};
      memcpy(bytes, whole, length);
      const bool good = rpp_npy_parse(bytes, length, &npy, &error);
      ck_assert_msg(good == (length == size), "length %zu: %s", length, error.text);
      ck_assert(good || *error.text != '\0');
      rpp_npy_free(&npy);
      free(bytes);
    }
    free(whole);
  }
}
END_TEST

/* Whatever single byte is changed: refused, or read within the buffer. */
START_TEST(every_changed_byte) {
  size_t size;
  unsigned char *bytes = build(1, DICT("<i4", "True", "(2, 2)"), "0123456789abcdef", 16, &size);
  int taken = 0;
  for (size_t i = 0; i < size - 16; i++)
    for (int value = 0; value < 256; value++) {
      const unsigned char kept = bytes[i];
      rpp_npy npy;
      rpp_message error = {""};
      bytes[i] = (unsigned char)value;
      if (rpp_npy_parse(bytes, size, &npy, &error)) {
        int64_t elements, last[RPP_MAX_DIMS];
        ck_assert_int_eq(rpp_tensor_extent(&npy.tensor, &elements, NULL), RPP_OK);
        for (int d = 0; d < npy.tensor.ndim; d++) last[d] = npy.tensor.shape[d] - 1;
        if (elements > 0) rpp_tensor_get(&npy.tensor, last);
        taken++;
      } else
        ck_assert(*error.text != '\0');
      rpp_npy_free(&npy);
      bytes[i] = kept;
    }
  ck_assert_int_gt(taken, (int)size - 17); /* each byte as it was, at least */
  free(bytes);
}
END_TEST

START_TEST(paths) {
  char folder[] = "/tmp/ropepp-npy-XXXXXX", path[64];
  size_t size;
  rpp_npy npy;
  rpp_message error;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.npy", folder);
  ck_assert(!rpp_npy_load(path, &npy, &error));
  ck_assert_str_eq(error.text, "cannot be opened: No such file or directory");
  ck_assert(!rpp_npy_load(folder, &npy, &error));
  ck_assert_str_eq(error.text, "not a regular file");
  unsigned char *bytes = build(1, DICT("<i4", "False", "(1,)"), "\x07\0\0\0", 4, &size);
  build_save(path, bytes, size);
  ck_assert(rpp_npy_load(path, &npy, &error));
  ck_assert_double_eq(rpp_tensor_get(&npy.tensor, (int64_t[]){0}), 7);
  rpp_npy_free(&npy);
  rpp_npy_free(&npy); /* of nothing */
  build_save(path, bytes, size - 1);
  ck_assert(!rpp_npy_load(path, &npy, &error));
  ck_assert_ptr_null(npy.bytes);
  free(bytes);
  unlink(path);
  rmdir(folder);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("npy");
  TCase *tests = tcase_create("npy");
  tcase_add_test(tests, what_numpy_writes);
  tcase_add_test(tests, fortran_order);
  tcase_add_test(tests, other_spellings);
  tcase_add_test(tests, headers);
  tcase_add_test(tests, shapes);
  tcase_add_test(tests, dtypes);
  tcase_add_test(tests, data);
  tcase_add_test(tests, versions_and_lengths);
  tcase_add_test(tests, every_truncation_is_refused);
  tcase_add_test(tests, every_changed_byte);
  tcase_add_test(tests, paths);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
