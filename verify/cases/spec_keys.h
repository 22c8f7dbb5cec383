/* spec_keys.h: the keys of a spec, one table entry each. */
#ifndef RPP_SPEC_KEYS_H
#define RPP_SPEC_KEYS_H

#include <stddef.h>

#include "cases/spec.h"
#include "program/names.h"

/* Each ends with a null name. */
extern const rpp_name rpp_names_layout[]; /* rpp_layout */
extern const rpp_name rpp_names_family[]; /* rpp_family */

typedef enum {
  RPP_KEY_INTEGER = 0, /* int64_t, least .. most */
  RPP_KEY_SEED,        /* uint64_t */
  RPP_KEY_NUMBER,      /* double */
  RPP_KEY_FLAG,        /* bool, 0 or 1 */
  RPP_KEY_NAME,        /* an enumerator of names */
  RPP_KEY_MASK,        /* attention.mask and window */
  RPP_KEY_SCALING,     /* attention.rotary.scaling */
  RPP_KEY_INPUTS       /* attention.q_rotated and k_rotated */
} rpp_spec_kind;

typedef struct {
  const char *name;
  const char *meaning;
  const char *standard;           /* the default as text, as it is parsed, or as the help words what derive does */
  void (*derive)(rpp_spec *spec); /* sets a default that follows from keys before it; null for a constant one */
  rpp_spec_kind kind;
  size_t offset;         /* of the field in rpp_spec */
  const rpp_name *names; /* of RPP_KEY_NAME */
  int64_t least, most;   /* of RPP_KEY_INTEGER */
  bool always;           /* printed at its default too */
} rpp_spec_key;

/* In the order in which they are printed and defaults follow from each other; ended by a null name. */
extern const rpp_spec_key rpp_spec_keys[];

/* Null when no key is so named. */
const rpp_spec_key *rpp_spec_key_find(const char *name);

/* Sets one key from its text, checking it alone; prints it into RPP_PRINT_TEXT characters; sets its default; copies it. */
bool rpp_spec_key_parse(const rpp_spec_key *key, const char *text, rpp_spec *spec, rpp_message *error);
void rpp_spec_key_print(const rpp_spec_key *key, const rpp_spec *spec, char *text);
void rpp_spec_key_default(const rpp_spec_key *key, rpp_spec *spec);
void rpp_spec_key_copy(const rpp_spec_key *key, const rpp_spec *from, rpp_spec *to);

/* The names of a key that has them, and which of them the value is; null for a key that has none. */
const rpp_name *rpp_spec_key_names(const rpp_spec_key *key, const rpp_spec *spec, int *value);

/* Whether two specs have the same value, bit for bit. */
bool rpp_spec_key_same(const rpp_spec_key *key, const rpp_spec *a, const rpp_spec *b);

/* Whether the value, however it got there, is in the key's range. */
bool rpp_spec_key_check(const rpp_spec_key *key, const rpp_spec *spec, rpp_message *error);

#endif
