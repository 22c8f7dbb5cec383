/* json_text.h: any bytes as JSON text, which has none outside UTF-8: a path, or a kernel's own words. */
#ifndef RPP_JSON_TEXT_H
#define RPP_JSON_TEXT_H
#include <jansson.h>

/* The text; where it is not UTF-8, with '?' for every byte that is not printable ASCII, and perhaps cut. */
json_t *rpp_json_text(const char *text);

/* The same, and null for "". */
json_t *rpp_json_text_or_null(const char *text);

#endif
