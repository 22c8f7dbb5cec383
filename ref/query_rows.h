/* query_rows.h: the query rows that are asked for, all or a list, and what they read and write. */
#ifndef RPP_QUERY_ROWS_H
#define RPP_QUERY_ROWS_H
#include "check_attention.h"
#include "visible.h"

/* rows: null for all, or (R), I64, indices below the problem's q_len; *count becomes R. */
rpp_status rpp_check_rows(const rpp_tensor *rows, const rpp_problem *problem, int64_t *count);

/* The query that row r stands for. */
int64_t rpp_query_of(const rpp_tensor *rows, int64_t r);

/* The union of what the rows see, as one run of keys. */
rpp_key_range rpp_keys_of_rows(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_problem *problem,
                               const rpp_tensor *rows, int64_t count);

/* out: (B, count, O, Dv) and lse: (B, O, count), floating, apart from each other and from all that is read. Either may be null, not
 * both. */
rpp_status rpp_check_outputs(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_problem *problem,
                             const rpp_tensor *rows, int64_t count, const rpp_tensor *out, const rpp_tensor *lse);

#endif
