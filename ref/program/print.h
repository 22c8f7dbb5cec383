/* print.h: the inverse of parse.h: values as case files and specs spell them, so that parsing the text gives the same value. */
#ifndef RPP_PRINT_H
#define RPP_PRINT_H

#include <stdint.h>

#include "ropepp.h"

/* Room for any of the texts below. */
enum { RPP_PRINT_TEXT = 160 };

/* A finite number in the fewest digits, of 15 to 17, that read back as the same float64; trailing zeros are left out. */
void rpp_print_number(double x, char *text);

/* `none`, or `yarn:factor=32,orig=4096`: the kind and the options it takes. */
void rpp_print_scaling(const rpp_scaling *scaling, char *text);

/* `causal`, `full` or `window:W`. */
void rpp_print_mask(rpp_mask mask, int64_t window, char *text);

#endif
