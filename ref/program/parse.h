/* parse.h: strict parsers of the values that case files and specs are made of. Each takes all of its text or refuses it with the
 * message "key = text: what must hold", and then leaves its output alone. They are as strict in every locale: a decimal comma is
 * refused, never misread. */
#ifndef RPP_PARSE_H
#define RPP_PARSE_H

#include <stdint.h>

#include "program/message.h"
#include "program/names.h"
#include "ropepp.h"

/* A decimal integer of at least least. */
bool rpp_parse_integer(const char *key, const char *text, int64_t least, int64_t *value, rpp_message *error);

/* A decimal integer from 0 to 2^64 - 1. */
bool rpp_parse_unsigned(const char *key, const char *text, uint64_t *value, rpp_message *error);

/* A finite decimal number: no blanks, no hexadecimal, no nan, no inf. */
bool rpp_parse_number(const char *key, const char *text, double *value, rpp_message *error);

/* One of the names of a table. */
bool rpp_parse_name(const char *key, const char *text, const rpp_name *table, int *value, rpp_message *error);

/* `none`, or a kind and its options, each once and in any order: `llama3:factor=8,low=1,high=4,orig=8192`. The ranges of the
 * options are the library's to judge. */
bool rpp_parse_scaling(const char *key, const char *text, rpp_scaling *scaling, rpp_message *error);

/* `causal`, `full` or `window:W`, W >= 1; window is 0 but for the last. */
bool rpp_parse_mask(const char *key, const char *text, rpp_mask *mask, int64_t *window, rpp_message *error);

#endif
