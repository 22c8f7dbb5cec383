/* sanitized_plants.c: runs the kernels with one of the plants that only a sanitizer sees, or without, and the clean ones for comparison:
 *
 *   sanitized_plants list     names and files of the plants, a line each
 *   sanitized_plants NAME     "the same results", or "other results"; whatever the sanitizer has to say is on stderr
 *   sanitized_plants clean    the same with the clean kernels twice
 *
 * Every tensor is a block of the heap of its exact size. Built with AddressSanitizer or ThreadSanitizer, its kernels too, and without
 * OpenMP: blocks run one after another. */
#include "sanitized_plants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two blocks of rows, the second with a tail; two tiles of keys, the second with a tail. */
enum { LENGTH = 20, WIDTH = 8, HEADS = 2, NUMBERS = 100 };

typedef struct {
  float *out, *lse, *rotated;
  unsigned tally;
} results;

static void *allocate(size_t bytes) {
  void *at = malloc(bytes);
  if (at == NULL) exit(3);
  return at;
}

static void check(rpp_status status) {
  if (status == RPP_OK) return;
  printf("failed: %s\n", rpp_cuda_error_message());
  exit(2);
}

/* Numbers between -1 and 1, always the same. */
static float *numbers(int count) {
  float *x = allocate((size_t)count * sizeof *x);
  unsigned random = 1;
  for (int i = 0; i < count; i++) {
    random = random * 1664525u + 1013904223u;
    x[i] = (float)((int)(random >> 8) - (1 << 23)) / (float)(1 << 23);
  }
  return x;
}

static rpp_tensor tensor(void *data, int ndim, const int64_t *shape) {
  rpp_tensor t;
  if (rpp_tensor_contiguous(data, RPP_F32, ndim, shape, &t) != RPP_OK) exit(3);
  return t;
}

static void attend(const rpp_simt_functions *functions, const rpp_attention *attention, const rpp_cuda_integers *pos, results *r) {
  const int64_t one[] = {1, LENGTH, 1, WIDTH}, both[] = {1, LENGTH, HEADS, WIDTH}, rows[] = {1, HEADS, LENGTH};
  rpp_tensor q = tensor(numbers(LENGTH * WIDTH), 4, one), k = tensor(numbers(LENGTH * WIDTH), 4, one),
             v = tensor(numbers(LENGTH * WIDTH), 4, one), out = tensor(r->out, 4, both), lse = tensor(r->lse, 3, rows);
  const rpp_cuda_inputs in = {.q = &q, .k = &k, .v = &v, .pos_q = pos, .pos_k = pos};
  size_t bytes;
  check(functions->attention_workspace(attention, &in, &out, &lse, &bytes));
  void *workspace = allocate(bytes);
  check(functions->attention(attention, &in, &out, &lse, workspace, bytes, NULL));
  free(workspace), free(q.data), free(k.data), free(v.data);
}

static void rotate(const rpp_simt_functions *functions, const rpp_rotary *rotary, const rpp_cuda_integers *pos, results *r) {
  const int64_t shape[] = {1, LENGTH, 1, WIDTH};
  rpp_tensor x = tensor(numbers(LENGTH * WIDTH), 4, shape), y = tensor(r->rotated, 4, shape);
  size_t bytes;
  check(functions->rotate_workspace(rotary, pos, &bytes));
  void *workspace = allocate(bytes);
  check(functions->rotate(rotary, &x, pos, &y, NULL, workspace, bytes, NULL));
  free(workspace), free(x.data);
}

static results run(const rpp_simt_functions *functions, __typeof__(rpp_cuda_tally) *tally) {
  results r = {numbers(LENGTH * HEADS * WIDTH), numbers(LENGTH * HEADS), numbers(LENGTH * WIDTH), 0};
  int64_t *positions = allocate(LENGTH * sizeof *positions);
  for (int i = 0; i < LENGTH; i++) positions[i] = i;
  const rpp_rotary rotary = {.rotary_dim = WIDTH, .base = 10000};
  const rpp_attention attention = {.mode = RPP_MODE_EC, .heads = 1, .kv_heads = 1, .scale = 0.5, .rotary = rotary};
  const rpp_cuda_integers pos = {.data = positions, .ndim = 1, .shape = {LENGTH}, .strides = {1}};
  attend(functions, &attention, &pos, &r);
  rotate(functions, &rotary, &pos, &r);
  float *x = numbers(NUMBERS);
  check(tally(x, NUMBERS, &r.tally));
  free(x), free(positions);
  return r;
}

static bool same(const results *a, const results *b) {
  return memcmp(a->out, b->out, LENGTH * HEADS * WIDTH * sizeof(float)) == 0 &&
         memcmp(a->lse, b->lse, LENGTH * HEADS * sizeof(float)) == 0 &&
         memcmp(a->rotated, b->rotated, LENGTH * WIDTH * sizeof(float)) == 0 && a->tally == b->tally;
}

static void drop(results *r) {
  free(r->out), free(r->lse), free(r->rotated);
}

int main(int argc, char **argv) {
  const rpp_simt_functions clean = {rpp_cuda_rotate_workspace, rpp_cuda_rotate, rpp_cuda_attention_f32_workspace,
                                    rpp_cuda_attention_f32, RPP_SIMT_WORK_F32};
  const sanitized_plant *plant = sanitized_plants;
  if (argc != 2) return 3;
  if (strcmp(argv[1], "list") == 0) {
    for (; plant->name; plant++) printf("%s %s\n", plant->name, plant->file);
    return 0;
  }
  while (plant->name && strcmp(plant->name, argv[1]) != 0) plant++;
  if (!plant->name && strcmp(argv[1], "clean") != 0) return 3;
  results right = run(&clean, rpp_cuda_tally);
  results other = plant->name ? run(&plant->functions, plant->tally) : run(&clean, rpp_cuda_tally);
  puts(same(&right, &other) ? "the same results" : "other results");
  drop(&right), drop(&other);
  return 0;
}
