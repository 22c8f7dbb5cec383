/* spec.h: a case in one line. `MODE:key=value,...`, as
 *   ec:h=8,kv=4,d=128,lq=1,lk=4096,dtype=bf16,pairing=half,mask=causal,scaling=(yarn:factor=32,orig=4096),seed=7
 * h and kv are nominal; values with commas stand in parentheses; every key has a default. A case is a pure function of its spec:
 * the same bits on every machine, with every libm, compiler and thread count. */
#ifndef RPP_SPEC_H
#define RPP_SPEC_H
#include "program/message.h"
#include "ropepp.h"

/* How values are drawn; each name as printed. */
typedef enum {
  RPP_FAMILY_NORMAL = 0,   /* N(0, 1) */
  RPP_FAMILY_UNIFORM,      /* [-1, 1) */
  RPP_FAMILY_LARGE_LOGITS, /* scores of size 10^3 and beyond */
  RPP_FAMILY_NEEDLE,       /* one key that takes all the weight */
  RPP_FAMILY_NEGATIVE,     /* all scores far below zero, past -10^5 */
  RPP_FAMILY_DRIFT,        /* the maximum grows with the key's index: every tile rescales */
  RPP_FAMILY_OUTLIERS,     /* a few channels 100 times the others */
  RPP_FAMILY_CONSTANT_V,   /* V the same for every key */
  RPP_FAMILY_ONE_HOT_V,    /* V names the key it belongs to */
  RPP_FAMILY_ONE_HOT_K,    /* K and Q probe one column each */
  RPP_FAMILY_SUBNORMAL,    /* values around the dtype's smallest normal number */
  RPP_FAMILY_NEAR_MAX,     /* float16: products near 65504 */
  RPP_FAMILY_REPEATED,     /* few different keys, repeated */
  RPP_FAMILY_LARGE_MEAN,   /* V of mean 100 */
  RPP_FAMILIES
} rpp_family;

/* How tensors lie in memory. */
typedef enum {
  RPP_LAYOUT_CONTIGUOUS = 0,
  RPP_LAYOUT_HEAD_MAJOR, /* (batch, heads, length, width) underneath */
  RPP_LAYOUT_PADDED,     /* gaps after every row, token and sequence, differently for q, k, v and out */
  RPP_LAYOUT_FUSED,      /* q, k and v are slices of one (B, L, heads, D) buffer; where Lq = Lk and Dv = D, else padded */
  RPP_LAYOUT_SLICED,     /* every second head and element of a larger buffer, starting inside it */
  RPP_LAYOUT_SPARSE,     /* the outermost steps so large that elements lie past 2^31 and 2^32 of the first */
  RPP_LAYOUTS
} rpp_layout;

typedef struct {
  rpp_attention attention; /* tables null, table_dtype F64; q_rotated and k_rotated by inputs */
  int64_t batch, q_len, k_len, head_dim, v_dim;
  rpp_dtype dtype;         /* of q, k, v */
  int64_t position, reset; /* first key position; after how many tokens positions restart at 0 (0: never) (tokens.h) */
  bool batched_positions;  /* (B, L) positions, different for each sequence of the batch */
  int64_t packed;          /* how many packed sequences, their lengths (some 0) drawn from the seed; 0: not packed */
  rpp_layout layout;
  rpp_family family;
  bool in_place; /* rotation overwrites its input */
  int64_t rows;  /* how many query rows are checked, drawn from the seed; 0: all */
  uint64_t seed;
} rpp_spec;

/* Room for a printed spec; for the keys of one, by name, and a null. */
enum { RPP_SPEC_TEXT = 768, RPP_SPEC_KEYS = 40 };

/* Everything at its default but the mode. */
rpp_spec rpp_spec_default(rpp_mode mode);

/* False, with a message that names the key and its value, for anything but a sound spec: unknown or repeated keys, numbers out
 * of range, head counts that the mode refuses, sizes past 2^31 elements a tensor. A case without keys, `ec` or `ec:`, is all
 * defaults. */
bool rpp_spec_parse(const char *text, rpp_spec *spec, rpp_message *error);

/* For `--only SPEC`: the same text, whose `MODE:` may be left out, as what is fixed: keys lists the names of the keys given
 * ("mode" among them), ended by null, and *spec holds their values. False too when no sound case has them all. */
bool rpp_spec_parse_only(const char *text, rpp_spec *spec, const char *keys[RPP_SPEC_KEYS], rpp_message *error);

/* Whether a spec is sound, as rpp_spec_parse judges it; false with the same message. Every sound spec's problem is one that
 * rpp_attention_forward takes. */
bool rpp_spec_check(const rpp_spec *spec, rpp_message *error);

/* The one canonical line: keys in the order of the help, defaults left out but for h, kv, d, lq, lk and seed. Parsing it gives
 * the same spec. text has room for RPP_SPEC_TEXT characters. */
void rpp_spec_print(const rpp_spec *spec, char *text);

/* Lists every key with its values and default, for --help. The text is the library's, made by the first call. */
const char *rpp_spec_help(void);

/* A sound spec for case number index of a campaign: a pure function of (campaign seed, index). Sweeps what notes/cases.md lists:
 * both pairings, all modes, GQA ratios 1, 2, 3, 4, 7, 8, D from 2 to 256 with odd pair counts, Dv != D, lengths around tile
 * edges, 0 and 1, Lq <, =, > Lk, batch, packing with empty sequences, every mask, scaling, offset, family, layout and dtype,
 * positions to 10^6 and resets. Most cases are small; a few have up to 131,072 keys with sampled rows. fixed: names of the keys,
 * "mode" among them, that stay as in *base, ended by null, as rpp_spec_parse_only gives them; may be null. Where no sound case
 * has them all the result is unsound. */
rpp_spec rpp_spec_draw(uint64_t seed, uint64_t index, const rpp_spec *base, const char *const *fixed);

#endif
