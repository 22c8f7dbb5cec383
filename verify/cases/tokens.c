#include "cases/tokens.h"

#include "base/random.h"

/* Streams of the case's seed; values.c has those below 2^60. */
enum { PACKING, STARTS, ROWS };
static rpp_random stream(const rpp_spec *spec, uint64_t which, uint64_t b) {
  return rpp_random_make(spec->seed, (uint64_t)15 << 60 | which << 40 | b);
}

/* ---- Packed sequences ---------------------------------------------------------------------------------------------------- */

static void pack(rpp_random random, int64_t sequences, int64_t length, int64_t *cu) {
  rpp_random again = random; /* the same weights twice: to sum them, and to use them */
  int64_t total = 0, sum = 0;
  for (int64_t n = 0; n < sequences; n++) total += rpp_random_integer(&random, 0, 3);
  cu[0] = 0;
  for (int64_t n = 0; n < sequences; n++) {
    sum += rpp_random_integer(&again, 0, 3);
    cu[n + 1] = total > 0 ? length * sum / total : 0;
  }
  cu[sequences] = length;
}

void rpp_token_packing(const rpp_spec *spec, int64_t *cu_q, int64_t *cu_k) {
  if (spec->packed == 0) return;
  rpp_random alike = stream(spec, PACKING, 2);
  const bool same = spec->q_len == spec->k_len && rpp_random_integer(&alike, 0, 1) == 0;
  pack(stream(spec, PACKING, 0), spec->packed, spec->q_len, cu_q);
  pack(stream(spec, PACKING, same ? 0 : 1), spec->packed, spec->k_len, cu_k);
}

/* ---- Positions ----------------------------------------------------------------------------------------------------------- */

enum {
  PACKED = 4096, /* sequences at most, as spec_keys.c has it */
  LATEST_START = 100
}; /* how far apart the batch's sequences start, at most */

static int64_t start_of(const rpp_spec *spec, int64_t b) {
  if (!spec->batched_positions || b == 0) return spec->position;
  rpp_random random = stream(spec, STARTS, (uint64_t)b);
  return spec->position + (b - 1) * LATEST_START + rpp_random_integer(&random, 1, LATEST_START);
}

static int64_t position_of(const rpp_spec *spec, int64_t start, int64_t n) {
  return spec->reset > 0 && n >= spec->reset ? n % spec->reset : start + n;
}

static void place(const rpp_spec *spec, int64_t start, int64_t q_len, int64_t k_len, int64_t *pos_q, int64_t *pos_k) {
  const int64_t shift = k_len > q_len ? k_len - q_len : 0;
  for (int64_t i = 0; pos_q != NULL && i < q_len; i++) pos_q[i] = position_of(spec, start, i + shift);
  for (int64_t j = 0; pos_k != NULL && j < k_len; j++) pos_k[j] = position_of(spec, start, j);
}

void rpp_token_positions(const rpp_spec *spec, const int64_t *cu_q, const int64_t *cu_k, int64_t b, int64_t *pos_q,
                         int64_t *pos_k) {
  const int64_t start = start_of(spec, b);
  if (spec->packed == 0) {
    place(spec, start, spec->q_len, spec->k_len, pos_q, pos_k);
    return;
  }
  for (int64_t n = 0; n < spec->packed; n++)
    place(spec, start, cu_q[n + 1] - cu_q[n], cu_k[n + 1] - cu_k[n], pos_q != NULL ? pos_q + cu_q[n] : NULL,
          pos_k != NULL ? pos_k + cu_k[n] : NULL);
}

int64_t rpp_token_last_position(const rpp_spec *spec) {
  const int64_t longest = spec->q_len > spec->k_len ? spec->q_len : spec->k_len;
  const int64_t latest = spec->position + (spec->batched_positions ? (spec->batch - 1) * LATEST_START : 0) + longest;
  return latest > spec->reset ? latest : spec->reset;
}

/* The most tokens that a sequence has, of queries or of keys. Both count from its start, so that the longer one has every count. */
static int64_t longest(const rpp_spec *spec) {
  int64_t cu_q[PACKED + 1], cu_k[PACKED + 1], most = 0;
  if (spec->packed == 0) return spec->q_len > spec->k_len ? spec->q_len : spec->k_len;
  rpp_token_packing(spec, cu_q, cu_k);
  for (int64_t n = 0; n < spec->packed; n++) {
    if (cu_q[n + 1] - cu_q[n] > most) most = cu_q[n + 1] - cu_q[n];
    if (cu_k[n + 1] - cu_k[n] > most) most = cu_k[n + 1] - cu_k[n];
  }
  return most;
}

bool rpp_token_reach(const rpp_spec *spec, int64_t *lowest, int64_t *highest) {
  const int64_t length = longest(spec), before = spec->reset > 0 && length > spec->reset ? spec->reset : length;
  if (length == 0 || spec->batch == 0 || (spec->attention.q_rotated && spec->attention.k_rotated)) return false;
  *lowest = spec->position;
  *highest = start_of(spec, spec->batch - 1) + before - 1; /* later sequences start later */
  if (length == before) return true;
  const int64_t last = (length - before < before ? length - before : before) - 1; /* counts start again at 0 */
  if (*lowest > 0) *lowest = 0;
  if (*highest < last) *highest = last;
  return true;
}

/* ---- Sampled rows -------------------------------------------------------------------------------------------------------- */

void rpp_token_rows(const rpp_spec *spec, int64_t *rows) {
  rpp_random random = stream(spec, ROWS, 0);
  const int64_t count = spec->rows, length = spec->q_len;
  for (int64_t i = 0; i < count; i++) rows[i] = rpp_random_integer(&random, length * i / count, length * (i + 1) / count - 1);
  if (count > 1) rows[0] = 0, rows[count - 1] = length - 1;
}
