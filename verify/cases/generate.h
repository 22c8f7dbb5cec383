/* generate.h: the data of a case, drawn from its spec, between guard bands. */
#ifndef RPP_GENERATE_H
#define RPP_GENERATE_H
#include "cases/spec.h"

/* What a kernel gets and what it must leave alone. Inputs, outputs and workspace lie in blocks of memory of their own (fused q,
 * k and v in one), each element at the strides the spec's layout asks for, with guard bands around and, for padded layouts,
 * between; guards hold a poison pattern that is NaN in every dtype. Outputs start as that NaN. An element's value does not
 * depend on the layout. */
typedef struct {
  rpp_spec spec;
  rpp_attention attention;     /* the spec's */
  rpp_attention_inputs inputs; /* points to the tensors below, so the struct must stay where it is; null for what the case lacks */
  rpp_tensor q, k, v, pos_q, pos_k, cu_q, cu_k; /* no positions for rotated inputs, no cu_q, cu_k unless packed */
  rpp_tensor out, lse;                          /* out in the given dtype, lse in its own */
  rpp_tensor rows;                              /* (R), I64: the sampled query rows, ascending; data null when all are checked */
  struct rpp_block *blocks;                     /* the memory behind the tensors */
  bool unreserved;                              /* left behind by a failure: the system has not the address space for this layout */
} rpp_generated;

/* Shapes, dtypes and strides alone, with null data: what a kernel is asked about. Nothing is to be freed. */
void rpp_generated_describe(const rpp_spec *spec, rpp_dtype out_dtype, rpp_dtype lse_dtype, rpp_generated *generated);

/* For a sound spec. False, with a message, when memory, or address space, is out. out_dtype and lse_dtype: what the kernel's
 * contract stores. */
bool rpp_generate(const rpp_spec *spec, rpp_dtype out_dtype, rpp_dtype lse_dtype, rpp_generated *generated, rpp_message *error);
void rpp_generated_free(rpp_generated *generated);

/* Guarded room for a kernel's workspace, freed with the rest; null when memory is out. */
void *rpp_generated_workspace(rpp_generated *generated, size_t bytes);

/* Guarded room for a tensor shaped like another, in the spec's layout, freed with the rest: an output, poisoned; or, to be
 * overwritten in place, a copy of it. False, with a message, when memory is out. The name outlives generated. */
bool rpp_generated_room(rpp_generated *generated, const char *name, const rpp_tensor *like, rpp_dtype dtype, bool copy,
                        rpp_tensor *t, rpp_message *error);

/* reset: outputs, workspace and rooms as they started, and their guards. intact: checks that guards and inputs still hold what
 * they held: false, with a message naming the tensor and where (before, after, between, or the element of an input), when
 * anything was written outside the outputs. */
void rpp_generated_reset(rpp_generated *generated);
bool rpp_generated_intact(const rpp_generated *generated, rpp_message *error);

/* Whether an element still holds the poison it started with, bit for bit. */
bool rpp_generated_unwritten(const rpp_tensor *t, const int64_t *index);

/* Whether a tensor has elements and all of them do. */
bool rpp_generated_untouched(const rpp_tensor *t);

#endif
