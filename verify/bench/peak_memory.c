#define _DEFAULT_SOURCE /* wait4 */
#include "bench/peak_memory.h"

#include <errno.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/subject.h"

static bool run_once(const rpp_kernel *kernel, const rpp_spec *spec) {
  rpp_generated data;
  rpp_subject subject;
  rpp_message ignored;
  double seconds;
  return rpp_generate(spec, kernel->contract.output, kernel->contract.lse, &data, &ignored) &&
         rpp_subject_make(kernel, RPP_TASK_FORWARD, &data, &subject, &ignored) && rpp_subject_run(&subject, &seconds, &ignored);
}

double rpp_peak_memory(const rpp_kernel *kernel, const rpp_spec *spec) {
  struct rusage usage;
  int status;
  const pid_t child = fork();
  if (child == 0) _exit(run_once(kernel, spec) ? 0 : 1);
  if (child < 0) return NAN;
  while (wait4(child, &status, 0, &usage) != child)
    if (errno != EINTR) return NAN;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? (double)usage.ru_maxrss * 1024 : NAN;
}
