/* case_work.h: what a case is worth in arithmetic and in memory traffic. */
#ifndef RPP_CASE_WORK_H
#define RPP_CASE_WORK_H
#include "ropepp.h"

/* Pairs of a query and a key that it sees, over all sequences of the batch, for one head: counted from the mask. Of a sound problem with
 * its data. */
int64_t rpp_visible_pairs(const rpp_attention *attention, const rpp_attention_inputs *inputs);

/* A score and its share of the output for each visible pair and output head: 2 (D + Dv) operations. Rotation and softmax are not
 * counted. */
double rpp_forward_operations(const rpp_attention *attention, const rpp_attention_inputs *inputs);

/* Of its elements, without gaps between them. */
double rpp_tensor_bytes(const rpp_tensor *t);

#endif
