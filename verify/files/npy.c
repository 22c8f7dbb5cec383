#include "files/npy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "files/read_file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, ".npy data is little-endian and is used in place");

static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

enum { MAGIC = sizeof magic, TEXT = 64, MOST_DIMS = 32 /* of NumPy */ };

/* What a header says. */
typedef struct {
  char descr[TEXT];
  bool fortran, has_descr, has_fortran, has_shape;
  int ndim;
  int64_t shape[MOST_DIMS];
} header;

/* ---- The header's dict --------------------------------------------------------------------------------------------------- */

typedef struct {
  const unsigned char *start, *at, *end;
} cursor;

static bool malformed(const cursor *c, const char *expected, rpp_message *error) {
  return rpp_message_set(error, "header: %s expected at byte %td of it", expected, c->at - c->start);
}

static void skip_blanks(cursor *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r')) c->at++;
}

/* Takes a character, blanks before it; false, taking no more than the blanks, when another stands there. */
static bool take(cursor *c, char character) {
  skip_blanks(c);
  if (c->at == c->end || *c->at != (unsigned char)character) return false;
  c->at++;
  return true;
}

static bool take_string(cursor *c, char text[TEXT], rpp_message *error) {
  skip_blanks(c);
  const unsigned char quote = c->at < c->end ? *c->at : 0;
  if (quote != '\'' && quote != '"') return malformed(c, "a string", error);
  const unsigned char *first = c->at + 1, *last = memchr(first, quote, (size_t)(c->end - first));
  if (last == NULL || last - first >= TEXT || memchr(first, '\\', (size_t)(last - first)) != NULL ||
      memchr(first, '\0', (size_t)(last - first)) != NULL)
    return malformed(c, "a short string", error);
  memcpy(text, first, (size_t)(last - first));
  text[last - first] = '\0';
  c->at = last + 1;
  return true;
}

static bool take_word(cursor *c, const char *word) {
  const size_t length = strlen(word);
  skip_blanks(c);
  if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
  c->at += length;
  return true;
}

static bool take_size(cursor *c, int64_t *size, rpp_message *error) {
  skip_blanks(c);
  if (c->at == c->end || *c->at < '0' || *c->at > '9') return malformed(c, "a size", error);
  for (*size = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
    if (__builtin_mul_overflow(*size, (int64_t)10, size) || __builtin_add_overflow(*size, (int64_t)(*c->at - '0'), size))
      return rpp_message_set(error, "shape: a size overflows a 64-bit integer");
  return true;
}

/* A tuple of sizes: (), (3,), (2, 3), (2, 3,). */
static bool take_shape(cursor *c, header *h, rpp_message *error) {
  if (!take(c, '(')) return malformed(c, "a tuple of sizes", error);
  bool comma = false;
  while (!take(c, ')')) {
    if (h->ndim > 0 && !comma) return malformed(c, "a comma", error);
    if (h->ndim == MOST_DIMS) return rpp_message_set(error, "shape: more than %d sizes", MOST_DIMS);
    if (!take_size(c, &h->shape[h->ndim], error)) return false;
    h->ndim++;
    comma = take(c, ',');
  }
  return h->ndim != 1 || comma || malformed(c, "a comma after the only size", error);
}

static bool take_once(const char *key, bool *has, rpp_message *error) {
  if (*has) return rpp_message_set(error, "header: %s: given twice", key);
  return *has = true;
}

static bool take_value(cursor *c, const char *key, header *h, rpp_message *error) {
  if (strcmp(key, "descr") == 0) {
    if (!take_once(key, &h->has_descr, error)) return false;
    if (take(c, '[')) return rpp_message_set(error, "descr: a list: structured arrays are not taken");
    return take_string(c, h->descr, error);
  }
  if (strcmp(key, "shape") == 0) return take_once(key, &h->has_shape, error) && take_shape(c, h, error);
  if (strcmp(key, "fortran_order") != 0) return rpp_message_set(error, "header: %s: unknown key", key);
  if (!take_once(key, &h->has_fortran, error)) return false;
  h->fortran = take_word(c, "True");
  return h->fortran || take_word(c, "False") || malformed(c, "True or False", error);
}

static bool read_dict(cursor *c, header *h, rpp_message *error) {
  char key[TEXT];
  if (!take(c, '{')) return malformed(c, "'{'", error);
  for (bool comma = true; !take(c, '}'); comma = take(c, ',')) {
    if (!comma) return malformed(c, "a comma", error);
    if (!take_string(c, key, error)) return false;
    if (!take(c, ':')) return malformed(c, "':'", error);
    if (!take_value(c, key, h, error)) return false;
  }
  skip_blanks(c);
  if (c->at != c->end) return malformed(c, "nothing more", error);
  if (!h->has_descr) return rpp_message_set(error, "header: descr is missing");
  if (!h->has_fortran) return rpp_message_set(error, "header: fortran_order is missing");
  return h->has_shape || rpp_message_set(error, "header: shape is missing");
}

/* ---- What it means ------------------------------------------------------------------------------------------------------- */

/* The dtype as it is handed out, and the bytes of an element in the file. */
static bool read_descr(const char *descr, rpp_dtype *dtype, int64_t *size, rpp_message *error) {
  static const struct {
    const char *descr;
    rpp_dtype dtype;
    int64_t size;
  } known[] = {{"<f8", RPP_F64, 8}, {"<f4", RPP_F32, 4}, {"<f2", RPP_F16, 2}, {"<i8", RPP_I64, 8}, {"<i4", RPP_I64, 4}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(descr, known[i].descr) == 0) {
      *dtype = known[i].dtype;
      *size = known[i].size;
      return true;
    }
  if (strcmp(descr, "<V2") == 0 || strcmp(descr, "|V2") == 0 || strcmp(descr, "bfloat16") == 0)
    return rpp_message_set(error, "descr = %s: .npy knows no bfloat16: save float32, which holds the same values, or safetensors",
                           descr);
  if (*descr == '>') return rpp_message_set(error, "descr = %s: is big-endian: must be <f8, <f4, <f2, <i8 or <i4", descr);
  return rpp_message_set(error, "descr = %s: must be <f8, <f4, <f2, <i8 or <i4", descr);
}

/* The bytes of the data. A zero size must not hide the overflow of the others. */
static bool count_bytes(const header *h, int64_t size, uint64_t *bytes, rpp_message *error) {
  if (h->ndim < 1 || h->ndim > RPP_MAX_DIMS)
    return rpp_message_set(error, "shape: %d sizes: must be 1 to %d", h->ndim, RPP_MAX_DIMS);
  int64_t total = size;
  bool empty = false;
  for (int i = 0; i < h->ndim; i++) {
    if (h->shape[i] == 0)
      empty = true;
    else if (__builtin_mul_overflow(total, h->shape[i], &total))
      return rpp_message_set(error, "shape: its bytes overflow a 64-bit integer");
  }
  *bytes = empty ? 0 : (uint64_t)total;
  return true;
}

/* int32 as int64. */
static bool widen(const unsigned char *data, int64_t count, rpp_npy *npy, rpp_message *error) {
  npy->integers = calloc((size_t)count + 1, sizeof *npy->integers);
  if (npy->integers == NULL) return rpp_message_set(error, "out of memory");
  for (int64_t i = 0; i < count; i++) {
    int32_t value;
    memcpy(&value, data + i * (int64_t)sizeof value, sizeof value);
    npy->integers[i] = value;
  }
  return true;
}

/* Strides from the last dimension, or in Fortran order from the first. */
static bool describe(const header *h, rpp_dtype dtype, void *data, rpp_tensor *t, rpp_message *error) {
  int64_t shape[RPP_MAX_DIMS];
  for (int i = 0; i < h->ndim; i++) shape[i] = h->shape[h->fortran ? h->ndim - 1 - i : i];
  rpp_tensor flat;
  if (rpp_tensor_contiguous(data, dtype, h->ndim, shape, &flat) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  *t = flat;
  for (int i = 0; h->fortran && i < h->ndim; i++) {
    t->shape[i] = flat.shape[h->ndim - 1 - i];
    t->strides[i] = flat.strides[h->ndim - 1 - i];
  }
  return true;
}

static bool read_array(const header *h, const unsigned char *data, uint64_t data_size, rpp_npy *npy, rpp_message *error) {
  rpp_dtype dtype = RPP_F64;
  int64_t size = 0;
  uint64_t bytes = 0;
  if (!read_descr(h->descr, &dtype, &size, error) || !count_bytes(h, size, &bytes, error)) return false;
  if (bytes > data_size)
    return rpp_message_set(error, "data: %" PRIu64 " bytes, but descr and shape need %" PRIu64 ": the file is cut short", data_size,
                           bytes);
  if (bytes < data_size) return rpp_message_set(error, "data: %" PRIu64 " trailing bytes", data_size - bytes);
  const bool narrow = (size_t)size < rpp_dtype_size(dtype);
  if (narrow && !widen(data, (int64_t)bytes / size, npy, error)) return false;
  return describe(h, dtype, narrow ? (void *)npy->integers : (void *)(uintptr_t)data, &npy->tensor, error);
}

/* ---- The whole ----------------------------------------------------------------------------------------------------------- */

bool rpp_npy_begins(const void *bytes, size_t size) {
  return size >= MAGIC && memcmp(bytes, magic, MAGIC) == 0;
}

/* Where the header lies: behind the magic string, the version and the length. */
static bool find_header(const unsigned char *bytes, size_t size, cursor *c, rpp_message *error) {
  if (!rpp_npy_begins(bytes, size)) return rpp_message_set(error, "not a .npy file: it does not begin with \\x93NUMPY");
  if (size < MAGIC + 4) return rpp_message_set(error, "size = %zu bytes: too short for a .npy file", size);
  const unsigned major = bytes[MAGIC], minor = bytes[MAGIC + 1];
  if (major < 1 || major > 3 || minor != 0) return rpp_message_set(error, "version = %u.%u: must be 1.0, 2.0 or 3.0", major, minor);
  const size_t length_bytes = major == 1 ? 2 : 4, begin = MAGIC + 2 + length_bytes;
  size_t length = 0;
  if (size < begin) return rpp_message_set(error, "size = %zu bytes: too short for a .npy file", size);
  for (size_t i = 0; i < length_bytes; i++) length |= (size_t)bytes[MAGIC + 2 + i] << (8 * i);
  if (length > size - begin)
    return rpp_message_set(error, "header length = %zu: passes the end of a file of %zu bytes", length, size);
  *c = (cursor){bytes + begin, bytes + begin, bytes + begin + length};
  return true;
}

bool rpp_npy_parse(const void *bytes, size_t size, rpp_npy *npy, rpp_message *error) {
  const unsigned char *start = bytes;
  cursor c;
  header h = {.ndim = 0};
  *npy = (rpp_npy){.bytes = NULL};
  const bool good = find_header(start, size, &c, error) && read_dict(&c, &h, error) &&
                    read_array(&h, c.end, size - (size_t)(c.end - start), npy, error);
  if (!good) rpp_npy_free(npy);
  return good;
}

bool rpp_npy_load(const char *path, rpp_npy *npy, rpp_message *error) {
  void *bytes = NULL;
  size_t size = 0;
  *npy = (rpp_npy){.bytes = NULL};
  if (!rpp_file_read(path, &bytes, &size, error)) return false;
  const bool good = rpp_npy_parse(bytes, size, npy, error);
  if (good)
    npy->bytes = bytes;
  else
    free(bytes);
  return good;
}

void rpp_npy_free(rpp_npy *npy) {
  free(npy->bytes);
  free(npy->integers);
  *npy = (rpp_npy){.bytes = NULL};
}
