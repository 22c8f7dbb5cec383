/* synthetic_identities.h: tables of the program's names, of which the linker takes these instead: small, fast, and broken at will. */
#ifndef SYNTHETIC_IDENTITIES_H
#define SYNTHETIC_IDENTITIES_H
#include "identities/identity.h"

/* What the identity "adjustable" answers; its bound is 1e-3. It starts as one that holds and whose plant is caught. */
extern double synthetic_deviation, synthetic_planted;

enum { SYNTHETIC_COUNT = 3 };

#endif
