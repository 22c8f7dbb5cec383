/* attention_problem.h: random attention problems in awkward layouts, run and held against attention_oracle.h. */
#ifndef ATTENTION_PROBLEM_H
#define ATTENTION_PROBLEM_H
#include "guarded.h"
#include "ropepp.h"

typedef enum {
  POSITIONS_RISING = 0, /* keys from 0 (or another start), queries at their end */
  POSITIONS_RESET,      /* counted again from 0 every few tokens: t - s < 0 occurs */
  POSITIONS_RANDOM      /* any order and sign, to 2000 */
} positions_kind;

typedef struct {
  rpp_attention attention;
  int64_t batch, q_len, k_len, head_dim, v_dim;
  rpp_dtype q_dtype, k_dtype, v_dtype, out_dtype, lse_dtype;
  guarded_layout layout; /* q's; k, v, out and lse have the next ones: no two share their strides */
  positions_kind positions;
  int pos_dims; /* 1: (L), 2: (B, L) with rows that differ */
  int64_t start;
  int64_t rows; /* of out and lse; 0: one for each query */
  int packed;   /* sequences, or 0: not packed */
  uint64_t seed;
} problem_config;

typedef struct {
  rpp_attention attention;
  guarded q, k, v, pos_q, pos_k, cu_q, cu_k, out, lse;
  rpp_attention_inputs inputs; /* of the tensors above */
} problem;

/* A small problem with every field usable: 2 sequences, 5 queries, 7 keys, D 8, Dv 6, 4 heads over 2 KV heads, float64, causal. */
problem_config problem_default(rpp_mode mode);

problem *problem_new(const problem_config *config);
void problem_free(problem *p);

/* Any int64 into an I64 tensor. */
void problem_set_integer(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t value);

/* Fails the test unless the outputs are what means of v's rows may be: no larger than all of v, and an LSE that is a number. */
void problem_gives_means(const problem *p);

/* A hash of the bytes of all inputs, or of both outputs, with what surrounds them: what must not change does not change it. */
uint64_t problem_inputs_hash(const problem *p);
uint64_t problem_outputs_hash(const problem *p);

/* Runs it; fails the test on a refusal, a byte written outside of the outputs or an input changed. rows may be null. */
void problem_run(problem *p, const rpp_tensor *rows);

/* The largest disagreement of out and of lse with the oracle for this attention, p's own or, as a control, a spoiled one. scale is in
 * units of the values, 1. */
double problem_error(const problem *p, const rpp_attention *attention, const rpp_tensor *rows, double scale);

#endif
