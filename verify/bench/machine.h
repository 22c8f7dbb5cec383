/* machine.h: where and by what a number was measured. */
#ifndef RPP_MACHINE_H
#define RPP_MACHINE_H

typedef struct {
  char cpu[128];      /* its model, as the system names it */
  char compiler[128]; /* of this program */
  char date[16];      /* today's, UTC, YYYY-MM-DD */
  int threads;        /* of OpenMP */
  const char *blas;   /* the CPU that OpenBLAS takes this one for */
} rpp_machine;

rpp_machine rpp_machine_here(void);

#endif
