/* json_number.h: float64 in JSON, which has no NaN and no infinities. */
#ifndef RPP_JSON_NUMBER_H
#define RPP_JSON_NUMBER_H
#include <jansson.h>

/* A real, or one of the strings "nan", "inf", "-inf". */
json_t *rpp_json_number(double x);

#endif
