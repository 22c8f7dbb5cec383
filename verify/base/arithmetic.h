/* arithmetic.h: how this process rounds: to the nearest number, subnormal ones kept, nothing trapped. The truth is computed so, in the process
 * in which a kernel may have left it otherwise, and would then be wrong as the kernel is. */
#ifndef RPP_ARITHMETIC_H
#define RPP_ARITHMETIC_H
#include <stdbool.h>

/* Sets it so in the calling thread, and tells whether it was. */
bool rpp_arithmetic_restore(void);

/* The same for OpenMP's threads, the calling one among them: whether it was so in all. */
bool rpp_arithmetic_restore_team(void);

#endif
