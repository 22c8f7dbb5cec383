#include "bench.h"

#include <cuda_runtime_api.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *what, const char *why) {
  fprintf(stderr, "bench: %s: %s\n", what, why);
  exit(1);
}
static void check(const char *what, cudaError_t error) {
  if (error != cudaSuccess) die(what, cudaGetErrorString(error));
}

/* ---- Device memory ------------------------------------------------------------------------------------------------------ */

enum { ROOMS = 32, PATTERN = 1 << 20 /* values that are drawn; the rest repeats them */ };
static void *rooms[ROOMS];
static int room_count;

void *bench_room(size_t bytes) {
  if (bytes == 0) return NULL;
  if (room_count == ROOMS) die("bench_room", "too many");
  check("cudaMalloc", cudaMalloc(&rooms[room_count], bytes));
  return rooms[room_count++];
}

void bench_free(void) {
  while (room_count > 0) check("cudaFree", cudaFree(rooms[--room_count]));
}

bool bench_fits(const char *what, double bytes) {
  size_t available, total;
  check("cudaMemGetInfo", cudaMemGetInfo(&available, &total));
  if (bytes < 0.9 * (double)available) return true;
  printf("%s: left out: %.1f GiB of device memory are too little\n", what, (double)available / 0x1p30);
  return false;
}

/* The sum of twelve uniform numbers: near enough to normal. */
static double draw(uint64_t *state) {
  double sum = -6;
  for (int i = 0; i < 12; i++) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    sum += (double)(*state >> 11) * 0x1p-53;
  }
  return sum;
}

static void put(rpp_dtype dtype, double value, char *at) {
  const float single = (float)value;
  const uint16_t half = dtype == RPP_F16 ? rpp_f16_from_f64(value) : rpp_bf16_from_f64(value);
  if (dtype == RPP_F32)
    memcpy(at, &single, sizeof single);
  else
    memcpy(at, &half, sizeof half);
}

static void fill(rpp_dtype dtype, void *device, size_t bytes) {
  const size_t size = rpp_dtype_size(dtype), pattern = PATTERN * size;
  static uint64_t state = 1;
  char *values = malloc(pattern);
  if (values == NULL) die("fill", "memory is out");
  for (size_t i = 0; i < PATTERN; i++) put(dtype, draw(&state), values + i * size);
  check("cudaMemcpy", cudaMemcpy(device, values, bytes < pattern ? bytes : pattern, cudaMemcpyHostToDevice));
  for (size_t done = pattern; done < bytes; done *= 2)
    check("cudaMemcpy",
          cudaMemcpy((char *)device + done, device, bytes - done < done ? bytes - done : done, cudaMemcpyDeviceToDevice));
  free(values);
}

static rpp_tensor tensor(rpp_dtype dtype, int ndim, const int64_t *shape) {
  size_t bytes = rpp_dtype_size(dtype);
  rpp_tensor t;
  for (int d = 0; d < ndim; d++) bytes *= (size_t)shape[d];
  void *data = bench_room(bytes);
  if (rpp_tensor_contiguous(data, dtype, ndim, shape, &t) != RPP_OK) die("tensor", rpp_error_message());
  fill(dtype, data, bytes);
  return t;
}

rpp_tensor bench_tensor(rpp_dtype dtype, int64_t b, int64_t l, int64_t heads, int64_t d) {
  return tensor(dtype, 4, (const int64_t[]){b, l, heads, d});
}

rpp_tensor bench_lse(int64_t b, int64_t heads, int64_t l) {
  return tensor(RPP_F32, 3, (const int64_t[]){b, heads, l});
}

static rpp_cuda_integers integers(int64_t first, int64_t step, int64_t length) {
  int64_t *values = malloc((size_t)length * sizeof *values), *device = bench_room((size_t)length * sizeof *device);
  if (values == NULL) die("integers", "memory is out");
  for (int64_t i = 0; i < length; i++) values[i] = first + i * step;
  check("cudaMemcpy", cudaMemcpy(device, values, (size_t)length * sizeof *values, cudaMemcpyHostToDevice));
  free(values);
  return (rpp_cuda_integers){.data = device, .type = RPP_CUDA_I64, .ndim = 1, .shape = {length}, .strides = {1}};
}

rpp_cuda_integers bench_positions(int64_t first, int64_t length) {
  return integers(first, 1, length);
}

rpp_cuda_integers bench_constant(int64_t value, int64_t count) {
  return integers(value, 0, count);
}

/* ---- Times -------------------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

double bench_seconds(rpp_status (*call)(const void *), const void *argument) {
  enum { WARM = 3, RUNS = 21, CACHE = 256 << 20 };
  static void *other;
  float milliseconds[RUNS];
  cudaEvent_t start, end;
  if (other == NULL) check("cudaMalloc", cudaMalloc(&other, CACHE));
  check("cudaEventCreate", cudaEventCreate(&start));
  check("cudaEventCreate", cudaEventCreate(&end));
  for (int i = -WARM; i < RUNS; i++) {
    check("cudaMemsetAsync", cudaMemsetAsync(other, i, CACHE, NULL));
    check("cudaEventRecord", cudaEventRecord(start, NULL));
    if (call(argument) != RPP_OK) die("call", rpp_cuda_error_message());
    check("cudaEventRecord", cudaEventRecord(end, NULL));
    check("cudaEventSynchronize", cudaEventSynchronize(end));
    if (i >= 0) check("cudaEventElapsedTime", cudaEventElapsedTime(&milliseconds[i], start, end));
  }
  check("cudaEventDestroy", cudaEventDestroy(start));
  check("cudaEventDestroy", cudaEventDestroy(end));
  qsort(milliseconds, RUNS, sizeof *milliseconds, ascending);
  return (double)milliseconds[RUNS / 2] * 1e-3;
}

typedef struct {
  void *from, *to;
  size_t bytes;
} copy;

static rpp_status copy_once(const void *argument) {
  const copy *c = argument;
  check("cudaMemcpyAsync", cudaMemcpyAsync(c->to, c->from, c->bytes, cudaMemcpyDeviceToDevice, NULL));
  return RPP_OK;
}

double bench_copy_rate(void) {
  const size_t bytes = (size_t)1 << 30;
  const copy c = {bench_room(bytes), bench_room(bytes), bytes};
  fill(RPP_F32, c.from, bytes);
  const double seconds = bench_seconds(copy_once, &c), rate = 2 * (double)bytes / seconds;
  bench_row_bytes("copy", "1 GiB by cudaMemcpy", seconds, 2 * (double)bytes, rate);
  bench_free();
  return rate;
}

/* ---- The table ---------------------------------------------------------------------------------------------------------- */

void bench_head(void) {
  int device, clock = 0;
  struct cudaDeviceProp p;
  check("cudaGetDevice", cudaGetDevice(&device));
  check("cudaGetDeviceProperties", cudaGetDeviceProperties(&p, device));
  check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&clock, cudaDevAttrClockRate, device));
  printf("%s, sm_%d%d, %d multiprocessors, up to %d MHz, CUDA %d.%d, ropepp %s\n", p.name, p.major, p.minor, p.multiProcessorCount,
         clock / 1000, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10, RPP_VERSION);
  printf("median of 21 calls; the level 2 cache is overwritten before each\n");
  printf("| %-18s | %-58s | %10s | %14s | %7s |\n", "what", "shape", "ms", "rate", "of copy");
  printf("|---|---|---:|---:|---:|\n");
}

void bench_row_operations(const char *what, const char *shape, double seconds, double operations) {
  printf("| %-18s | %-58s | %10.4f | %7.1f TFLOP/s | %7s |\n", what, shape, seconds * 1e3, operations / seconds * 1e-12, "");
  fflush(stdout);
}

void bench_row_bytes(const char *what, const char *shape, double seconds, double bytes, double copy_rate) {
  printf("| %-18s | %-58s | %10.4f | %9.0f GB/s | %5.0f %% |\n", what, shape, seconds * 1e3, bytes / seconds * 1e-9,
         1e2 * bytes / seconds / copy_rate);
  fflush(stdout);
}

rpp_attention bench_attention(rpp_mode mode, int64_t heads, int64_t kv_heads, int64_t width, rpp_mask mask) {
  return (rpp_attention){.mode = mode,
                         .heads = heads,
                         .kv_heads = kv_heads,
                         .rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = width, .base = 10000, .table_dtype = RPP_F64},
                         .mask = mask,
                         .scale = 1 / sqrt((double)width)};
}
