/* hypotheses_positions.c: positions, and tables of angles that are too short. */
#include "explain/hypotheses.h"

#include <math.h>

/* By how much queries are ahead of keys of the same index, when the last ones of each meet. */
static int64_t ahead(const rpp_changed *c) {
  const int64_t more = c->k.shape[1] - c->q.shape[1];
  return more > 0 ? more : 0;
}

static int64_t position_of(const rpp_tensor *pos, int64_t b, int64_t i) {
  return (int64_t)rpp_tensor_get(pos, (int64_t[]){pos->ndim == 1 ? i : b, i});
}

/* A map may need less than it is given. */
#define MAP(name) static int64_t name(const rpp_changed *c, int64_t b, int64_t i, int64_t position, double number)
#define UNUSED(x) (void)(x)

MAP(shifted) {
  UNUSED(c), UNUSED(b), UNUSED(i);
  return position + (int64_t)number;
}
MAP(index_of_key) {
  UNUSED(c), UNUSED(b), UNUSED(position), UNUSED(number);
  return i;
}
MAP(from_first_key) {
  UNUSED(position), UNUSED(number);
  return position_of(&c->pos_k, b, 0) + i;
}
MAP(from_first_query) {
  UNUSED(position), UNUSED(number);
  return position_of(&c->pos_q, b, 0) + i;
}
MAP(index_of_query) {
  UNUSED(b), UNUSED(position);
  return i + (number == 0 ? 0 : ahead(c));
}
MAP(key_at_index) {
  UNUSED(number);
  return i < c->pos_k.shape[c->pos_k.ndim - 1] ? position_of(&c->pos_k, b, i) : position;
}
MAP(first_sequence_q) {
  UNUSED(b), UNUSED(position), UNUSED(number);
  return position_of(&c->pos_q, 0, i);
}
MAP(first_sequence_k) {
  UNUSED(b), UNUSED(position), UNUSED(number);
  return position_of(&c->pos_k, 0, i);
}
MAP(clamped) {
  UNUSED(c), UNUSED(b), UNUSED(i);
  return position < (int64_t)number ? position : (int64_t)number - 1;
}
MAP(wrapped) {
  UNUSED(c), UNUSED(b), UNUSED(i);
  return position % (int64_t)number;
}
MAP(rounded) {
  UNUSED(c), UNUSED(b), UNUSED(i);
  const double value = rpp_dtype_round((rpp_dtype)number, (double)position);
  return isfinite(value) ? (int64_t)value : position;
}

static bool both(rpp_changed *c, rpp_position_map *f, double number) {
  return rpp_changed_positions(c, true, f, number) && rpp_changed_positions(c, false, f, number);
}

static bool queries_shifted(rpp_changed *c, double number) {
  return rpp_changed_positions(c, true, shifted, number);
}
static bool by_index(rpp_changed *c, double number) {
  return rpp_changed_positions(c, true, index_of_query, number) && rpp_changed_positions(c, false, index_of_key, 0);
}
static bool keys_by_index(rpp_changed *c, double number) {
  return rpp_changed_positions(c, false, index_of_key, number);
}
static bool queries_by_index(rpp_changed *c, double number) {
  return rpp_changed_positions(c, true, index_of_query, number);
}
static bool keys_of_queries(rpp_changed *c, double number) {
  return rpp_changed_positions(c, true, key_at_index, number);
}
/* number, here and below: 1 q, 2 k, 3 both. */
static bool from_first(rpp_changed *c, double number) {
  const int which = (int)number;
  return (!(which & 1) || rpp_changed_positions(c, true, from_first_query, 0)) &&
         (!(which & 2) || rpp_changed_positions(c, false, from_first_key, 0));
}
static bool first_sequence(rpp_changed *c, double number) {
  const int which = (int)number;
  return c->q.shape[0] > 1 && (!(which & 1) || rpp_changed_positions(c, true, first_sequence_q, 0)) &&
         (!(which & 2) || rpp_changed_positions(c, false, first_sequence_k, 0));
}
static bool table_clamped(rpp_changed *c, double number) {
  return both(c, clamped, number);
}
static bool table_wrapped(rpp_changed *c, double number) {
  return both(c, wrapped, number);
}
static bool positions_rounded(rpp_changed *c, double number) {
  return both(c, rounded, number);
}

/* clang-format off: one hypothesis, one line */
const rpp_hypothesis rpp_hypotheses_positions[] = {
    {"query positions one too large (or key positions one too small)", queries_shifted, NULL, 1},
    {"query positions one too small (or key positions one too large)", queries_shifted, NULL, -1},
    {"positions taken from the index, first query at the first key", by_index, NULL, 0},
    {"positions taken from the index, last query at the last key", by_index, NULL, 1},
    {"queries at the positions of the keys of their index", keys_of_queries, NULL, 0},
    {"key positions taken from the index", keys_by_index, NULL, 0},
    {"query positions taken from the index, first query at the first key", queries_by_index, NULL, 0},
    {"query positions taken from the index, last query at the last key", queries_by_index, NULL, 1},
    {"positions counted on from the first key's and the first query's", from_first, NULL, 3},
    {"key positions counted on from the first key's", from_first, NULL, 2},
    {"query positions counted on from the first query's", from_first, NULL, 1},
    {"the first sequence's positions for the whole batch", first_sequence, NULL, 3},
    {"the first sequence's query positions for the whole batch", first_sequence, NULL, 1},
    {"the first sequence's key positions for the whole batch", first_sequence, NULL, 2},
    {"a table of angles of 2048 positions, its last row from there on", table_clamped, NULL, 2048},
    {"a table of angles of 4096 positions, its last row from there on", table_clamped, NULL, 4096},
    {"a table of angles of 8192 positions, its last row from there on", table_clamped, NULL, 8192},
    {"a table of angles of 32768 positions, its last row from there on", table_clamped, NULL, 32768},
    {"a table of angles of 2048 positions, from its start again", table_wrapped, NULL, 2048},
    {"a table of angles of 4096 positions, from its start again", table_wrapped, NULL, 4096},
    {"a table of angles of 8192 positions, from its start again", table_wrapped, NULL, 8192},
    {"positions in 16 bits, from 0 again", table_wrapped, NULL, 65536},
    {"positions rounded to bfloat16", positions_rounded, NULL, RPP_BF16},
    {"positions rounded to float16", positions_rounded, NULL, RPP_F16},
    {0},
};
/* clang-format on */
