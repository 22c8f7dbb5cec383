/* elements.h: going through the elements of a valid tensor. */
#ifndef RPP_ELEMENTS_H
#define RPP_ELEMENTS_H
#include "ropepp.h"

/* The next index in row-major order; false after the last. index has ndim entries and starts with 0s, in a tensor that is not empty. */
bool rpp_elements_next(const rpp_tensor *t, int64_t *index);

/* A size of 0; true for what is no tensor, too. */
bool rpp_elements_none(const rpp_tensor *t);

#endif
