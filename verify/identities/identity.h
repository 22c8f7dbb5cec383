/* identity.h: a statement that the truth must satisfy, checked over random configurations, with a planted error that the same check
 * must catch. */
#ifndef RPP_IDENTITY_H
#define RPP_IDENTITY_H
#include "base/format.h"
#include "base/random.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct {
  const char *name;      /* one word, hyphens inside */
  const char *equation;  /* in notes/math.md */
  const char *statement; /* what holds; ends with what the control plants */
  double bound;          /* of the deviation; 0 means bit for bit, as values */
  int cases;
  /* The deviation of one random configuration, relative to the scale of what is compared (statistical identities: in standard
   * errors); infinite when anything failed. planted: with the error in it. A function of the generator alone: cases run in parallel. */
  double (*deviation)(rpp_random *random, bool planted);
} rpp_identity;

/* The tables, each ended by an entry without a name: one file, one table; identities.c lists them. */
extern const rpp_identity rpp_identities_rotation[], rpp_identities_scores[], rpp_identities_attention[], rpp_identities_heads[],
    rpp_identities_keys[], rpp_identities_cache[], rpp_identities_statistics[];

typedef struct {
  double deviation;    /* the largest over the cases */
  bool pass;           /* deviation <= bound */
  bool control_caught; /* the planted error passes the bound in every case */
} rpp_identity_result;

rpp_identity_result rpp_identity_run(const rpp_identity *identity, uint64_t seed);

/* A row of the table of identities and cases, and its head. what: name; where: equation or tensor. */
void rpp_identity_print_head(FILE *out);
void rpp_identity_print_row(FILE *out, const char *what, const char *where, double deviation, double bound, int64_t cases,
                            bool control_caught, bool pass);

/* Runs every identity; human: prints a row each; json: one object. Adds up how many ran and how many did not hold or had a blind
 * control. */
typedef struct {
  int count, failed;
} rpp_identities_total;
rpp_identities_total rpp_identities_report(rpp_format format, FILE *out);

/* The command `ropepp-verify identities`. Returns the exit status: 0 all hold and every control is caught, else 1. */
int rpp_identities_run(rpp_format format, FILE *out);

#endif
