/* check_case.h: judges the expected tensors that a case carries against the truth. */
#ifndef RPP_CHECK_CASE_H
#define RPP_CHECK_CASE_H

#include "files/case.h"

/* What an expected value may differ by, over its scale (case_truth.h), after the one rounding to its dtype. */
#define RPP_CHECK_BOUND 1e-12

/* One tensor's verdict. deviation is the largest over its elements, NaN where a NaN was met, infinite where an infinity or a
 * nonzero value of scale 0 was; index, expected (the truth) and got (the file's) are those of that worst element. */
typedef struct {
  const char *name;    /* of the tensor */
  const char *letters; /* of its dimensions: "bthd" */
  int ndim;
  int64_t elements;
  double deviation, bound;
  int64_t index[RPP_MAX_DIMS]; /* meaningless without elements, as expected and got */
  double expected, got;
  bool pass;
} rpp_check_tensor;

typedef struct {
  rpp_message name; /* the case's label, "" without one */
  int count;
  rpp_check_tensor tensor[RPP_CASE_TENSORS - RPP_CASE_EXPECTED];
  int64_t elements; /* of all tensors */
  bool pass;        /* all of them do, and there were elements to judge */
} rpp_check_result;

/* False, with a message, when the case cannot be judged: it holds no expected tensor, or the library refuses it. */
bool rpp_check_case(const rpp_case *c, rpp_check_result *result, rpp_message *error);

/* The same for a file: read, parsed and judged. */
bool rpp_check_path(const char *path, rpp_check_result *result, rpp_message *error);

/* The tensor of the largest deviation; NaN is the largest. Null without tensors. */
const rpp_check_tensor *rpp_check_worst(const rpp_check_result *result);

#endif
