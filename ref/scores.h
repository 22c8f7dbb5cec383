/* scores.h: what the two forms of the scores check alike. */
#ifndef RPP_SCORES_H
#define RPP_SCORES_H
#include "check_attention.h"

rpp_status rpp_check_scores(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_part part, rpp_score_form form,
                            const rpp_tensor *scores, rpp_problem *problem);

#endif
