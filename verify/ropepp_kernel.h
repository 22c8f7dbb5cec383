/* ropepp_kernel.h: a kernel of yours behind `ropepp-verify fuzz --kernel ./mine.so`. C11 and C++, and nothing else to include or link:
 *
 *     cc -shared -fPIC -I$(pkg-config --variable=includedir ropepp) mine.c -o mine.so
 *
 * The library exports one function, ropepp_kernel. The verifier loads it in processes of its own: it may crash, hang or write where it
 * must not, and that is then its verdict. Worked examples: ropepp's verify/examples.
 *
 * Shapes are (batch, length, heads, width). B batch, Lq and Lk lengths, D head width, Dv value width, W rotary width; of the nominal counts
 * of query heads H and of KV heads G a problem has
 *
 *     mode   projected query heads P   KV heads K   output heads O
 *     rope   H                         G            H
 *     ec     H                         G            2H                  heads 2j and 2j + 1 come from query head j
 *     eh     H / 2                     G / 2        H                   the same; H and G even, or it must be refused
 *
 * Of a pair of output heads the even one is the real part, plain attention, and the odd one the imaginary part: attention by the query
 * turned by -pi/2, each of its pairs (a, b) becoming (b, -a), over the same keys and values. Output head o reads KV head o / (O / K). */
#ifndef ROPEPP_KERNEL_H
#define ROPEPP_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RPP_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define RPP_PLUGIN_EXPORT
#endif

/* The version of what stands here. A library of another one is refused. */
#define RPP_PLUGIN_ABI 1

enum { RPP_PLUGIN_F64 = 0, RPP_PLUGIN_F32 = 1, RPP_PLUGIN_F16 = 2, RPP_PLUGIN_BF16 = 3, RPP_PLUGIN_I64 = 4 }; /* dtype */

/* Strides count elements; of positions and packing the last is 1. Nothing is aligned to more than its element. data is element (0, ..., 0), null while
 * supports and workspace are asked. A tensor with a size of 0 has no elements. */
typedef struct {
  void *data;
  int32_t dtype;
  int32_t ndim; /* shape and strides past it are 0 */
  int64_t shape[4];
  int64_t strides[4];
} rpp_plugin_tensor;

enum { RPP_PLUGIN_INTERLEAVED = 0, RPP_PLUGIN_HALF = 1 }; /* pairing: columns (2n, 2n + 1), or (n, n + W / 2) */
enum { RPP_PLUGIN_EXACT = 0, RPP_PLUGIN_HF_F32 = 1 };     /* angles: real numbers, or Hugging Face's chain of float32 */
enum { RPP_PLUGIN_REAL = 0, RPP_PLUGIN_IMAG = 1 };        /* part of a rotation */
enum {
  RPP_PLUGIN_NONE = 0,
  RPP_PLUGIN_LINEAR = 1,    /* factor */
  RPP_PLUGIN_NTK = 2,       /* factor */
  RPP_PLUGIN_NTK_AWARE = 3, /* factor */
  RPP_PLUGIN_YARN = 4,      /* factor, orig: the authors' */
  RPP_PLUGIN_YARN_HF = 5,   /* factor, orig: Hugging Face's */
  RPP_PLUGIN_LLAMA3 = 6     /* factor, orig, low, high */
};                          /* scaling */

/* Pair n of a token at position t, (a, b), becomes (a c - b s, a s + b c) with c = magnitude cos(t inv_freq[n]) and s = magnitude sin(t
 * inv_freq[n]), n < W / 2. Columns past W stay as they are. inv_freq, (W / 2) in host memory, and magnitude are what base and scaling make
 * of them; inv_freq is null while supports and workspace are asked, and where q and k are both rotated. */
typedef struct {
  int32_t pairing, angles;
  int64_t rotary_dim; /* W: even, at most D */
  double base;
  int32_t scaling;
  double factor, orig, low, high; /* what the scaling takes; else 0 */
  const double *inv_freq;
  double magnitude; /* 1 but for yarn */
} rpp_plugin_rotary;

enum { RPP_PLUGIN_ROPE = 0, RPP_PLUGIN_EC = 1, RPP_PLUGIN_EH = 2 };         /* mode */
enum { RPP_PLUGIN_CAUSAL = 0, RPP_PLUGIN_FULL = 1, RPP_PLUGIN_WINDOW = 2 }; /* mask */

/* Of packed sequences the n-th has the queries from cu_q[n] to before cu_q[n + 1] and the keys from cu_k[n] to before cu_k[n + 1]; a query
 * sees keys of its own sequence only. Query i sees key j, both counted from the first of their sequence, when
 *     causal: j <= i + causal_offset;   window: and j > i + causal_offset - window;   full: always.
 * out is the softmax of scale q.k over the keys seen, times v, and lse its natural log-sum-exp. A row that sees no key has out 0 and lse
 * -infinity. */
typedef struct {
  int32_t mode, mask;
  int64_t heads, kv_heads; /* H, G */
  int64_t causal_offset, window;
  double scale;
  int32_t q_rotated, k_rotated; /* 1: q holds the O rotated heads; k is rotated, as a cache holds it, with q or without it */
  rpp_plugin_rotary rotary;
  const rpp_plugin_tensor *q;             /* (B, Lq, P, D), or (B, Lq, O, D) when q_rotated */
  const rpp_plugin_tensor *k, *v;         /* (B, Lk, K, D), (B, Lk, K, Dv) */
  const rpp_plugin_tensor *pos_q, *pos_k; /* I64, (L) or (B, L): token positions; null for what is rotated */
  const rpp_plugin_tensor *cu_q, *cu_k;   /* I64, (n + 1): packed sequences, as above; else null */
  const rpp_plugin_tensor *out;           /* (B, Lq, O, Dv), of the contract's dtype: to be written */
  const rpp_plugin_tensor *lse;           /* (B, O, Lq), of the contract's dtype: to be written */
} rpp_plugin_problem;

/* y = x rotated, or, for the imaginary part, x turned by -pi/2 and rotated. x: (B, L, heads, D). y may be x itself, in place. */
typedef struct {
  const rpp_plugin_rotary *rotary;
  int32_t part;
  const rpp_plugin_tensor *x, *pos, *y;
} rpp_plugin_rotation;

enum { RPP_PLUGIN_HOST = 0, RPP_PLUGIN_DEVICE = 1 }; /* memory */

typedef struct {
  uint32_t abi;            /* RPP_PLUGIN_ABI */
  uint32_t size;           /* sizeof(rpp_plugin_kernel) */
  const char *name;        /* one word of letters, digits, '-', '_', '.' or '+', at most 63 */
  const char *description; /* one line, at most 159 characters */

  /* How it rounds, from which its tolerance follows: "f32", or "bf16,acc=f32,splits=8". First the dtype of q, k and v, and of all that
   * nothing else is said of; then what differs: rotated, v, p (weights), out, lse = a dtype; rotate = once | each (product of it is
   * rounded); acc = f64 | f32 | tc (tensor cores); depth = products added in one step, if not in any order; tile = keys between two
   * rescalings of an online softmax, if below 16; splits = parts of the keys merged by LSE, at most; angles = exact | hf-f32;
   * angle-error = none | f64 | f32 (of the product t inv_freq); deterministic = 1 when two runs give the same bits. */
  const char *contract;

  int32_t memory; /* where data and workspace are: in device memory they are copies, between guard zones. The rest is the host's */

  /* Required. Returns null when the problem is supported, else the reason in one line. Asked without data. */
  const char *(*supports)(const rpp_plugin_problem *problem);

  /* Bytes that forward wants besides. May be null: none. */
  size_t (*workspace)(const rpp_plugin_problem *problem);

  /* These return null, or, having failed, the reason in one line. They leave the processor as it was: rounding to nearest, subnormal numbers
   * not flushed to zero. Device kernels run in stream 0 and need not wait for it. One of the two
   * may be null; without forward, only rotation is judged. */
  const char *(*rotate)(const rpp_plugin_rotation *rotation);
  const char *(*forward)(const rpp_plugin_problem *problem, void *workspace);
} rpp_plugin_kernel;

/* What the library exports. What it returns must stay. */
RPP_PLUGIN_EXPORT const rpp_plugin_kernel *ropepp_kernel(void);

#ifdef __cplusplus
}
#endif
#endif
