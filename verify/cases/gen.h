/* gen.h: the command `ropepp-verify gen`: a case file without answers. */
#ifndef RPP_GEN_H
#define RPP_GEN_H

#include <stdio.h>

#include "cases/spec.h"
#include "files/case.h"

/* Writes a spec's problem and data as a case file; its layout, rows and in-place flag are not of the file's concern. False, with a
 * message, when memory is out or the file cannot be written; then nothing is. */
bool rpp_gen_write(const rpp_spec *spec, const char *path, rpp_message *error);

/* Whether a case holds, bit for bit, what rpp_gen_write has written of the spec that its label is; then *spec is that spec, which says how
 * the values were drawn and which rows are to be checked. Draws the data again. */
bool rpp_gen_recall(const rpp_case *c, rpp_spec *spec);

/* Returns the exit status: 0, or 2, with a line on complaints, for a bad spec or a file that cannot be written. */
int rpp_gen_run(const char *text, const char *path, FILE *complaints);

#endif
