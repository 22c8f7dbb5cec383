/* kernel_program.h: somebody's program, in any language, as a kernel: cases and answers are files.
 *
 * One process a case: the command is run with {in} and {out} replaced, in every argument, by the path of a case file and by one that an
 * answer is to be written to. Its standard input is empty. Exit status 0: the answer is there; 77: it declines the case, and its last
 * line says why, behind `unsupported:` or without it; any other, or a signal, is its failure.
 *
 * A server: the command is run once, and stays. For each case it gets one line on its standard input, the case file's absolute path, and
 * writes one line to its standard output, flushed:
 *   PATH                  of the answer, absolute or from the folder it was started in; written after the case was asked
 *   unsupported: REASON   it declines the case
 *   error: REASON         it failed on this case; others may come
 * and nothing else: what it has to say goes to standard error. Answers next to the case file are removed once they are read, the case
 * file too. At the end of its input it is to end; it may be ended by SIGKILL at any time, then or before.
 *
 * Answers are what answer.h reads; out is to be of the contract's dtype, and LSE may be left out, which leaves it unjudged. */
#ifndef RPP_KERNEL_PROGRAM_H
#define RPP_KERNEL_PROGRAM_H
#include "files/answer.h"
#include "kernels/child.h"
#include "kernels/kernel.h"

typedef struct {
  char *const *command; /* ended by null */
  bool serves;
  const char *folder; /* where case files, and answers but a server's, are put */
  rpp_axes axes;      /* the order of dimensions in answers */

  /* Of this process: */
  rpp_child child;
  uint64_t asked;
  rpp_message reason;
} rpp_program;

/* The kernel "program". The program stays where it is while the kernel is used, by one thread of a process. Where the program ends by
 * a signal, or by a status but 0 and 77, this process ends in the same way, with its last words: it is meant to be a worker. */
rpp_kernel rpp_kernel_program(rpp_program *program, const rpp_contract *contract);

#endif
