/* names.h: how enumerators are spelled in case files and on command lines. */
#ifndef RPP_NAMES_H
#define RPP_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "ropepp.h"

typedef struct {
  const char *name;
  int value;
} rpp_name;

/* Each ends with a null name. */
extern const rpp_name rpp_names_mode[];    /* rpp_mode */
extern const rpp_name rpp_names_pairing[]; /* rpp_pairing */
extern const rpp_name rpp_names_mask[];    /* rpp_mask; a window's width follows a colon */
extern const rpp_name rpp_names_scaling[]; /* rpp_scaling_kind; options follow a colon */
extern const rpp_name rpp_names_angles[];  /* rpp_angle_model */
extern const rpp_name rpp_names_inputs[];  /* of rpp_inputs_of: which of q and k are rotated already */
extern const rpp_name rpp_names_dtype[];   /* rpp_dtype of specs: the floating ones, in small letters */

/* By q_rotated and k_rotated; -1 where q alone is rotated, for which there is no name. */
int rpp_inputs_of(const rpp_attention *attention);
void rpp_inputs_set(int inputs, rpp_attention *attention);

/* The value of the name that is the first length bytes of text; false, leaving value alone, when no name is. */
bool rpp_names_find(const rpp_name *table, const char *text, size_t length, int *value);

/* The name of a value; "?" for a value that has none. */
const char *rpp_names_get(const rpp_name *table, int value);

#endif
