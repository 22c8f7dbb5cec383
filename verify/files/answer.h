/* answer.h: what somebody's kernel answered to a problem: out, and perhaps more, in a file.
 *
 * An answer is a safetensors file, whatever its metadata say, a folder of .npy files, or one .npy file, which is out. The name of each
 * tensor counts:
 *   out     (B, Lq, O, Dv)  must be there
 *   lse     (B, O, Lq)      natural log-sum-exp of the scaled, visible scores
 *   q_real  (B, Lq, P, D)   rotated queries; q_imag: turned by R(-pi/2), then rotated
 *   k_rot   (B, Lk, K, D)   rotated keys
 * It is taken whole or not at all: an unknown name, an input of the case, a dtype that is not floating or another shape is refused with
 * a line that says what it looks like. */
#ifndef RPP_ANSWER_H
#define RPP_ANSWER_H
#include "files/named_tensors.h"
#include "program/names.h"

/* The order of dimensions in a file: (batch, length, heads, width), or heads before the length. LSE is (batch, heads, length) in both. */
typedef enum { RPP_AXES_BLHD = 0, RPP_AXES_BHLD } rpp_axes;
extern const rpp_name rpp_names_axes[]; /* "blhd", "bhld" */

typedef enum {
  RPP_ANSWER_OUT = 0,
  RPP_ANSWER_LSE,
  RPP_ANSWER_Q_REAL,
  RPP_ANSWER_Q_IMAG,
  RPP_ANSWER_K_ROT,
  RPP_ANSWER_TENSORS
} rpp_answer_tensor;

/* tensor[i].ndim is 0 where the file has it not; the others are views of the file, in the order (batch, length, heads, width) whatever
 * the file's is, of any strides. */
typedef struct {
  rpp_tensor tensor[RPP_ANSWER_TENSORS];
  rpp_named_tensors set; /* behind the tensors */
} rpp_answer;

/* Reads the file of an answer to a problem that rpp_attention_forward takes, of which only the shapes are looked at. On failure the
 * answer is empty, and the message says what is wrong as one would say it to a person. */
bool rpp_answer_load(const char *path, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_axes axes,
                     rpp_answer *answer, rpp_message *error);

/* The same of tensors that are read already, which must outlive the answer; with_inputs: the case's inputs are among them, and left alone.
 * */
bool rpp_answer_take(const rpp_named_tensors *set, bool with_inputs, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                     rpp_axes axes, rpp_answer *answer, rpp_message *error);
void rpp_answer_free(rpp_answer *answer);

/* Copies out, and LSE where the answer has it and lse is not null, into tensors of the same shapes, of any strides and floating dtypes.
 * Values are never rounded: false, with a message that names the element, for one that the dtype does not hold; NaN is held by all. What
 * was written until then stays. */
bool rpp_answer_copy(const rpp_answer *answer, const rpp_tensor *out, const rpp_tensor *lse, rpp_message *error);

/* "out", "lse", "q_real", "q_imag", "k_rot". */
const char *rpp_answer_name(rpp_answer_tensor which);

/* Whether a dtype holds every value of one of its tensors; false, with the message as above. */
bool rpp_answer_holds(const rpp_answer *answer, rpp_answer_tensor which, rpp_dtype dtype, rpp_message *error);

#endif
