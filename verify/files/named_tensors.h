/* named_tensors.h: tensors by name, from a safetensors file, a .npy file, or a folder of .npy files: q.npy is q. */
#ifndef RPP_NAMED_TENSORS_H
#define RPP_NAMED_TENSORS_H
#include "files/npy.h"
#include "files/safetensors.h"

/* Which names there are, for a folder's files to be looked for: one that is not in it is refused. */
typedef bool rpp_named_tensors_known(const char *name);

enum { RPP_NAMED_TENSORS_ARRAYS = 32, RPP_NAMED_TENSORS_NAME = 32 };

typedef struct {
  rpp_safetensors *file;                   /* null: arrays */
  rpp_npy array[RPP_NAMED_TENSORS_ARRAYS]; /* sorted by name */
  char name[RPP_NAMED_TENSORS_ARRAYS][RPP_NAMED_TENSORS_NAME];
  int array_count;
} rpp_named_tensors;

/* Reads path. A .npy file, which is known by its first bytes or its name, holds one tensor, `single`. Of a folder every .npy file is read,
 * and no other; a message about one begins with its name. On failure the set is empty. */
bool rpp_named_tensors_load(const char *path, const char *single, rpp_named_tensors_known *known, rpp_named_tensors *set,
                            rpp_message *error);
void rpp_named_tensors_free(rpp_named_tensors *set);

/* Tensor i < count, and its name; valid while the set is, and stays where it is. */
size_t rpp_named_tensors_count(const rpp_named_tensors *set);
const rpp_tensor *rpp_named_tensors_at(const rpp_named_tensors *set, size_t i, const char **name);

#endif
