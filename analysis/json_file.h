/* json_file.h: summaries as JSON files. */
#ifndef RPP_JSON_FILE_H
#define RPP_JSON_FILE_H
#include <jansson.h>
#include <stdbool.h>

#include "program/message.h"

/* FOLDER/NAME, written aside, numbers with 17 digits; then, if shown, on standard output with 10. all is released, and may be null: out
 * of memory. False, with a message. */
bool rpp_json_file_write(json_t *all, bool shown, const char *folder, const char *name, rpp_message *error);

/* A number, or null for NaN. */
json_t *rpp_json_or_null(double x);

#endif
