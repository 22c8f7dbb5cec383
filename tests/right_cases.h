/* right_cases.h: small cases of every kind, whose expected tensors hold the truth. */
#ifndef RIGHT_CASES_H
#define RIGHT_CASES_H

#include "case_builder.h"

/* Adds an expected tensor that holds the truth. */
void build_truth(builder *b, const char *name, rpp_dtype dtype, int ndim, const int64_t *shape);

/* Adds all of them to a case of build_attention's sizes; only out and lse when its inputs are rotated. */
void build_attention_truth(builder *b, rpp_dtype dtype);

enum { BUILD_RIGHT_CASES = 14 };
extern const char *const build_right_cases[BUILD_RIGHT_CASES]; /* their names */

/* A case of each kind, with all its expected tensors, stored as dtype. */
builder build_right_case(int kind, rpp_dtype dtype);

/* Two of them without expected tensors: a window in which the first query sees no key, and two packed sequences. */
void build_window(builder *b);
void build_packed(builder *b);

#endif
