/* scores_suite.h: the tests that both forms of the scores must pass. */
#ifndef SCORES_SUITE_H
#define SCORES_SUITE_H
#include "support.h"

typedef rpp_status (*scores_function)(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_part part,
                                      rpp_score_form form, rpp_tensor *scores);

/* One function a program: the tests reach it through a static variable. */
Suite *scores_suite(const char *name, scores_function function);

#endif
