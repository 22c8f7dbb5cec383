#include "files/named_tensors.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files/read_file.h"

static const char extension[] = ".npy";
enum { EXTENSION = sizeof extension - 1 };

/* The length of a .npy file's name without its extension; 0 for another. */
static size_t stem(const char *name) {
  const size_t length = strlen(name);
  return length > EXTENSION && strcmp(name + length - EXTENSION, extension) == 0 ? length - EXTENSION : 0;
}

/* ---- Folders ------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
  return strcmp(a, b);
}

/* The names of the folder's .npy files, sorted, without the extension. */
static bool list(DIR *folder, rpp_named_tensors_known *known, rpp_named_tensors *set, int *count, rpp_message *error) {
  *count = 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const size_t length = stem(entry->d_name);
    if (length == 0 || *entry->d_name == '.') continue;
    char *name = set->name[*count];
    if (length < RPP_NAMED_TENSORS_NAME) {
      memcpy(name, entry->d_name, length);
      name[length] = '\0';
    }
    if (length >= RPP_NAMED_TENSORS_NAME || !known(name))
      return rpp_message_set(error, "%.60s: no tensor of a case is called so", entry->d_name);
    if (++*count == RPP_NAMED_TENSORS_ARRAYS)
      return rpp_message_set(error, "more than %d .npy files", RPP_NAMED_TENSORS_ARRAYS - 1);
  }
  if (*count == 0) return rpp_message_set(error, "a folder without .npy files");
  qsort(set->name, (size_t)*count, sizeof *set->name, by_name);
  return true;
}

static bool load_one(const char *folder, const char *name, rpp_npy *array, rpp_message *error) {
  char path[PATH_MAX];
  rpp_message why;
  if (snprintf(path, sizeof path, "%s/%s.npy", folder, name) >= (int)sizeof path)
    return rpp_message_set(error, "%s.npy: its path is too long", name);
  return rpp_npy_load(path, array, &why) || rpp_message_set(error, "%s.npy: %s", name, why.text);
}

static bool load_folder(const char *path, rpp_named_tensors_known *known, rpp_named_tensors *set, rpp_message *error) {
  DIR *folder = opendir(path);
  int count;
  if (folder == NULL) return rpp_message_set(error, "cannot be opened: %s", strerror(errno));
  bool good = list(folder, known, set, &count, error);
  closedir(folder);
  for (int i = 0; good && i < count; i++) {
    good = load_one(path, set->name[i], &set->array[i], error);
    set->array_count += good;
  }
  return good;
}

/* ---- Files --------------------------------------------------------------------------------------------------------------- */

static bool begins_as_npy(const char *path) {
  unsigned char first[8];
  struct stat status;
  FILE *f = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? fopen(path, "rb") : NULL;
  const size_t size = f == NULL ? 0 : fread(first, 1, sizeof first, f);
  if (f != NULL) fclose(f);
  return rpp_npy_begins(first, size);
}

static bool load_single(const char *path, const char *single, rpp_named_tensors *set, rpp_message *error) {
  snprintf(set->name[0], sizeof set->name[0], "%s", single);
  if (!rpp_npy_load(path, &set->array[0], error)) return false;
  set->array_count = 1;
  return true;
}

bool rpp_named_tensors_load(const char *path, const char *single, rpp_named_tensors_known *known, rpp_named_tensors *set,
                            rpp_message *error) {
  struct stat status;
  bool good;
  *set = (rpp_named_tensors){.file = NULL};
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    good = load_folder(path, known, set, error);
  else if (stem(path) > 0 || begins_as_npy(path))
    good = load_single(path, single, set, error);
  else
    good = rpp_safetensors_load(path, &set->file, error);
  if (!good) rpp_named_tensors_free(set);
  return good;
}

void rpp_named_tensors_free(rpp_named_tensors *set) {
  rpp_safetensors_free(set->file);
  for (int i = 0; i < set->array_count; i++) rpp_npy_free(&set->array[i]);
  *set = (rpp_named_tensors){.file = NULL};
}

size_t rpp_named_tensors_count(const rpp_named_tensors *set) {
  return set->file != NULL ? rpp_safetensors_tensor_count(set->file) : (size_t)set->array_count;
}

const rpp_tensor *rpp_named_tensors_at(const rpp_named_tensors *set, size_t i, const char **name) {
  if (set->file != NULL) return rpp_safetensors_tensor_at(set->file, i, name);
  *name = set->name[i];
  return &set->array[i].tensor;
}
