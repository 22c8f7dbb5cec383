/* bench.h: what the benchmarks of the CUDA kernels share: device memory with random values, times, and rows of the table. A failure ends
 * the program with a line that says why. */
#ifndef RPP_BENCH_H
#define RPP_BENCH_H
#include "ropepp_cuda.h"

/* ---- Device memory ------------------------------------------------------------------------------------------------------ */

/* Contiguous tensors (B, L, heads, D), about normally distributed, and (B, heads, L) ones of float32. */
rpp_tensor bench_tensor(rpp_dtype dtype, int64_t b, int64_t l, int64_t heads, int64_t d);
rpp_tensor bench_lse(int64_t b, int64_t heads, int64_t l);

/* Positions first, first + 1, ... (length), and count integers of one value. */
rpp_cuda_integers bench_positions(int64_t first, int64_t length);
rpp_cuda_integers bench_constant(int64_t value, int64_t count);

void *bench_room(size_t bytes); /* aligned to 256 bytes; null for 0 */
void bench_free(void);          /* all of the above */

/* Whether there is device memory for so many bytes; says so when there is not. */
bool bench_fits(const char *what, double bytes);

/* ---- Times -------------------------------------------------------------------------------------------------------------- */

/* The median time of a call in seconds. The level 2 cache is filled with something else before every call, so that inputs come from
 * memory; call starts its work on the default stream and returns. */
double bench_seconds(rpp_status (*call)(const void *), const void *argument);

/* Bytes a second, read and written, of cudaMemcpy within the device: what all else is compared with. */
double bench_copy_rate(void);

/* ---- The table ---------------------------------------------------------------------------------------------------------- */

void bench_head(void);
/* Arithmetic; and memory traffic, beside copy, the rate of above. */
void bench_row_operations(const char *what, const char *shape, double seconds, double operations);
void bench_row_bytes(const char *what, const char *shape, double seconds, double bytes, double copy);

/* ---- The benchmarks ----------------------------------------------------------------------------------------------------- */

rpp_attention bench_attention(rpp_mode mode, int64_t heads, int64_t kv_heads, int64_t width, rpp_mask mask);

void bench_rotate(double copy);
void bench_forward(void);
void bench_decode(double copy);

#endif
