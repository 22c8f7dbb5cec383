/* guards.h: memory between guard bands, so that a write outside of a tensor's elements is seen. */
#ifndef RPP_GUARDS_H
#define RPP_GUARDS_H
#include <stddef.h>

#include "cases/sparse.h"
#include "program/message.h"
#include "ropepp.h"

/* Bytes of poison on either side of every block; memory that a block begins in is aligned to RPP_GUARD_ALIGNMENT. */
enum { RPP_GUARD = 4096, RPP_GUARD_ALIGNMENT = 64, RPP_BLOCK_TENSORS = 3 };

/* What unwritten memory holds, two bytes at a time: a quiet NaN in every floating dtype, and no token position. */
#define RPP_POISON 0x7ffbu

typedef struct rpp_block rpp_block;
struct rpp_block {
  rpp_block *next;
  unsigned char *memory; /* guard, the parts, guard */
  size_t bytes;          /* from the first part's first to the last part's last */
  size_t parts, step;    /* how many; from one to the next. Between parts nothing can be read or written */
  size_t room;           /* of a part: its bytes rounded up, to eight or to whole pages */
  rpp_sparse map;        /* what memory lies in, when of several parts */
  bool output;           /* its tensors' elements may be written, else nothing */
  const char
      *name[RPP_BLOCK_TENSORS]; /* of its tensors; of a block without any, the first is its own, and all of it may be written */
  rpp_tensor tensor[RPP_BLOCK_TENSORS]; /* their steps as layout.h promises them; data at rpp_block_data */
  int count;
  rpp_tensor source; /* a tensor whose elements an output starts with; ndim 0: it starts as poison */
  uint64_t checksum; /* of the whole memory, of a sealed input */
};

/* Poisoned, in front of *list; null when memory is out. The name outlives the block. */
rpp_block *rpp_block_new(rpp_block **list, const char *name, size_t bytes);
void rpp_blocks_free(rpp_block *list);

/* The same of parts of `part` bytes, each `step` bytes after the one before, as sparse.h has them. Null when the system does not
 * give that much address space, too. */
rpp_block *rpp_block_new_sparse(rpp_block **list, const char *name, size_t parts, size_t step, size_t part);

/* Where element 0 of its memory is. */
unsigned char *rpp_block_data(const rpp_block *block);

/* Says that t, with steps as layout.h promises them, lies in the block, and sets its data. */
void rpp_block_add(rpp_block *block, const char *name, rpp_tensor *t);

/* All of it poison again. */
void rpp_block_poison(rpp_block *block);

/* Remembers what an input holds, whole: from here on nothing of it may change. */
void rpp_block_seal(rpp_block *block);

/* False, with a message that names the tensor and where, when something was written outside of an output's elements, or into an
 * input. as new: null, or the same block filled again, to find the element of an input that changed. */
bool rpp_block_intact(const rpp_block *block, const rpp_block *as_new, rpp_message *error);

/* Whether a sealed input is as it was, guards and all; cheap. True for others. */
bool rpp_block_sealed(const rpp_block *block);

/* Whether size bytes are poison. */
bool rpp_is_poison(const void *bytes, size_t size);

#endif
