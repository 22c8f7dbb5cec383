/* dump.h: a case from arrays that somebody's program has saved: a folder of q.npy, k.npy, v.npy and what else there is, or a safetensors
 * file without a case's metadata. What the arrays do not say stands in a line of options, or is a spec's default. */
#ifndef RPP_DUMP_H
#define RPP_DUMP_H
#include "cases/spec.h"
#include "files/answer.h"
#include "files/case.h"

typedef struct {
  rpp_named_tensors set;               /* all there is, answers too */
  rpp_tensor input[RPP_CASE_EXPECTED]; /* (batch, length, heads, width), whatever the file's order; ndim 0: none */
  int64_t *positions;                  /* those that no array gave */
  rpp_spec spec;                       /* what the case was taken for */
  bool family_given;                   /* else nothing is known of the values */
  rpp_case c;                          /* points into this struct, which must stay where it is */
} rpp_dump;

/* options: null, or keys of a spec, perhaps after a mode: `ec:h=8,kv=4,pairing=half`; sizes that the arrays have need not be given, and
 * must be theirs where they are. axes: of q, k and v. out_heads: the heads of the out that goes with them, from which the mode follows
 * where it is not given, rope or ec; 0: it is among the arrays, or not known. False, with a message as one would say it to a person. */
bool rpp_dump_load(const char *path, const char *options, rpp_axes axes, int64_t out_heads, rpp_dump *dump, rpp_message *error);
void rpp_dump_free(rpp_dump *dump);

#endif
