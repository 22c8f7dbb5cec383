/* case.h: a case file (format `ropepp-case/1`) as one attention problem and its expected answers.
 *
 * What a file says is taken whole or not at all: an unknown metadata key, an unknown or misplaced tensor, a value with trailing
 * junk or a shape that does not follow from the metadata is refused, since a misspelt tensor would otherwise silently go
 * unchecked. */
#ifndef RPP_CASE_H
#define RPP_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "files/safetensors.h"
#include "program/message.h"
#include "program/names.h"
#include "ropepp.h"

typedef enum { RPP_OP_ATTENTION = 0, RPP_OP_LAYER } rpp_op;

extern const rpp_name rpp_names_op[]; /* ended by a null name */

/* Every tensor that a case may hold, inputs first. */
typedef enum {
  RPP_CASE_Q = 0,
  RPP_CASE_K,
  RPP_CASE_V,
  RPP_CASE_X,
  RPP_CASE_WQ,
  RPP_CASE_WK,
  RPP_CASE_WV,
  RPP_CASE_WO,
  RPP_CASE_POS_Q,
  RPP_CASE_POS_K,
  RPP_CASE_CU_Q,
  RPP_CASE_CU_K,
  RPP_CASE_INV_FREQ,
  RPP_CASE_COS,
  RPP_CASE_SIN,
  RPP_CASE_Q_REAL,
  RPP_CASE_Q_IMAG,
  RPP_CASE_K_ROT,
  RPP_CASE_SCORES_REAL,
  RPP_CASE_SCORES_IMAG,
  RPP_CASE_K_CACHE,
  RPP_CASE_V_CACHE,
  RPP_CASE_OUT,
  RPP_CASE_LSE,
  RPP_CASE_Y,
  RPP_CASE_TENSORS
} rpp_case_tensor;

#define RPP_CASE_EXPECTED RPP_CASE_Q_REAL /* the first of the expected tensors */

/* Its name in the file, and the letters of its dimensions where an element is named by index, such as "bthd": b batch, t query,
 * s key, h head, d column of a head, c column of hidden. */
const char *rpp_case_tensor_name(rpp_case_tensor which);
bool rpp_case_tensor_known(const char *name);
const char *rpp_case_tensor_letters(rpp_case_tensor which, rpp_op op);

typedef struct {
  rpp_op op;
  rpp_attention attention; /* tables that the file carries are wired into its rotary */
  rpp_head_counts counts;
  int64_t head_dim, hidden;                   /* hidden: layer only, else 0 */
  rpp_message name;                           /* the file's label, "" without one */
  rpp_attention_inputs inputs;                /* op attention */
  rpp_layer_inputs layer;                     /* op layer */
  const rpp_tensor *tensor[RPP_CASE_TENSORS]; /* all that the file holds; null for the others */
} rpp_case;

/* Fills c, whose pointers live as long as the file. The metadata are parsed; which tensors there are, their dtypes and their shapes
 * are checked against them. What the tensors hold (positions, cu_q, tables) and the ranges of base, scale and scaling are left to
 * the library's functions. On failure the message names the key or tensor and its value. */
bool rpp_case_read(const rpp_safetensors *file, rpp_case *c, rpp_message *error);

#endif
