#include "explain/shrink.h"

#include <string.h>

#include "explain/shrink_moves.h"

/* Candidates judged, at most; and of those that the kernel hangs on, each of which costs seconds. */
enum { CALLS = 400, HANGS = 16, SEEDS = 8 };

typedef struct {
  rpp_shrink_runner *run;
  void *context;
  rpp_spec spec; /* the simplest so far */
  rpp_verdict verdict;
  uint64_t tried[CALLS + 1]; /* hashes of the texts of the case and of its candidates */
  int calls, hangs;
  bool ended;
} shrinking;

/* FNV-1a. */
static uint64_t hash_of(const rpp_spec *spec) {
  char text[RPP_SPEC_TEXT];
  uint64_t hash = 0xcbf29ce484222325u;
  rpp_spec_print(spec, text);
  for (const char *c = text; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
  return hash;
}

/* No candidate is judged twice, which is also why moves cannot lead round in a circle. */
static bool is_new(shrinking *s, const rpp_spec *candidate) {
  const uint64_t hash = hash_of(candidate);
  for (int i = 0; i <= s->calls; i++)
    if (s->tried[i] == hash) return false;
  if (s->calls < CALLS) s->tried[s->calls + 1] = hash;
  return true;
}

/* A failure of the same kind; or one with elements closer together: the wrong address that is a crash in the sparse layout may be a wrong
 * number in another, and so may one between elements where there is nothing between; or a mismatch that an earlier gate notices. The
 * statistical gates need many elements, and a case that is wrong by its element bound alone is the sharper one: it needs no probability to
 * be believed. The structure gate is no such step: a NaN is another fault. */
static bool as_good(const shrinking *s, const rpp_spec *candidate, const rpp_verdict *found) {
  const rpp_verdict *best = &s->verdict;
  if (rpp_verdict_same_kind(best, found)) return true;
  const bool closer = s->spec.layout == RPP_LAYOUT_SPARSE
                          ? candidate->layout != RPP_LAYOUT_SPARSE
                          : best->outcome == RPP_OUTCOME_OUTSIDE && candidate->layout == RPP_LAYOUT_CONTIGUOUS;
  if (closer &&
      (found->outcome == RPP_OUTCOME_MISMATCH || found->outcome == RPP_OUTCOME_UNWRITTEN || found->outcome == RPP_OUTCOME_OUTSIDE))
    return true;
  return best->outcome == RPP_OUTCOME_MISMATCH && found->outcome == RPP_OUTCOME_MISMATCH && found->gate >= RPP_GATE_ELEMENT &&
         found->gate < best->gate;
}

/* True when the candidate fails as well and is now the simplest. */
static bool try(shrinking *s, const rpp_spec *candidate) {
  rpp_message error;
  if (s->ended || !rpp_spec_check(candidate, &error) || !is_new(s, candidate)) return false;
  rpp_verdict verdict = rpp_verdict_none();
  s->ended = s->calls == CALLS || s->hangs == HANGS || !s->run(s->context, candidate, &verdict);
  if (s->ended) return false;
  s->calls++;
  if (verdict.outcome == RPP_OUTCOME_HANG) s->hangs++;
  if (!as_good(s, candidate, &verdict)) return false;
  s->spec = *candidate;
  s->verdict = verdict;
  return true;
}

/* One candidate, with the values it has or with those of a few small seeds. */
static bool try_step(shrinking *s, const rpp_shrink_move *move, int step, bool reseed, bool *last) {
  rpp_spec candidate = s->spec;
  *last = !rpp_shrink_move_apply(move, step, &candidate);
  if (*last || memcmp(&candidate, &s->spec, sizeof candidate) == 0) return false; /* is_new sees to what this misses */
  if (!reseed) return try(s, &candidate);
  for (candidate.seed = 1; candidate.seed <= SEEDS; candidate.seed++)
    if (try(s, &candidate)) return true;
  return false;
}

/* Every move, each again from its boldest step for as long as it helps. */
static bool pass(shrinking *s, bool reseed) {
  bool helped = false;
  for (const rpp_shrink_move *move = rpp_shrink_moves; move->name != NULL && !s->ended; move++) {
    if (reseed && !move->sizes) continue;
    bool last = false;
    for (int step = 0; !last && !s->ended; step++)
      if (try_step(s, move, step, reseed, &last)) {
        helped = true;
        step = -1;
      }
  }
  return helped;
}

/* Whether other values may yet make it smaller. */
static bool is_large(const rpp_spec *spec) {
  rpp_head_counts counts;
  return rpp_attention_heads(&spec->attention, &counts) == RPP_OK &&
         (counts.projected > 2 || spec->q_len > 4 || spec->k_len > 4 || spec->head_dim > 4);
}

bool rpp_shrink(rpp_shrink_runner *run, void *context, rpp_spec *spec, rpp_verdict *verdict) {
  shrinking s = {.run = run, .context = context, .spec = *spec, .verdict = *verdict};
  bool helped = false;
  s.tried[0] = hash_of(spec);
  while (pass(&s, false) || (is_large(&s.spec) && pass(&s, true))) helped = true;
  *spec = s.spec;
  *verdict = s.verdict;
  return helped;
}
