#include "kernels_run.h"

#include <string.h>

#include "cli.h"
#include "command.h"
#include "kernels/kernel_cuda.h"

static const char *sums_of(rpp_sums sums) {
  return sums == RPP_SUMS_F64 ? "F64" : sums == RPP_SUMS_F32 ? "F32" : "tensor core";
}

static void print_contract(const rpp_contract *c, FILE *out) {
  fprintf(out, "%s in", rpp_dtype_name(c->input));
  fprintf(out, ", q and k rotated to %s%s", rpp_dtype_name(c->rotated), c->rotate_each ? " step by step" : "");
  fprintf(out, ", weights %s, sums %s", rpp_dtype_name(c->probability), sums_of(c->sums));
  fprintf(out, ", out %s, LSE %s", rpp_dtype_name(c->output), rpp_dtype_name(c->lse));
  fprintf(out, ", tiles of %lld keys, ", (long long)c->key_tile);
  if (c->max_splits > 1) fprintf(out, "up to %lld splits, ", (long long)c->max_splits);
  fprintf(out, "angles %s", c->angles == RPP_ANGLES_EXACT ? "exact" : "hf-f32");
  if (c->angle_error != RPP_ANGLES_AS_MODELLED)
    fprintf(out, " within a %s product", c->angle_error == RPP_ANGLES_F32_PRODUCT ? "float32" : "float64");
  fprintf(out, ", %s", c->deterministic ? "deterministic" : "not deterministic");
}

int rpp_kernels_run(const rpp_kernel *const *kernels, FILE *out) {
  int width = 0;
  for (const rpp_kernel *const *k = kernels; *k != NULL; k++)
    if ((int)strlen((*k)->name) > width) width = (int)strlen((*k)->name);
  for (const rpp_kernel *const *k = kernels; *k != NULL; k++) {
    fprintf(out, "%-*s  %s", width, (*k)->name, (*k)->description);
    if (strncmp((*k)->name, "blocked", 7) == 0) fprintf(out, " (%s)", rpp_vector_set_name());
    fprintf(out, "; ");
    print_contract(&(*k)->contract, out);
    fputc('\n', out);
  }
  return *kernels == NULL;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  if (key != ARGP_KEY_ARG) return ARGP_ERR_UNKNOWN;
  rpp_refuse(state, "%.100s: no argument is expected", value);
  return EINVAL;
}

int rpp_main_kernels(int argc, char **argv) {
  rpp_cli_parse(NULL, "The kernels of this build: what each is, where it runs, and its contract.", NULL, parse, argc, argv, NULL);
  rpp_message why;
  const int status = rpp_kernels_run(rpp_kernels, stdout);
  const rpp_kernel *const *cuda = rpp_kernels_cuda(&why);
  if (*cuda != NULL) rpp_kernels_run(cuda, stdout);
  return status;
}
