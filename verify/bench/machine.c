#include "bench/machine.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "ropepp.h"

/* Linux's own list, on the architectures whose list has a model; else the architecture. */
static void find_cpu(char *cpu, size_t room) {
  char line[512];
  struct utsname name;
  FILE *list = fopen("/proc/cpuinfo", "r");
  snprintf(cpu, room, "%s", uname(&name) == 0 ? name.machine : "unknown");
  while (list != NULL && fgets(line, sizeof line, list) != NULL) {
    const char *value = strstr(line, ": ");
    if (strncmp(line, "model name", 10) != 0 || value == NULL) continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(cpu, room, "%.120s", value + 2);
    break;
  }
  if (list != NULL) fclose(list);
}

rpp_machine rpp_machine_here(void) {
  rpp_machine machine = {.threads = omp_get_max_threads(), .blas = rpp_blas_core()};
  const time_t now = time(NULL);
  struct tm utc;
  find_cpu(machine.cpu, sizeof machine.cpu);
#if defined(__clang__)
  snprintf(machine.compiler, sizeof machine.compiler, "clang %d.%d.%d", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  snprintf(machine.compiler, sizeof machine.compiler, "gcc %.100s", __VERSION__);
#endif
  if (gmtime_r(&now, &utc) != NULL) strftime(machine.date, sizeof machine.date, "%Y-%m-%d", &utc);
  return machine;
}
