/* corpus.h: files of cases that once failed, one spec on a line. Blank lines, and what follows a #, do not count. */
#ifndef RPP_CORPUS_H
#define RPP_CORPUS_H
#include "cases/spec.h"

typedef struct {
  int64_t index; /* of the case in its campaign */
  int kernel;    /* that failed */
  rpp_spec spec;
} rpp_corpus_case;

typedef struct {
  rpp_corpus_case *cases;
  int64_t count, room;
} rpp_corpus;

/* False when memory is out. */
bool rpp_corpus_add(rpp_corpus *corpus, const rpp_corpus_case *one);
void rpp_corpus_free(rpp_corpus *corpus);

/* Appends every case of a file. False, with a message that names the line, when it cannot be read or holds anything else. */
bool rpp_corpus_read(const char *path, rpp_corpus *corpus, rpp_message *error);

/* Appends to a file those cases that are not in it, each with its kernel's name as a comment. False, with a message, when the file
 * cannot be written or read. */
bool rpp_corpus_append(const rpp_corpus *corpus, const char *path, const char *const *kernels, rpp_message *error);

#endif
