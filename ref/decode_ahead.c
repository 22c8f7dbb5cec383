#include "decode_ahead.h"

enum { LINE = 64, PLACES = 4 };

/* Runs of bytes without a gap, in the order of memory. */
typedef struct {
  int64_t outer, outer_step, inner, inner_step, bytes, lines; /* of a run */
} runs;

/* A dimension whose items follow each other without a gap becomes part of the run. */
static void absorb(int64_t *count, int64_t step, int64_t *bytes) {
  if (*count == 1 || step != *bytes) return;
  *bytes *= *count;
  *count = 1;
}

static runs find_runs(const rpp_tensor *t, int64_t tokens, int64_t heads) {
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype);
  const int64_t token = tokens > 1 ? t->strides[1] * size : 0, head = heads > 1 ? t->strides[2] * size : 0;
  int64_t bytes = t->strides[3] == 1 || t->shape[3] == 1 ? t->shape[3] * size : 0;
  absorb(&heads, head, &bytes);
  absorb(&tokens, token, &bytes);
  absorb(&heads, head, &bytes);
  const int64_t lines = (bytes + LINE - 1) / LINE;
  return token < head ? (runs){heads, head, tokens, token, bytes, lines} : (runs){tokens, token, heads, head, bytes, lines};
}

int64_t rpp_ahead_count(const rpp_tensor *t, int64_t tokens, int64_t heads) {
  if (tokens > t->shape[1] || heads > t->shape[2]) return 0; /* whose strides nobody has checked against so many */
  const runs r = find_runs(t, tokens, heads);
  return r.outer * r.inner * r.lines;
}

void rpp_ahead_offsets(const rpp_tensor *t, int64_t tokens, int64_t heads, int64_t *offset) {
  const int64_t count = rpp_ahead_count(t, tokens, heads);
  if (count == 0) return;
  const runs r = find_runs(t, tokens, heads);
  const int64_t each = count / PLACES;
  for (int64_t i = 0; i < count; i++) {
    const int64_t n = i < each * PLACES ? i % PLACES * each + i / PLACES : i;
    offset[i] = n / r.lines / r.inner * r.outer_step + n / r.lines % r.inner * r.inner_step + n % r.lines * LINE;
  }
}
