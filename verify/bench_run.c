/* bench_run.c: `ropepp-verify bench`. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/default_cases.h"
#include "cli.h"
#include "command.h"

enum { KEY_CASE = 0x100, KEY_JSON, KEY_MEMORY, KEY_SCALING, KEY_SECONDS, KEY_VS };

typedef struct {
  rpp_bench_plan plan;
  rpp_spec *cases; /* the plan's */
  rpp_cli_plugins plugins;
  char *vs;
  rpp_format format;
  char **names;
  int name_count;
} options;

static const struct argp_option table[] = {
    {"case", KEY_CASE, "SPEC", 0, "a case, instead of the default ones; again for more", 0},
    {"vs", KEY_VS, "KERNEL", 0, "run this one in turn with each, on the same data: column / vs", 0},
    {"seconds", KEY_SECONDS, "S", 0, "for each row, about (default 1)", 0},
    {"scaling", KEY_SCALING, 0, 0, "run each on one thread, too: column speed-up", 0},
    {"memory", KEY_MEMORY, 0, 0, "also run each in a process of its own for the most memory that it holds", 0},
    RPP_CLI_KERNEL_OPTION,
    {"format", 'f', "FORMAT", 0, "human (default) or json", 0},
    {"json", KEY_JSON, 0, 0, "--format json", 0},
    {0}};

static void add_case(options *o, const char *text, const struct argp_state *state) {
  rpp_message error;
  rpp_spec *cases = realloc(o->cases, (size_t)(o->plan.case_count + 1) * sizeof *cases);
  if (cases == NULL) rpp_refuse(state, "memory is out");
  o->plan.cases = o->cases = cases;
  if (!rpp_spec_parse(text, &cases[o->plan.case_count], &error)) rpp_refuse(state, "--case: %s", error.text);
  o->plan.case_count++;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case KEY_CASE:
    add_case(o, value, state);
    return 0;
  case KEY_VS:
    o->vs = value;
    return 0;
  case KEY_SECONDS:
    o->plan.seconds = rpp_cli_seconds("--seconds", value, state);
    return 0;
  case KEY_SCALING:
    o->plan.scaling = true;
    return 0;
  case KEY_MEMORY:
    o->plan.memory = true;
    return 0;
  case RPP_CLI_KERNEL:
    rpp_cli_plugin(&o->plugins, value, state);
    return 0;
  case 'f':
    o->format = rpp_cli_basic_format(value, state);
    return 0;
  case KEY_JSON:
    o->format = RPP_FORMAT_JSON;
    return 0;
  case ARGP_KEY_ARGS:
    o->names = state->argv + state->next;
    o->name_count = state->argc - state->next;
    return 0;
  case ARGP_KEY_END:
    if (o->cases == NULL)
      for (const char *const *spec = rpp_bench_default_cases; *spec != NULL; spec++) add_case(o, *spec, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* What it was asked for; the status that the numbers deserve. */
static int deliver(const options *o) {
  rpp_bench bench;
  rpp_message error;
  if (!rpp_bench_run(&o->plan, &bench, &error)) return rpp_cli_complain("bench", "", &error);
  int status = bench.row_count > 0 ? 0 : 1;
  if (o->format != RPP_FORMAT_JSON)
    rpp_bench_text(&bench, stdout);
  else if (!rpp_bench_json(&bench, stdout))
    status = RPP_EXIT_USAGE;
  rpp_bench_free(&bench);
  return status;
}

/* One kernel, by name. */
static bool find_vs(options *o, rpp_message *error) {
  rpp_cli_kernels found;
  if (o->vs == NULL) return true;
  if (!rpp_cli_kernels_find(1, &o->vs, &(rpp_cli_plugins){.count = 0}, &found, error))
    return rpp_message_set(error, "--vs %s", error->text);
  o->plan.vs = found.kernels[0];
  const bool one = found.count == 1 || rpp_message_set(error, "--vs %.100s: stands for more than one kernel", o->vs);
  rpp_cli_kernels_free(&found);
  return one;
}

static int run(options *o) {
  rpp_cli_kernels kernels;
  rpp_message error;
  if (!rpp_cli_kernels_find(o->name_count, o->names, &o->plugins, &kernels, &error)) return rpp_cli_complain("bench", "", &error);
  o->plan.kernels = kernels.kernels;
  o->plan.kernel_count = kernels.count;
  const int status = find_vs(o, &error) ? deliver(o) : rpp_cli_complain("bench", "", &error);
  rpp_cli_kernels_free(&kernels);
  return status;
}

int rpp_main_bench(int argc, char **argv) {
  options o = {.plan = {.seconds = 1}, .format = RPP_FORMAT_HUMAN};
  rpp_cli_parse(
      "[KERNEL...]",
      "Times kernels. Without KERNEL, those that run on this CPU; `simt:` and `cuda:` stand for all of theirs, and take far "
      "longer; a path stands for a plug-in, as --kernel takes it.\v"
      "Every run stands between two probes of the same process, and is held against them: multiply-adds in float32 (of FMA), "
      "reading 256 MiB (of read, for cases of few operations a byte), copying as many bytes (of copy, for rotation). All "
      "OpenMP threads take part: OMP_NUM_THREADS. Numbers are medians over the runs; of ratios, over pairs of neighbours, so "
      "that what slows a shared machine for a while drops out.\n\n"
      "GF/s: 2 (d + dv) for each pair of a query and a key that it sees and each output head. GB/s: q, k, v, out and LSE "
      "once each. / rope: an ec or eh case's time over that of the same case in mode rope, where that is among the cases; "
      "the two run in turn.\n\n"
      "A case is a SPEC, as `ropepp-verify gen --help` explains it. Say dtype as the kernel stores it, inputs=rotated for decode "
      "from "
      "a cache, whose keys are rotated, and lk=0 to time rotation alone: of q, into room of its own and in place, and the "
      "table of its angles.\n\n"
      "Answers are not judged (`ropepp-verify fuzz` does that), and a kernel that crashes takes the bench with it. Status 1 when "
      "nothing "
      "could be timed.",
      table, parse, argc, argv, &o);
  const int status = run(&o);
  free(o.cases);
  return status;
}
