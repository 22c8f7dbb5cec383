/* swept.h: over what a kernel was run: for each key of a spec the smallest and the largest value, or the names, that its cases had. */
#ifndef RPP_SWEPT_H
#define RPP_SWEPT_H
#include <stdio.h>

#include "cases/spec.h"
#include "program/message.h"

/* By the place of a key in rpp_spec_keys; of integers least and most, of enumerators a bit for each value. */
typedef struct {
  int64_t cases; /* 0: nothing below has a meaning */
  int64_t least[RPP_SPEC_KEYS], most[RPP_SPEC_KEYS];
  uint32_t seen[RPP_SPEC_KEYS], modes;
  int64_t placed;          /* cases with positions: raw inputs, and tokens */
  int64_t lowest, highest; /* of their positions */
} rpp_swept;

void rpp_swept_add(rpp_swept *swept, const rpp_spec *spec);
void rpp_swept_merge(rpp_swept *swept, const rpp_swept *other);

/* Two lines, each after margin: sizes and positions; and the names of modes, dtypes and so on, up to three of them, else how many of how
 * many. Nothing when there were no cases. */
void rpp_swept_text(const rpp_swept *swept, const char *margin, FILE *out);

/* As an object of JSON, {"lq": [0, 16], "dtype": ["f32"], ...}, null without cases, and back: false, with a message, for anything else.
 * (swept_json.c; not in a minimal build.) */
struct json_t;
struct json_t *rpp_swept_json(const rpp_swept *swept);
bool rpp_swept_read(const struct json_t *from, rpp_swept *swept, rpp_message *error);

#endif
