/* cost_run.c: `ropepp-analysis cost`. */
#include <inttypes.h>
#include <stdlib.h>

#include "command.h"
#include "cost_figure.h"
#include "cost_report.h"
#include "model_options.h"
#include "options.h"
#include "program/names.h"
#include "program/parse.h"
#include "program/print.h"

enum { KEY_BATCH = 0x100, KEY_MIN, KEY_MAX, KEY_BANDWIDTH, KEY_FLOPS, KEY_DTYPE };

typedef struct {
  rpp_model_options model;
  const char *folder;
  int64_t min, max;
  rpp_sweep sweep;
} run;

static error_t parse(int key, char *value, struct argp_state *state) {
  run *r = state->input;
  rpp_message error;
  int dtype = 0;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &r->model;
    return 0;
  case KEY_BATCH:
    r->sweep.batch = rpp_option_integer("--batch", value, 1, RPP_MODEL_LARGEST, state);
    return 0;
  case KEY_MIN:
    r->min = rpp_option_integer("--min", value, 1, RPP_MODEL_LARGEST, state);
    return 0;
  case KEY_MAX:
    r->max = rpp_option_integer("--max", value, 1, RPP_MODEL_LARGEST, state);
    return 0;
  case KEY_BANDWIDTH:
    r->sweep.machine.bandwidth = rpp_option_above("--bandwidth", value, 1, state);
    return 0;
  case KEY_FLOPS:
    r->sweep.machine.flops = rpp_option_above("--flops", value, 1, state);
    return 0;
  case KEY_DTYPE:
    if (!rpp_parse_name("--dtype", value, rpp_names_dtype, &dtype, &error)) rpp_refuse(state, "%s", error.text);
    r->sweep.machine.dtype = (rpp_dtype)dtype;
    return 0;
  case 'o':
    r->folder = value;
    return 0;
  case ARGP_KEY_ARG:
    rpp_refuse(state, "%s: no argument is expected", value);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* The options that give this result again. */
static void print_command(const run *r, char *text, size_t size) {
  char model[RPP_MODEL_TEXT], bandwidth[RPP_PRINT_TEXT], flops[RPP_PRINT_TEXT];
  rpp_model_options_print(&r->model, model);
  rpp_print_number(r->sweep.machine.bandwidth, bandwidth);
  rpp_print_number(r->sweep.machine.flops, flops);
  snprintf(text, size, "%s --batch=%" PRId64 " --min=%" PRId64 " --max=%" PRId64 " --bandwidth=%s --flops=%s --dtype=%s", model,
           r->sweep.batch, r->min, r->max, bandwidth, flops, rpp_names_get(rpp_names_dtype, (int)r->sweep.machine.dtype));
}

int rpp_main_cost(int argc, char **argv) {
  static const struct argp_option table[] = {
      {"batch", KEY_BATCH, "N", 0, "sequences (default 8)", 0},
      {"min", KEY_MIN, "L", 0, "the first context; the next ones double (default 2048)", 0},
      {"max", KEY_MAX, "L", 0, "no context is longer (default 32768)", 0},
      {"bandwidth", KEY_BANDWIDTH, "BYTES_PER_S", 0, "of memory (default 4.3e12: what copying reaches on an H200)", 0},
      {"flops", KEY_FLOPS, "FLOP_PER_S", 0, "of arithmetic (default 7.7e14: what a bf16 matrix product reaches on an H200)", 0},
      {"dtype", KEY_DTYPE, "TYPE", 0, "of weights and KV cache: bf16 (default), f16, f32, f64", 0},
      {"output", 'o', "DIR", 0, "write DIR/cost.csv, .json (summary) and .svg, and print tables instead of CSV", 0},
      {0}};
  static const struct argp_child children[] = {{&rpp_model_argp, 0, NULL, 0}, {0}};
  static run r; /* large */
  char command[512];
  rpp_message error;
  r = (run){.min = 2048, .max = 32768, .sweep = {.batch = 8, .machine = {RPP_BF16, 4.3e12, 7.7e14}}};
  rpp_options_parse(
      NULL,
      "What a model costs in RoPE, EC and EH: parameters by matrix, KV cache, FLOPs of prefill and decode, and the time of an "
      "output token by the roofline.",
      table, parse, children, argc, argv, &r);
  r.sweep.model = r.model.model;
  print_command(&r, command, sizeof command);
  const bool done =
      rpp_sweep_compute(&r.sweep, r.min, r.max, &error) && rpp_cost_write_csv(&r.sweep, command, r.folder, &error) &&
      (r.folder == NULL || (rpp_cost_write_json(&r.sweep, command, r.folder, &error) && rpp_cost_draw(&r.sweep, r.folder, &error)));
  if (done && r.folder != NULL) rpp_cost_print(&r.sweep);
  return done ? 0 : rpp_complain("cost", &error);
}
