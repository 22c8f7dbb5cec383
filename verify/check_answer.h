/* check_answer.h: an answer to a case, judged by a contract through the gates of the fuzzer. */
#ifndef RPP_CHECK_ANSWER_H
#define RPP_CHECK_ANSWER_H
#include "contract_text.h"
#include "files/answer.h"
#include "judge/verdict.h"

typedef struct {
  const char *case_path;   /* a case file; or a dump (dump.h): a folder, or a file without a case's metadata */
  const char *answer_path; /* null: the dump holds it */
  const char *contract;    /* null: what follows from the dtype of out */
  const char *options;     /* of a dump; null: none */
  rpp_axes axes;           /* of the answer and, in a dump, of the inputs */
  bool axes_given;         /* else the other order is tried where a dump fails, to say so */
} rpp_check_asked;

typedef struct {
  rpp_contract contract;
  rpp_verdict verdict;
  const char *bad;         /* the path that a message is about; null: none of the two */
  char taken[1024];        /* what the case is taken for: a spec's line, or the case file's label */
  char arrays[512];        /* the answer's tensors: "out F32 (1, 16, 8, 64), lse F32 (1, 8, 16)" */
  bool lse, statistical;   /* LSE was judged; the statistical gates applied */
  int64_t rows, queries;   /* query rows that were judged, of all */
  int64_t nan;             /* elements of the answer that are NaN */
  rpp_message explanation; /* "", or what the answer looks like: likely says whether that is a cause, or why none is named */
  bool likely;
  bool pass; /* no gate fails, and there were elements to judge */
} rpp_check_judged;

/* False, with a message, and in judged->bad the path that it is about, or null, when the answer cannot be judged. */
bool rpp_check_answer(const rpp_check_asked *asked, rpp_check_judged *judged, rpp_message *error);

/* Whether the second of two files is an answer to the first, and not another case: it is no safetensors file with a case's metadata, or
 * the first carries no expected tensors. */
bool rpp_check_is_answer(const char *first, const char *second);

/* Whether a path is a folder. */
bool rpp_check_is_folder(const char *path);

#endif
