/* ropepp.h: the reference of RoPE and RoPE++ attention, in float64.
 *
 * RoPE keeps the real part of a complex attention score; RoPE++ keeps the imaginary part too, by letting each query head
 * attend a second time with its query turned by -pi/2, over the same keys and values. Equations are numbered in notes/math.md.
 *
 * Shapes are written (batch, length, heads, width); B batch, Lq and Lk lengths, H and G the nominal counts of query and KV heads,
 * P, K and O those of projected query heads, projected KV heads and output heads (eq. 12), D head width, Dv value width,
 * W rotary width. Angles are radians, lengths are tokens, logarithms are natural.
 *
 * Every function that can fail returns a rpp_status, having checked every argument before it touches memory; the thread's
 * rpp_error_message() then names the field and its value. On failure no output has been written. Nothing here prints, exits or
 * keeps state between calls. */
#ifndef ROPEPP_H
#define ROPEPP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RPP_API __attribute__((visibility("default")))
#else
#define RPP_API
#endif

/* ---- Status ------------------------------------------------------------------------------------------------------------- */

typedef enum {
  RPP_OK = 0,
  RPP_ERROR_NULL,        /* a required pointer is null */
  RPP_ERROR_VALUE,       /* a number or an enumerator is out of its range, or NaN */
  RPP_ERROR_SHAPE,       /* a tensor's rank, shape or strides do not fit */
  RPP_ERROR_DTYPE,       /* a tensor's dtype does not fit */
  RPP_ERROR_OVERFLOW,    /* a size does not fit its integer type */
  RPP_ERROR_OVERLAP,     /* an output shares memory with an input, another output or itself */
  RPP_ERROR_UNSUPPORTED, /* the request has no meaning, such as relative scores from a given cosine table */
  RPP_ERROR_MEMORY,      /* an allocation failed */
  RPP_ERROR_DEVICE       /* libropepp-cuda only: a kernel could not be started, or the SIMT runtime found a fault in it */
} rpp_status;

/* The message of this thread's last failure: one line, "field = value: what must hold". Empty before the first. */
RPP_API const char *rpp_error_message(void);

/* ---- Element types ------------------------------------------------------------------------------------------------------ */

typedef enum { RPP_F64 = 0, RPP_F32, RPP_F16, RPP_BF16, RPP_I64 } rpp_dtype;

/* Bytes of one element: 8, 4, 2, 2, 8; 0 for anything else. */
RPP_API size_t rpp_dtype_size(rpp_dtype dtype);

/* "F64", "F32", "F16", "BF16", "I64", as safetensors spells them; "?" for anything else. */
RPP_API const char *rpp_dtype_name(rpp_dtype dtype);

/* IEEE 754 conversions, ties to even, straight from float64 (one rounding). Overflow goes to infinity, NaN stays a quiet NaN with
 * its sign and the top bits of its payload. */
RPP_API uint16_t rpp_f16_from_f64(double x);
RPP_API uint16_t rpp_bf16_from_f64(double x);
RPP_API float rpp_f32_from_f64(double x);

/* The value of a bit pattern; exact. A signalling NaN comes out quiet. */
RPP_API double rpp_f64_from_f16(uint16_t bits);
RPP_API double rpp_f64_from_bf16(uint16_t bits);

/* Unit roundoff of a floating dtype, half a unit in the last place, relative: 2^-53, 2^-24, 2^-11, 2^-8; NaN for others. */
RPP_API double rpp_dtype_unit(rpp_dtype dtype);

/* x rounded to the nearest value of a floating dtype; NaN for I64 or an unknown dtype. */
RPP_API double rpp_dtype_round(rpp_dtype dtype, double x);

/* ---- Tensors ------------------------------------------------------------------------------------------------------------ */

#define RPP_MAX_DIMS 4

/* DLPack's fields. Strides count elements and may be negative or, for inputs, zero; data + byte_offset is element (0, ..., 0) and
 * needs no alignment. A tensor without elements may have null data. */
typedef struct {
  void *data;
  rpp_dtype dtype;
  int ndim;                    /* 1 .. RPP_MAX_DIMS */
  int64_t shape[RPP_MAX_DIMS]; /* 0 .. 2^56 each */
  int64_t strides[RPP_MAX_DIMS];
  uint64_t byte_offset;
} rpp_tensor;

/* A row-major tensor over data. Errors: NULL (shape, t), DTYPE, SHAPE (ndim, negative size), OVERFLOW. */
RPP_API rpp_status rpp_tensor_contiguous(void *data, rpp_dtype dtype, int ndim, const int64_t *shape, rpp_tensor *t);

/* A view of length elements of dimension dim from start, step apart (step may be negative). Errors: NULL, VALUE (dim, start,
 * length, step). */
RPP_API rpp_status rpp_tensor_slice(const rpp_tensor *t, int dim, int64_t start, int64_t length, int64_t step, rpp_tensor *view);

/* The number of elements and, in bytes, the span from the lowest to past the highest one. Errors: as for any tensor argument. */
RPP_API rpp_status rpp_tensor_extent(const rpp_tensor *t, int64_t *elements, int64_t *bytes);

/* Whether two valid tensors share a byte. Exact for the layouts people use; after a long search it says true. */
RPP_API bool rpp_tensors_overlap(const rpp_tensor *a, const rpp_tensor *b);

/* A dimension along which two elements of a valid tensor share a byte, or -1 when all are apart. As exact as above. */
RPP_API int rpp_tensor_self_overlap(const rpp_tensor *t);

/* One element of a valid tensor as float64, and back, rounded to nearest (I64: saturating, NaN becomes 0). index has ndim entries
 * inside the shape: not checked. */
RPP_API double rpp_tensor_get(const rpp_tensor *t, const int64_t *index);
RPP_API void rpp_tensor_set(const rpp_tensor *t, const int64_t *index, double value);

/* ---- Rotary position embedding ------------------------------------------------------------------------------------------ */

/* Columns of pair n: (2n, 2n + 1), or (n, n + W / 2). */
typedef enum { RPP_PAIRING_INTERLEAVED = 0, RPP_PAIRING_HALF } rpp_pairing;

typedef enum {
  RPP_SCALING_NONE = 0,
  RPP_SCALING_LINEAR,    /* theta / factor (eq. 4a) */
  RPP_SCALING_NTK,       /* base x factor (eq. 4b) */
  RPP_SCALING_NTK_AWARE, /* base x factor^(W / (W - 2)), W > 2 (eq. 4c) */
  RPP_SCALING_YARN,      /* the authors' ramp over rotations, beta 1 .. 32 (eq. 4d) */
  RPP_SCALING_YARN_HF,   /* Hugging Face's ramp over the dimension index, beta 1 .. 32 (eq. 4e) */
  RPP_SCALING_LLAMA3     /* Llama 3's piecewise scaling (eq. 4f) */
} rpp_scaling_kind;

typedef struct {
  rpp_scaling_kind kind;
  double factor;    /* all but none: finite, >= 1 */
  double orig;      /* yarn, yarn-hf, llama3: original context in tokens, finite, >= 1 */
  double low, high; /* llama3: finite, 0 < low < high */
} rpp_scaling;

typedef enum {
  RPP_ANGLES_EXACT = 0, /* cos and sin of t theta within 1e-15 for |t| <= 10^9; taken while |t| <= 2^53 and |t theta| < 2^53 */
  RPP_ANGLES_HF_F32     /* Hugging Face's float32 chain, every step correctly rounded; |t| <= 2^24 (eq. 5) */
} rpp_angle_model;

typedef struct {
  rpp_pairing pairing;
  int64_t rotary_dim; /* W: even, 2 .. D; columns past it pass unchanged */
  double base;        /* > 1, at most 2^900 (hf-f32: 2^126); not read when inv_freq or cos is given */
  rpp_scaling scaling;
  rpp_angle_model angles;
  rpp_dtype table_dtype;       /* computed cos and sin are rounded to it before use; RPP_F64 leaves them */
  const rpp_tensor *inv_freq;  /* (W / 2), floating, or null: theta as given (hf-f32: as float32), instead of base and scaling */
  const rpp_tensor *cos, *sin; /* (T, W / 2), floating, or null: row t serves position t, as given, instead of all from base on */
} rpp_rotary;

typedef enum { RPP_PART_REAL = 0, RPP_PART_IMAG } rpp_part;

/* theta_n = hi[n] + lo[n], n = 0 .. W / 2 - 1, to 1e-29 relative (hf-f32: a float32 and 0), and the magnitude m that multiplies cos
 * and sin (1 but for yarn and yarn-hf; eq. 1, 4, 5). Any output may be null. Errors: NULL, VALUE, DTYPE, SHAPE, OVERFLOW, MEMORY,
 * UNSUPPORTED (cos and sin are given: there is no theta). */
RPP_API rpp_status rpp_frequencies(const rpp_rotary *rotary, double *hi, double *lo, double *magnitude);

/* m cos(t theta_n) and m sin(t theta_n) (eq. 2). pos: (L), I64; cos, sin: (L, W / 2), any floating dtype, rounded once to table_dtype
 * and then to their own. Errors: any but UNSUPPORTED; VALUE for a position outside the model's range or a given table. */
RPP_API rpp_status rpp_angles(const rpp_rotary *rotary, const rpp_tensor *pos, rpp_tensor *cos, rpp_tensor *sin);

/* y = R_phi x, or R_phi R(-pi/2) x (eq. 2, 3). x, y: (B, L, heads, D), any floating dtype; pos: (L) or (B, L), I64. y must not
 * overlap x. Errors: any but UNSUPPORTED. */
RPP_API rpp_status rpp_rotate(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y);

/* y = R(-pi/2) x: each pair (a, b) becomes (b, -a), exactly (eq. 3). Shapes as rpp_rotate. */
RPP_API rpp_status rpp_quarter_turn(const rpp_rotary *rotary, const rpp_tensor *x, rpp_tensor *y);

/* The same pairs in the columns of another pairing (eq. 6). x, y: (B, L, heads, D); rotary_dim as above. */
RPP_API rpp_status rpp_pairing_convert(int64_t rotary_dim, rpp_pairing from, rpp_pairing to, const rpp_tensor *x, rpp_tensor *y);

/* Order of the 2P output heads: re 0, im 0, re 1, im 1, ... or re 0, re 1, ..., im 0, im 1, ... */
typedef enum { RPP_ORDER_INTERLEAVED = 0, RPP_ORDER_STACKED } rpp_head_order;

/* The same heads in another order (eq. 13). x, y: (B, L, 2P, D). Errors: any but UNSUPPORTED; SHAPE for an odd count of heads. */
RPP_API rpp_status rpp_heads_convert(rpp_head_order from, rpp_head_order to, const rpp_tensor *x, rpp_tensor *y);

/* ---- Attention ---------------------------------------------------------------------------------------------------------- */

typedef enum { RPP_MODE_ROPE = 0, RPP_MODE_EC, RPP_MODE_EH } rpp_mode;
typedef enum { RPP_MASK_CAUSAL = 0, RPP_MASK_FULL, RPP_MASK_WINDOW } rpp_mask;

/* What is computed, without its data. */
typedef struct {
  rpp_mode mode;
  int64_t heads, kv_heads; /* nominal H, G of the RoPE model the mode starts from: G divides H; both even for EH */
  rpp_rotary rotary;
  rpp_mask mask;
  int64_t causal_offset; /* causal, window: key j is visible to query i iff j <= i + causal_offset (indices, eq. 9) */
  int64_t window;        /* window: and j > i + causal_offset - window; >= 1 */
  double scale;          /* softmax scale, finite; d^(-1/2) is usual */
  bool q_rotated;        /* q holds the O rotated heads, as FlashAttention-type kernels take them */
  bool k_rotated;        /* k is rotated already, as a KV cache holds it */
} rpp_attention;

/* q: (B, Lq, P, D), or (B, Lq, O, D) when q_rotated; k: (B, Lk, K, D); v: (B, Lk, K, Dv); any floating dtypes. pos_q, pos_k: (L) or
 * (B, L), I64, not read (and may be null) for rotated inputs. cu_q, cu_k: null, or (n + 1), I64: packed sequences, from 0 to Lq or
 * Lk without decreasing; a query then sees keys of its own sequence only, and both indices of the mask count from that sequence's
 * first. */
typedef struct {
  const rpp_tensor *q, *k, *v, *pos_q, *pos_k, *cu_q, *cu_k;
} rpp_attention_inputs;

typedef struct {
  int64_t projected, kv, output; /* P, K, O */
} rpp_head_counts;

/* rope: H, G, H; ec: H, G, 2H; eh: H/2, G/2, H (eq. 12). Query head j makes output head j, or 2j (real) and 2j + 1 (imaginary); output
 * head o reads KV head o / (O / K). Errors: NULL, VALUE (counts, EH with an odd one, GQA that does not divide), OVERFLOW. */
RPP_API rpp_status rpp_attention_heads(const rpp_attention *attention, rpp_head_counts *counts);

/* Absolute: q and k each turned to their own position. Relative: from t - s alone (exact angles only). */
typedef enum { RPP_SCORES_ABSOLUTE = 0, RPP_SCORES_RELATIVE } rpp_score_form;

/* Dot products before scale and mask, scores: (B, P, Lq, Lk), from rotated pairs (eq. 7), or in C99 complex arithmetic, Re Z and
 * -Im Z (eq. 8): separate code, to be held against each other. v, cu_q and cu_k are not read. Errors: any; UNSUPPORTED for rotated
 * inputs, and for relative scores from hf-f32 angles or given tables. */
RPP_API rpp_status rpp_scores_rotated(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_part part,
                                      rpp_score_form form, rpp_tensor *scores);
RPP_API rpp_status rpp_scores_complex(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_part part,
                                      rpp_score_form form, rpp_tensor *scores);

/* Softmax attention (eq. 9 to 11). rows: null for all queries, or (R), I64, query indices, any order, repeats allowed; without it
 * R = Lq. out: (B, R, O, Dv); lse: (B, O, R), natural log-sum-exp of the scaled, visible scores. Either output may be null. A row that
 * sees no key has out 0 and lse -inf. Errors: any. */
RPP_API rpp_status rpp_attention_forward(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_tensor *rows,
                                         rpp_tensor *out, rpp_tensor *lse);

/* Two partial results over disjoint sets of keys become the result over their union (eq. 14). out: (B, L, O, Dv), lse: (B, O, L), each
 * triple of the same shape. Errors: any but UNSUPPORTED. */
RPP_API rpp_status rpp_attention_merge(const rpp_tensor *out_a, const rpp_tensor *lse_a, const rpp_tensor *out_b,
                                       const rpp_tensor *lse_b, rpp_tensor *out, rpp_tensor *lse);

/* ---- Contracts and bounds ----------------------------------------------------------------------------------------------- */

/* Unit roundoff of the sums: 2^-53, 2^-24, and 2^-22 for tensor cores, which truncate. */
typedef enum { RPP_SUMS_F64 = 0, RPP_SUMS_F32, RPP_SUMS_TENSOR_CORE } rpp_sums;

/* How far a kernel's own angles may be from its angle model's: not at all, or by the rounding of a float32 or float64 product t theta. */
typedef enum { RPP_ANGLES_AS_MODELLED = 0, RPP_ANGLES_F32_PRODUCT, RPP_ANGLES_F64_PRODUCT } rpp_angle_error;

/* What a kernel promises of its arithmetic. Its tolerance follows from this and from nothing else (notes/tolerance.md). */
typedef struct {
  rpp_dtype input;        /* of q, k and v as handed over; the values are exact in it */
  rpp_dtype rotated;      /* rotated q and k are rounded to it before they are multiplied */
  bool rotate_each;       /* every product and sum of the rotation is rounded to it, as Hugging Face does, not only the result */
  rpp_dtype value;        /* v is rounded to it before it meets the weights */
  rpp_dtype probability;  /* softmax weights are rounded to it before they meet V */
  rpp_dtype output;       /* out is rounded to it */
  rpp_dtype lse;          /* and LSE to this */
  rpp_sums sums;          /* dot products, weighted values, the softmax's sum */
  int64_t sum_depth;      /* products added in one step, in any order (an MMA's depth); 1 for scalar code; >= 1 */
  int64_t key_tile;       /* keys between two rescalings of the online softmax; >= 1 */
  int64_t max_splits;     /* parts of the keys that are merged by LSE, at most; >= 1 */
  rpp_angle_model angles; /* the model whose cos and sin it uses */
  rpp_angle_error angle_error;
  bool deterministic; /* the same inputs give the same bits, whatever the threads */
} rpp_contract;

/* What rpp_attention_bound fills; any but out and out_bound may be null. Shapes as out and lse of rpp_attention_forward, all F64. */
typedef struct {
  rpp_tensor *out, *lse;             /* the truth under the contract's roundings of q and k */
  rpp_tensor *out_bound, *lse_bound; /* the largest error the contract allows */
  /* g, the root-sum-square size of out's error before its store, for generic inputs; 8 g and the rounding of the store, which independent
   * roundings pass once in 10^13 elements. Where a row's scores are too far off for errors to add up so: infinity, and out_bound. */
  rpp_tensor *out_noise, *out_likely;
  rpp_tensor *out_spread; /* 1 / sum p^2 of the row: how many keys carry it; (B, O, R) */
} rpp_bounded;

/* The truth and its bound for a kernel of this contract (notes/tolerance.md). Inputs are raw or rotated, as rpp_attention_forward
 * takes them. Errors: any. */
RPP_API rpp_status rpp_attention_bound(const rpp_attention *attention, const rpp_attention_inputs *inputs,
                                       const rpp_contract *contract, const rpp_tensor *rows, const rpp_bounded *result);

/* The largest error of rotated x, elementwise, and the truth itself; y and bound: x's shape, F64 (notes/tolerance.md). */
RPP_API rpp_status rpp_rotate_bound(const rpp_rotary *rotary, rpp_part part, const rpp_contract *contract, const rpp_tensor *x,
                                    const rpp_tensor *pos, rpp_tensor *y, rpp_tensor *bound);

/* ---- The fast CPU kernel ------------------------------------------------------------------------------------------------ */

/* float32, flash-style online softmax over tiles of keys, OpenMP, no L x L matrix; the real and the imaginary head of a
 * query share one pass over K and V. The inputs, outputs and errors of rpp_attention_forward; q, k and v are F32, F16 or BF16 (DTYPE),
 * and the scale is 0 or a normal float32, also times log2 e (UNSUPPORTED). The same bits for any number of threads. Scores, and weighted values summed over
 * a row's keys, that pass float32's range come out as infinity or NaN. It is a
 * kernel under test like any other: its contract is rpp_attention_blocked_contract, for q, k, v and out of that storage. */
RPP_API rpp_status rpp_attention_blocked(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                                         rpp_tensor *lse);
RPP_API rpp_contract rpp_attention_blocked_contract(rpp_dtype storage);

/* rpp_rotate as that kernel rotates, in float32: x is F32, F16 or BF16 (DTYPE), and y may be x itself, in place. */
RPP_API rpp_status rpp_rotate_blocked(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                                      rpp_tensor *y);

/* rpp_angles as that kernel has them: in float32, exact angles within 5e-13 of the truth's, relative to the magnitude, before they are
 * rounded once. pos: (L); cos, sin: (L, W / 2), F32 (DTYPE), contiguous (SHAPE). The same bits for any number of threads. */
RPP_API rpp_status rpp_angles_blocked(const rpp_rotary *rotary, const rpp_tensor *pos, rpp_tensor *cos, rpp_tensor *sin);

/* The instruction set that the fast CPU kernel has chosen for this CPU: "avx512", "avx2" or "portable". */
RPP_API const char *rpp_vector_set_name(void);

/* The CPU that OpenBLAS, by which a layer is projected, has chosen its code for, such as "Haswell". It chooses once, when it is loaded: by OPENBLAS_CORETYPE in the
 * environment that the process started with, or else by the CPUs that it knows; on a newer one it may run at half speed
 * (notes/kernels.md). */
RPP_API const char *rpp_blas_core(void);

/* ---- KV cache ----------------------------------------------------------------------------------------------------------- */

/* k: (B, capacity, K, D), rotated; v: (B, capacity, K, Dv); the first length tokens are filled. */
typedef struct {
  rpp_tensor k, v;
  int64_t length;
} rpp_kv_cache;

/* Rotates k and appends it and v: k (B, L, K, D), v (B, L, K, Dv), pos (L) or (B, L). Rounds to the cache's dtypes. Errors: any but
 * UNSUPPORTED; VALUE when length + L passes the capacity. */
RPP_API rpp_status rpp_kv_cache_append(rpp_kv_cache *cache, const rpp_rotary *rotary, const rpp_tensor *k, const rpp_tensor *v,
                                       const rpp_tensor *pos);

/* Views of the filled part, to be given to rpp_attention_forward with k_rotated. Errors: NULL, VALUE, SHAPE, DTYPE, OVERFLOW. */
RPP_API rpp_status rpp_kv_cache_view(const rpp_kv_cache *cache, rpp_tensor *k, rpp_tensor *v);

/* Bytes of the cache of one layer: B tokens K (D + Dv) size (eq. 15); rope : ec : eh = 2 : 2 : 1. Errors: NULL, VALUE, DTYPE, OVERFLOW. */
RPP_API rpp_status rpp_kv_cache_bytes(const rpp_attention *attention, int64_t batch, int64_t tokens, int64_t head_dim,
                                      int64_t v_dim, rpp_dtype dtype, int64_t *bytes);

/* ---- Layer -------------------------------------------------------------------------------------------------------------- */

/* x: (B, L, hidden); wq: (P D, hidden); wk: (K D, hidden); wv: (K Dv, hidden); wo: (hidden, O Dv); rows are outputs. pos: (L) or (B, L),
 * I64, shared by queries and keys. */
typedef struct {
  const rpp_tensor *x, *wq, *wk, *wv, *wo, *pos;
} rpp_layer_inputs;

/* k_cache: (B, L, K, D), rotated; v_cache: (B, L, K, Dv); out: (B, L, O, Dv), before wo; y: (B, L, hidden). Any may be null, not all. */
typedef struct {
  rpp_tensor *k_cache, *v_cache, *out, *y;
} rpp_layer_outputs;

/* One attention layer: projections, rotation, attention, output projection (eq. 16). Errors: any. */
RPP_API rpp_status rpp_layer_forward(const rpp_attention *attention, const rpp_layer_inputs *inputs,
                                     const rpp_layer_outputs *outputs);

#ifdef __cplusplus
}
#endif
#endif
