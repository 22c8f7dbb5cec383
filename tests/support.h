/* support.h: what the test programs share. */
#ifndef SUPPORT_H
#define SUPPORT_H
#include <check.h>
#include <stdint.h>
#include <string.h>
#include "ropepp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a suite as TAP on stdout; the exit status of the program. Check forks each test, and the parent must not have started
 * OpenMP threads by then, so a test's main only builds its suite and calls this. */
int support_run(Suite *suite);

/* The next 64 bits of a splitmix64 sequence, and a float64 in [low, high): the same cases on every machine. */
uint64_t support_random(uint64_t *state);
double support_uniform(uint64_t *state, double low, double high);

/* *worst = the larger of it and |error|; a NaN becomes infinite, so that no later error hides it. */
void support_worse(double *worst, double error);

/* Fails the test unless call returns status, and its message names the field and its value. */
#define support_refused(call, status, field, value)                                                                                \
  do {                                                                                                                             \
    const rpp_status refused_ = (call);                                                                                            \
    const char *message_ = rpp_error_message();                                                                                    \
    ck_assert_msg(refused_ == (status) && strstr(message_, (field)) && strstr(message_, (value)),                                  \
                  "%s: status %d, message \"%s\"; wanted " #status ", %s and %s", #call, (int)refused_, message_, (field),         \
                  (value));                                                                                                        \
  } while (0)

#define support_accepted(call)                                                                                                     \
  do {                                                                                                                             \
    const rpp_status accepted_ = (call);                                                                                           \
    ck_assert_msg(accepted_ == RPP_OK, "%s: status %d, message \"%s\"", #call, (int)accepted_, rpp_error_message());               \
  } while (0)

#ifdef __cplusplus
}
#endif
#endif
