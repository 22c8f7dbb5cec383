/* minimal.c: what a minimal build of ropepp-verify, without jansson and OpenBLAS, has in place of what needs them: it says so. */
#include <stdio.h>

#include "bench/bench.h"
#include "cli.h"
#include "command.h"
#include "judge/failure_file.h"
#include "kernels/blas_core.h"

static int missing(char **argv) {
  rpp_message error;
  rpp_message_set(&error, "this is a minimal build, without jansson and OpenBLAS: it has bench, fuzz, kernels and replay");
  return rpp_cli_complain(argv[0], "", &error);
}

#define COMMAND(name)                                                                                                              \
  int name(int argc, char **argv) {                                                                                                \
    (void)argc;                                                                                                                    \
    return missing(argv);                                                                                                          \
  }

COMMAND(rpp_main_cases)
COMMAND(rpp_main_check)
COMMAND(rpp_main_detection)
COMMAND(rpp_main_errata)
COMMAND(rpp_main_exec)
COMMAND(rpp_main_gen)
COMMAND(rpp_main_identities)
COMMAND(rpp_main_merge)
COMMAND(rpp_main_selftest)
COMMAND(rpp_main_truth)

void rpp_report_json(const rpp_report *report, FILE *out) {
  (void)report, (void)out;
  fprintf(stderr, "ropepp-verify: no JSON: this is a minimal build, without jansson\n");
}

bool rpp_bench_json(const rpp_bench *bench, FILE *out) {
  (void)bench, (void)out;
  fprintf(stderr, "ropepp-verify: no JSON: this is a minimal build, without jansson\n");
  return false;
}

bool rpp_failure_file_write(const rpp_kernel *kernel, const rpp_spec *spec, bool run, const char *path, rpp_message *error) {
  (void)kernel, (void)spec, (void)run, (void)path;
  return rpp_message_set(error, "this is a minimal build, without jansson");
}

void rpp_blas_restart(char *const *argv, bool share) {
  (void)argv, (void)share;
}
