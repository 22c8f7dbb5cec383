#include "kernels_run.h"

#include <string.h>

#include "cli.h"
#include "command.h"
#include "contract_text.h"
#include "kernels/kernel_cuda.h"

int rpp_kernels_run(const rpp_kernel *const *kernels, FILE *out) {
  char contract[RPP_CONTRACT_TEXT];
  int width = 0;
  for (const rpp_kernel *const *k = kernels; *k != NULL; k++)
    if ((int)strlen((*k)->name) > width) width = (int)strlen((*k)->name);
  for (const rpp_kernel *const *k = kernels; *k != NULL; k++) {
    fprintf(out, "%-*s  %s", width, (*k)->name, (*k)->description);
    if (strncmp((*k)->name, "blocked", 7) == 0) fprintf(out, " (%s)", rpp_vector_set_name());
    rpp_contract_print(&(*k)->contract, contract);
    fprintf(out, "; %s\n", contract);
  }
  return *kernels == NULL;
}

static const struct argp_option table[] = {RPP_CLI_KERNEL_OPTION, {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
  return key == ARGP_KEY_ARGS || key == RPP_CLI_KERNEL ? rpp_cli_ask(state->input, key, value, state) : ARGP_ERR_UNKNOWN;
}

static int list_named(const rpp_cli_asked *asked) {
  rpp_cli_kernels found;
  rpp_message error;
  if (!rpp_cli_kernels_find(asked->argument_count, asked->arguments, &asked->plugins, &found, &error))
    return rpp_cli_complain("kernels", "", &error);
  const int status = rpp_kernels_run(found.kernels, stdout); /* ended by null: calloc has seen to that */
  rpp_cli_kernels_free(&found);
  return status;
}

int rpp_main_kernels(int argc, char **argv) {
  rpp_cli_asked asked = {0};
  rpp_cli_parse(
      "[KERNEL...]",
      "The kernels of this build, or those named: what each is, where it runs, and its contract, as plug-ins state theirs.", table,
      parse, argc, argv, &asked);
  if (asked.argument_count + asked.plugins.count > 0) return list_named(&asked);
  rpp_message why;
  const int status = rpp_kernels_run(rpp_kernels, stdout);
  const rpp_kernel *const *cuda = rpp_kernels_cuda(&why);
  if (*cuda != NULL) rpp_kernels_run(cuda, stdout);
  return status;
}
