/* cost.h: what a model costs in RoPE, EC and EH: parameters, KV cache, FLOPs, and the time of a token by the roofline (notes/math.md,
 * Cost). Parameters and bytes are exact 64-bit integers, FLOPs are float64: exact up to 2^53, then within 1e-15 of themselves. Each
 * function returns false, with a message, when the mode is not possible for the model or a count does not fit. FLOPs are those of matrix
 * products, a multiplication and an addition each: no softmax, rotation, norm or activation. */
#ifndef RPP_COST_H
#define RPP_COST_H
#include "model.h"

typedef enum {
  RPP_MATRIX_EMBEDDING = 0, /* vocabulary x hidden */
  RPP_MATRIX_WQ,            /* P D x hidden, a layer */
  RPP_MATRIX_WK,            /* K D x hidden, a layer */
  RPP_MATRIX_WV,            /* K D x hidden, a layer */
  RPP_MATRIX_WO,            /* hidden x O D, a layer: EC's is twice as wide */
  RPP_MATRIX_FFN_GATE,      /* ffn x hidden, a layer */
  RPP_MATRIX_FFN_UP,        /* ffn x hidden, a layer */
  RPP_MATRIX_FFN_DOWN,      /* hidden x ffn, a layer */
  RPP_MATRIX_OUTPUT_HEAD,   /* vocabulary x hidden; none of its own when embeddings are tied */
  RPP_MATRICES
} rpp_matrix;

/* "embedding", "wq", ... as the data spells them. */
const char *rpp_matrix_name(rpp_matrix matrix);

/* Elements of each matrix over all layers (eq. C1, from eq. 12 and 16). */
typedef struct {
  int64_t of[RPP_MATRICES];
  int64_t total;
  int64_t streamed; /* read by each decode step: all but the input embedding table, of which a step reads one row a sequence; a tied
                       table is read whole, as the output head */
} rpp_parameters;
bool rpp_parameters_count(const rpp_model *model, rpp_mode mode, rpp_parameters *parameters, rpp_message *error);

/* Bytes of the KV cache over all layers: layers x eq. 15, rpp_kv_cache_bytes (eq. C2). */
bool rpp_cache_bytes(const rpp_model *model, rpp_mode mode, rpp_dtype dtype, int64_t batch, int64_t tokens, int64_t *bytes,
                     rpp_message *error);

typedef struct {
  double projections; /* Wq, Wk, Wv, Wo */
  double attention;   /* q k' and p v of the O output heads, visible keys only */
  double ffn;
  double output_head;
  double total;
} rpp_flops;

/* Causal prefill of batch sequences of context tokens; logits of each sequence's last token only (eq. C3). */
bool rpp_flops_prefill(const rpp_model *model, rpp_mode mode, int64_t batch, int64_t context, rpp_flops *flops, rpp_message *error);

/* One token for each of batch sequences, seeing context keys, its own among them (eq. C3). */
bool rpp_flops_decode(const rpp_model *model, rpp_mode mode, int64_t batch, int64_t context, rpp_flops *flops, rpp_message *error);

typedef struct {
  rpp_dtype dtype;  /* of weights and cache */
  double bandwidth; /* bytes/s */
  double flops;     /* FLOP/s */
} rpp_machine;

typedef struct {
  int64_t weight_bytes, cache_bytes, bytes; /* moved: the weights once and the cache of the whole batch once */
  double flops;
  double memory_ms, compute_ms;
  double ms; /* the larger of the two */
} rpp_step;

/* One decode step by the roofline (eq. C4). cache_reads: how often each element of the cache is read; 1 for a kernel whose real and
 * imaginary heads share a pass over K and V, 2 for EC by one that runs them apart. */
bool rpp_step_cost(const rpp_model *model, rpp_mode mode, const rpp_machine *machine, int cache_reads, int64_t batch,
                   int64_t context, rpp_step *step, rpp_message *error);

#endif
