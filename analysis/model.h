/* model.h: the sizes of a decoder-only model of Llama's kind: attention, a gated FFN (gate, up, down), an embedding table and an output
 * head. Biases and norms have no place here: the paper's counts leave them out, too. */
#ifndef RPP_MODEL_H
#define RPP_MODEL_H
#include "program/message.h"
#include "ropepp.h"

/* Names are the nominal ones of RoPE: the model that EC and EH are made from. */
typedef struct {
  char name[64];       /* letters, digits and ._-/ only: rpp_model_name */
  int64_t hidden, ffn; /* widths */
  int64_t layers;
  int64_t heads, kv_heads, head_dim; /* H, G, D; values are D wide as well */
  int64_t vocabulary;
  bool tied;         /* the embedding table is the output head's matrix as well */
  int64_t window;    /* keys a token sees in some layers at most; 0: all */
  rpp_message about; /* what else is known of it, one line; may be empty */
} rpp_model;

/* Past this a size is a mistake. */
#define RPP_MODEL_LARGEST INT32_MAX

/* A built-in model: "376m", "776m". False when there is none of this name. */
bool rpp_model_find(const char *name, rpp_model *model);

/* The built-in names, "376m, 776m". */
const char *rpp_model_names(void);

/* text as a name: the end of it, when it is long, and '?' for whatever may mean something to another program. */
void rpp_model_name(const char *text, char name[64]);

/* Sizes of 1 .. RPP_MODEL_LARGEST, an even head width, query heads a multiple of KV heads. False, with a message that names the field
 * as Hugging Face spells it. */
bool rpp_model_check(const rpp_model *model, rpp_message *error);

/* The heads of a mode (notes/math.md eq. 12, rpp_attention_heads). False, with the reason, when the mode is not possible: EH with an odd
 * count. */
bool rpp_model_heads(const rpp_model *model, rpp_mode mode, rpp_head_counts *counts, rpp_message *why_not);

/* A mode as the paper writes it: "RoPE", "EC", "EH". */
const char *rpp_mode_title(rpp_mode mode);

#endif
