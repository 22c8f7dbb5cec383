/* fuzz_safetensors.c: any bytes through the reader, the case loader and, when they are a small case, the judge; bytes that begin as a .npy
 * file through its reader. tests/fuzz.sh grows them by libFuzzer. Without -DRPP_LIBFUZZER it has a main of its own, which replays the files and folders it is given: a plain test. */
#include <stdlib.h>
#include <string.h>

#include "files/npy.h"
#include "judge/check_case.h"

enum { JUDGED_ELEMENTS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What the readers promise of every tensor they hand out: reading its first and last element touches the buffer alone. */
static int64_t touch_one(const rpp_tensor *t) {
  int64_t elements, span, last[RPP_MAX_DIMS];
  if (rpp_tensor_extent(t, &elements, &span) != RPP_OK) abort();
  if (elements == 0) return 0;
  for (int dim = 0; dim < t->ndim; dim++) last[dim] = t->shape[dim] - 1;
  rpp_tensor_get(t, (int64_t[RPP_MAX_DIMS]){0});
  rpp_tensor_get(t, last);
  return elements;
}

static int64_t touch(const rpp_safetensors *file) {
  int64_t total = 0;
  for (size_t i = 0; i < rpp_safetensors_tensor_count(file); i++) {
    const char *name;
    total += touch_one(rpp_safetensors_tensor_at(file, i, &name));
  }
  return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  rpp_safetensors *file;
  rpp_message error;
  rpp_case c;
  rpp_check_result result;
  rpp_npy npy;
  if (rpp_npy_begins(bytes, size)) {
    if (rpp_npy_parse(bytes, size, &npy, &error)) touch_one(&npy.tensor);
    rpp_npy_free(&npy);
    return 0;
  }
  if (rpp_safetensors_parse(bytes, size, &file, &error)) {
    const int64_t elements = touch(file);
    if (rpp_case_read(file, &c, &error) && elements < JUDGED_ELEMENTS) rpp_check_case(&c, &result, &error);
  }
  rpp_safetensors_free(file);
  return 0;
}

#ifdef RPP_LIBFUZZER

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);

/* Most mutations change the header alone and keep its length right: else nearly every one would stop at the first check. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed) {
  uint64_t length = 0;
  if (size > sizeof length) memcpy(&length, bytes, sizeof length);
  if (seed % 8 == 0 || length == 0 || length > size - sizeof length) return LLVMFuzzerMutate(bytes, size, max_size);
  const size_t start = sizeof length + (size_t)length, data_size = size - start;
  uint8_t *data = malloc(data_size + 1);
  if (data == NULL) return size;
  memcpy(data, bytes + start, data_size);
  length = LLVMFuzzerMutate(bytes + sizeof length, (size_t)length, max_size - sizeof length - data_size);
  memcpy(bytes, &length, sizeof length);
  memcpy(bytes + sizeof length + length, data, data_size);
  free(data);
  return sizeof length + (size_t)length + data_size;
}

#else
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

/* Replays a file, or every file of a folder; returns how many there were, or -1. */
static int replay(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return -1;
  if (S_ISDIR(status.st_mode)) {
    DIR *folder = opendir(path);
    int count = folder == NULL ? -1 : 0;
    for (struct dirent *entry; count >= 0 && (entry = readdir(folder)) != NULL;) {
      char inside[4096];
      if (entry->d_name[0] == '.') continue;
      snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
      const int replayed = replay(inside);
      count = replayed < 0 ? -1 : count + replayed;
    }
    if (folder != NULL) closedir(folder);
    return count;
  }
  FILE *f = fopen(path, "rb");
  /* A block of exactly the file's size, so that AddressSanitizer sees one byte too many. */
  unsigned char *bytes = malloc(status.st_size > 0 ? (size_t)status.st_size : 1);
  const bool read = f != NULL && bytes != NULL && fread(bytes, 1, (size_t)status.st_size, f) == (size_t)status.st_size;
  if (read) LLVMFuzzerTestOneInput(bytes, (size_t)status.st_size);
  if (f != NULL) fclose(f);
  free(bytes);
  return read ? 1 : -1;
}

int main(int count, char **paths) {
  int replayed = 0;
  for (int i = 1; i < count; i++) {
    const int n = replay(paths[i]);
    if (n < 0) {
      fprintf(stderr, "fuzz_safetensors: %s: cannot be read\n", paths[i]);
      return 2;
    }
    replayed += n;
  }
  printf("%d inputs replayed\n", replayed);
  return replayed > 0 ? 0 : 1;
}
#endif
