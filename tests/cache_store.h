/* cache_store.h: caches of rotated keys and values for tests of decode: memory, tensors, contiguous and paged stores. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H
#include "simt/ropepp_simt.h"
#include "support.h"

enum { B = 2, KV = 2, D = 16, DV = 24, PROJECTED = 4, OUTPUT = 8, MOST_KEYS = 160 };

/* Memory of NaN, aligned to 64 bytes, until store_restart takes all of it back to a mark of before. */
void *store_room(size_t bytes);
size_t store_mark(void);
void store_restart(size_t mark);

/* A contiguous tensor in such memory. */
rpp_tensor store_tensor(rpp_dtype dtype, int ndim, const int64_t *shape);
#define TENSOR(dtype, ...) store_tensor(dtype, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

/* Random values in -2 .. 2 for a tensor of four dimensions. */
void store_fill(const rpp_tensor *t, uint64_t seed);

/* EC of PROJECTED and KV heads, W 12, half; a window is 21 keys. */
rpp_attention store_attention(rpp_mask mask);

/* Fails the test unless a call of ropepp_simt.h succeeded. */
void store_accepted(rpp_status status);

#define store_refused(call, status, text)                                                                                          \
  do {                                                                                                                             \
    const rpp_status got_ = (call);                                                                                                \
    ck_assert_msg(got_ == (status) && strstr(rpp_cuda_error_message(), (text)), "status %d, \"%s\"; wanted %s", (int)got_,         \
                  rpp_cuda_error_message(), (text));                                                                               \
  } while (0)

/* A cache of B sequences of capacity tokens, of NaN; paged when page_size is not 0: pages from the last to the first, and two more entries of
 * each sequence that are no pages. */
typedef struct {
  rpp_tensor k, v;
  rpp_cuda_integers table;
  rpp_cuda_cache cache;
} store;

void store_of(rpp_dtype dtype, int64_t capacity, int64_t page_size, store *s);

/* Appends tokens from .. from + count - 1 of k and v, raw, token n of sequence b in slot n - lag b and at position 100 b + its slot. */
void store_append(const store *s, const rpp_tensor *k, const rpp_tensor *v, int64_t from, int64_t count, int64_t lag);

#endif
