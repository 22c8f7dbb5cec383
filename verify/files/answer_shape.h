/* answer_shape.h: a tensor's shape, and what is wrong with it in words. */
#ifndef RPP_ANSWER_SHAPE_H
#define RPP_ANSWER_SHAPE_H
#include "files/answer.h"

/* What a tensor ought to be: (batch, length, heads, width), or for LSE (batch, heads, length), in the file's order. */
typedef struct {
  const char *name;
  int ndim;                    /* 4; LSE 3 */
  int64_t shape[RPP_MAX_DIMS]; /* in the order above, whatever the axes */
  int64_t projected, keys;     /* counts that are often mistaken for the heads and the length: P (-1: not of account) and Lk */
  rpp_axes axes;
} rpp_answer_want;

enum { RPP_SHAPE_TEXT = 128 };

/* "(2, 16, 128, 64)"; text has room for RPP_SHAPE_TEXT characters. */
void rpp_shape_print(int ndim, const int64_t *shape, char *text);

/* Whether a tensor has the shape; then *view is the tensor in the order above. False, with a message that says what it looks like. */
bool rpp_answer_shape(const rpp_tensor *t, const rpp_answer_want *want, rpp_tensor *view, rpp_message *error);

#endif
