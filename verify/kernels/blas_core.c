#include "kernels/blas_core.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ropepp.h"

/* In the environment of the second start: a letter for each thing that was set for it. */
static const char marker[] = "ROPEPP_BLAS_RESTARTED";
static const char core_type[] = "OPENBLAS_CORETYPE", threads[] = "OPENBLAS_NUM_THREADS", waiting[] = "OMP_WAIT_POLICY";

static bool is_one_of(const char *name, const char *const *names) {
  while (*names != NULL && strcmp(*names, name) != 0) names++;
  return *names != NULL;
}

const char *rpp_blas_better_core(const char *core, bool avx512, bool avx2) {
  static const char *const with_avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
  static const char *const with_avx2[] = {"Haswell", "Zen", NULL};
  if (is_one_of(core, with_avx512)) return NULL;
  if (avx512) return "SKYLAKEX";
  return avx2 && !is_one_of(core, with_avx2) ? "HASWELL" : NULL;
}

static const char *better_core(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  return rpp_blas_better_core(rpp_blas_core(), avx512, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
#else
  return NULL;
#endif
}

static void clean(const char *set) {
  if (strchr(set, 'c')) unsetenv(core_type);
  if (strchr(set, 't')) unsetenv(threads);
  if (strchr(set, 'w')) unsetenv(waiting);
  unsetenv(marker);
}

/* By its real path, which `ps` then shows. Returns only when it cannot. */
static void start_again(char *const *argv) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == sizeof path) return;
  path[length] = '\0';
  execv(path, argv);
}

void rpp_blas_restart(char *const *argv, bool share) {
  const char *before = getenv(marker);
  char set[4] = "";
  if (before != NULL) {
    strncpy(set, before, sizeof set - 1); /* unsetting the marker may take away what before points to */
    clean(set);
    return;
  }
  const char *core = getenv(core_type) == NULL ? better_core() : NULL;
  if (core != NULL && setenv(core_type, core, 1) == 0) strcat(set, "c");
  if (getenv(threads) == NULL && setenv(threads, "1", 1) == 0) strcat(set, "t");
  if (share && getenv(waiting) == NULL && setenv(waiting, "passive", 1) == 0) strcat(set, "w");
  if (*set != '\0' && setenv(marker, set, 1) == 0) start_again(argv);
  clean(set);
}
