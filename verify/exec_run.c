/* exec_run.c: `ropepp-verify exec`: any program as a kernel. */
#define _GNU_SOURCE /* asprintf */
#include <stdlib.h>
#include <string.h>

#include "base/private_folder.h"
#include "base/shell.h"
#include "cli_campaign.h"
#include "command.h"
#include "contract_text.h"
#include "explain/explain.h"
#include "kernels/kernel_program.h"
#include "program/aside.h"
#include "program/parse.h"

enum {
  DEFAULT_CASES = 500,
  DEFAULT_SEED = 1,
  DEFAULT_TIMEOUT = 30,
  KEY_AXES = RPP_CLI_FIRST_FREE_KEY,
  KEY_CASE,
  KEY_CONTRACT,
  KEY_SERVE,
  KEY_TIMEOUT
};

typedef struct {
  rpp_campaign campaign;
  bool cases_given, case_given;
  rpp_corpus one; /* of --case */
  const char *contract_text;
  rpp_contract contract;
  rpp_program program;
  rpp_cli_asked asked;
  int64_t without_lse; /* cases that passed, whose answers had no LSE */
} options;

static const struct argp_option table[] = {
    RPP_CLI_DRAW_OPTIONS("cases (default 500; no limit with --seconds alone)"),
    {"case", KEY_CASE, "SPEC", 0, "this case alone, as a failure's replay line has it; nothing is shrunk", 0},
    {"contract", KEY_CONTRACT, "TEXT", 0,
     "what the program promises, as bf16,acc=f32 (default: by --only's dtype and angles, or f32)", 0},
    {"serve", KEY_SERVE, NULL, 0,
     "CMD stays: it reads a case's path from each line of its input and writes a line with its answer's", 0},
    {"axes", KEY_AXES, "ORDER", 0, "of the dimensions in answers: blhd (default), or bhld, heads before the length", 0},
    {"timeout", KEY_TIMEOUT, "S", 0, "a case may take S seconds, its start-up and what its size asks for aside (default 30)", 0},
    {"format", 'f', "FORMAT", 0, "human (default), json, tap or junit, on standard output", 0},
    {"output", 'o', "DIR", 0,
     "also write DIR/report.json, .tap and .xml, DIR/KERNEL-N.safetensors of failures, and add them all to DIR/corpus.txt", 0},
    {0}};

/* ---- What is asked for -------------------------------------------------------------------------------------------------- */

/* Files have one layout, and nothing is rotated in place in them: cases that differ in these alone would be wasted. */
static void fix_files_keys(rpp_campaign *campaign, struct argp_state *state) {
  static const char *const keys[] = {"layout", "inplace"};
  for (int i = 0; i < 2; i++) {
    int count = 0;
    for (; campaign->fixed[count] != NULL; count++)
      if (strcmp(campaign->fixed[count], keys[i]) == 0)
        rpp_refuse(state, "--only: %s: has no meaning for a program, whose cases are files", keys[i]);
    campaign->fixed[count] = keys[i];
    campaign->fixed[count + 1] = NULL;
  }
  campaign->base.layout = RPP_LAYOUT_CONTIGUOUS;
  campaign->base.in_place = false;
}

static bool is_fixed(const rpp_campaign *campaign, const char *key) {
  for (const char *const *k = campaign->fixed; *k != NULL; k++)
    if (strcmp(*k, key) == 0) return true;
  return false;
}

static void take_case(options *o, const char *text, struct argp_state *state) {
  rpp_corpus_case one = {0};
  rpp_message error;
  if (o->case_given) rpp_refuse(state, "--case: is given twice");
  if (!rpp_spec_parse(text, &one.spec, &error)) rpp_refuse(state, "--case: %s", error.text);
  one.spec.layout = RPP_LAYOUT_CONTIGUOUS;
  one.spec.in_place = false;
  if (!rpp_corpus_add(&o->one, &one)) rpp_refuse(state, "memory is out");
  o->case_given = true;
}

/* The contract as given, else as the dtype and angles of the cases have it. */
static void find_contract(options *o, struct argp_state *state) {
  const rpp_campaign *c = &o->campaign;
  const rpp_spec *like = o->case_given ? &o->one.cases[0].spec : &c->base;
  const bool dtype = o->case_given || is_fixed(c, "dtype"), angles = o->case_given || is_fixed(c, "angles");
  rpp_message error;
  char text[64];
  o->contract = rpp_contract_default(dtype ? like->dtype : RPP_F32);
  snprintf(text, sizeof text, "angles=%s", rpp_names_get(rpp_names_angles, (int)like->attention.rotary.angles));
  if (angles && !rpp_contract_parse(text, &o->contract, &error)) rpp_refuse(state, "--contract: %s", error.text);
  if (o->contract_text == NULL) return;
  if (!rpp_contract_parse(o->contract_text, &o->contract, &error)) rpp_refuse(state, "--contract: %s", error.text);
  const char *of = o->case_given ? "--case" : "--only";
  if (dtype && o->contract.input != like->dtype)
    rpp_refuse(state, "%s: dtype = %s: the contract's is %s", of, rpp_names_get(rpp_names_dtype, (int)like->dtype),
               rpp_names_get(rpp_names_dtype, (int)o->contract.input));
  if (angles && o->contract.angles != like->attention.rotary.angles && !like->attention.q_rotated)
    rpp_refuse(state, "%s: angles = %s: the contract's are %s", of,
               rpp_names_get(rpp_names_angles, (int)like->attention.rotary.angles),
               rpp_names_get(rpp_names_angles, (int)o->contract.angles));
}

/* Whether an argument has a place for a path. */
static bool holds(char *const *command, const char *place) {
  for (; *command != NULL; command++)
    if (strstr(*command, place) != NULL) return true;
  return false;
}

static void check_command(const options *o, struct argp_state *state) {
  char *const *command = o->program.command;
  const bool in = command != NULL && holds(command, "{in}"), out = command != NULL && holds(command, "{out}");
  if (command == NULL) rpp_refuse(state, "a command is expected: -- CMD {in} {out}");
  if (!o->program.serves && !(in && out))
    rpp_refuse(state, "%.100s: %s is missing, where the path of %s is put (or --serve)", command[0], in ? "{out}" : "{in}",
               in ? "the answer" : "the case");
  if (o->program.serves && (in || out))
    rpp_refuse(state, "%.100s: %s: with --serve paths come on its standard input", command[0], in ? "{in}" : "{out}");
  if (!rpp_child_can_start(command[0])) rpp_refuse(state, "%.100s: no such program", command[0]);
  size_t length = 0;
  for (; *command != NULL; command++) length += 4 * strlen(*command) + 3;
  if (length + 2 * RPP_CONTRACT_TEXT + 128 > RPP_REPORT_COMMAND)
    rpp_refuse(state, "%.100s: the command is longer than a replay line can be", o->program.command[0]);
}

static error_t parse(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  rpp_message error;
  int axes;
  switch (key) {
  case KEY_AXES:
    if (!rpp_parse_name("--axes", value, rpp_names_axes, &axes, &error)) rpp_refuse(state, "%s", error.text);
    o->program.axes = (rpp_axes)axes;
    return 0;
  case KEY_CASE:
    take_case(o, value, state);
    return 0;
  case KEY_CONTRACT:
    o->contract_text = value;
    return 0;
  case KEY_SERVE:
    o->program.serves = true;
    return 0;
  case KEY_TIMEOUT:
    o->campaign.pool.floor_s = rpp_cli_seconds("--timeout", value, state);
    return 0;
  case ARGP_KEY_ARG: /* the command; what follows is its own, whatever it looks like */
    o->program.command = state->argv + state->next - 1;
    state->next = state->argc;
    return 0;
  case ARGP_KEY_END:
    check_command(o, state);
    if (o->case_given && (o->cases_given || o->campaign.plan.seconds > 0 || o->campaign.plan.only[0] != '\0'))
      rpp_refuse(state, "--case: goes with none of --cases, --seconds and --only");
    fix_files_keys(&o->campaign, state);
    find_contract(o, state);
    return rpp_cli_draw(&o->campaign, &o->cases_given, key, value, state);
  default: {
    const error_t taken = rpp_cli_draw(&o->campaign, &o->cases_given, key, value, state);
    return taken == ARGP_ERR_UNKNOWN ? rpp_cli_ask(&o->asked, key, value, state) : taken;
  }
  }
}

/* ---- Running ------------------------------------------------------------------------------------------------------------ */

/* The replay line but for its SPEC. A contract that follows from the SPEC is not said. */
static void write_replay(const options *o, char *before, char *after) {
  strcpy(before, "ropepp-verify exec ");
  if (o->contract_text != NULL) {
    char text[RPP_CONTRACT_TEXT];
    rpp_contract_print(&o->contract, text);
    strcat(before, "--contract ");
    rpp_shell_append(text, before);
    strcat(before, " ");
  }
  if (o->program.serves) strcat(before, "--serve ");
  if (o->program.axes != RPP_AXES_BLHD) strcat(before, "--axes bhld ");
  if (o->campaign.pool.floor_s != DEFAULT_TIMEOUT) sprintf(before + strlen(before), "--timeout %.17g ", o->campaign.pool.floor_s);
  strcat(before, "--case ");
  strcpy(after, " --");
  for (char *const *argument = o->program.command; *argument != NULL; argument++) {
    strcat(after, " ");
    rpp_shell_append(*argument, after);
  }
}

static void observe(void *observer, int64_t round, int kernel, const rpp_verdict *verdict) {
  options *o = observer;
  (void)round, (void)kernel;
  o->without_lse += verdict->outcome == RPP_OUTCOME_PASS && verdict->without_lse;
}

static int run(options *o) {
  const rpp_kernel kernel = rpp_kernel_program(&o->program, &o->contract);
  const rpp_kernel *const kernels[] = {&kernel};
  const char *const names[] = {kernel.name};
  char before[RPP_REPORT_COMMAND], after[RPP_REPORT_COMMAND];
  const rpp_report_command replay = {before, after};
  FILE *notes = o->asked.format == RPP_FORMAT_HUMAN ? stdout : stderr;
  rpp_campaign *c = &o->campaign;
  write_replay(o, before, after);
  c->names = names;
  c->replay = &replay;
  c->pool.kernels = kernels;
  c->pool.kernel_count = 1;
  c->observe = observe;
  c->observer = o;
  if (o->case_given) {
    c->list = &o->one;
    c->plan.command = "replay";
    c->plan.cases = 1;
    c->shrink = NULL; /* one case is shown as it is */
  }
  const int status = rpp_cli_campaign_run(c, &o->asked);
  if (o->without_lse > 0) fprintf(notes, "LSE was not judged: the answers to %lld cases have none\n", (long long)o->without_lse);
  return status;
}

static char *help(int key, const char *text, void *input) {
  char *all = NULL;
  (void)input;
  if (key != ARGP_KEY_HELP_EXTRA) return (char *)text;
  if (asprintf(&all,
               "Exit status of CMD: 0 when its answer is in {out}, 77 when it declines the case, others are failures. With "
               "--serve, its answers are lines: PATH, `unsupported: REASON` or `error: REASON` (notes/kernel-authors.md).\n\n%s",
               rpp_spec_help()) < 0)
    return NULL;
  return all;
}

int rpp_main_exec(int argc, char **argv) {
  static const struct argp argp = {
      table,
      parse,
      "[--] CMD {in} {out}\n--serve [--] CMD",
      "Holds any program against the truth on random cases: CMD reads a case file, {in}, and writes an answer, {out}: safetensors "
      "with out and, if it has it, lse. No shell takes part.",
      NULL,
      help,
      NULL};
  options o = {.campaign = {.plan = {.command = "exec", .seed = DEFAULT_SEED, .cases = DEFAULT_CASES, .shards = 1},
                            .pool = {.judge = rpp_judge_case, .explain = rpp_explain, .apart = true, .floor_s = DEFAULT_TIMEOUT},
                            .shrink = rpp_shrink,
                            .progress = true}};
  rpp_private_folder folder;
  rpp_message error;
  int status = RPP_EXIT_USAGE;
  if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o) != 0) return RPP_EXIT_USAGE;
  if ((o.asked.folder != NULL && !rpp_folder_make(o.asked.folder, &error)) || !rpp_private_folder_make(&folder, &error)) {
    rpp_cli_complain("exec", "", &error);
  } else {
    o.program.folder = folder.path;
    status = run(&o);
    rpp_private_folder_remove(&folder);
  }
  rpp_corpus_free(&o.one);
  return status;
}
