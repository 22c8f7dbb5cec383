/* replay_run.c: `ropepp-verify replay`. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "explain/explain.h"
#include "judge/failure_file.h"
#include "program/aside.h"
#include "workers/campaign.h"

enum { KEY_CORPUS = 0x100 };

typedef struct {
  rpp_corpus cases;
  bool has_corpus;
  rpp_cli_asked asked; /* arguments: kernels */
} options;

static const struct argp_option table[] = {
    {"corpus", KEY_CORPUS, "FILE", 0, "replay every case of a file; may be repeated", 0},
    RPP_CLI_KERNEL_OPTION,
    {"format", 'f', "FORMAT", 0, "human (default), json, tap or junit, on standard output", 0},
    {"output", 'o', "DIR", 0, "also write DIR/report.json, .tap and .xml, and DIR/KERNEL-N.safetensors of failures", 0},
    {0}};

/* The last argument is the case, and what stands before it are kernels; "KERNEL SPEC" in one argument is taken apart. */
static void take_case(options *o, struct argp_state *state) {
  rpp_corpus_case one = {0};
  rpp_message error;
  if (o->asked.argument_count == 0) rpp_refuse(state, "a case, or --corpus FILE, is expected");
  char *spec = o->asked.arguments[o->asked.argument_count - 1], *blank = strrchr(spec, ' ');
  if (blank != NULL) {
    *blank = '\0'; /* the kernel now ends here, and stays in its place */
    spec = blank + 1;
  } else
    o->asked.argument_count--;
  if (!rpp_spec_parse(spec, &one.spec, &error)) rpp_refuse(state, "%s", error.text);
  if (!rpp_corpus_add(&o->cases, &one)) rpp_refuse(state, "memory is out");
}

static error_t parse(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  rpp_message error;
  switch (key) {
  case KEY_CORPUS:
    o->has_corpus = true;
    if (!rpp_corpus_read(value, &o->cases, &error)) exit(rpp_cli_complain("replay", value, &error));
    return 0;
  case ARGP_KEY_END:
    if (!o->has_corpus) take_case(o, state);
    return 0;
  default:
    return rpp_cli_ask(&o->asked, key, value, state);
  }
}

static int run(options *o, const rpp_cli_kernels *found) {
  const int64_t cases = o->cases.count * found->count;
  const rpp_campaign campaign = {.plan = {.command = "replay", .cases = cases, .shards = 1},
                                 .names = found->names,
                                 .pool = {.kernels = found->kernels,
                                          .kernel_count = found->count,
                                          .judge = rpp_judge_case,
                                          .explain = rpp_explain,
                                          .save = rpp_failure_file_write,
                                          .folder = o->asked.folder},
                                 .list = &o->cases,
                                 .shrink = o->has_corpus ? rpp_shrink : NULL, /* one case is shown as it is */
                                 .progress = true};
  rpp_corpus failures = {0};
  rpp_report report;
  rpp_message error;
  const bool good = rpp_campaign_run(&campaign, &report, &failures, &error);
  rpp_corpus_free(&failures);
  if (!good) return rpp_cli_complain("replay", "", &error);
  const int status = rpp_cli_deliver("replay", &report, o->asked.format, o->asked.folder);
  rpp_report_free(&report);
  return status;
}

static char *help(int key, const char *text, void *input) {
  (void)input;
  return key == ARGP_KEY_HELP_EXTRA ? strdup(rpp_spec_help()) : (char *)text;
}

int rpp_main_replay(int argc, char **argv) {
  static const struct argp argp = {
      table,
      parse,
      "[KERNEL...] SPEC\n--corpus FILE [KERNEL...]",
      "Runs a case again, from the line that a failure printed, or every case of a corpus. Without KERNEL, the "
      "kernels that run on this CPU. A path stands for a plug-in, as --kernel takes it.",
      NULL,
      help,
      NULL};
  options o = {0};
  rpp_cli_kernels found;
  rpp_message error;
  int status = RPP_EXIT_USAGE;
  if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0) return RPP_EXIT_USAGE;
  if (o.asked.folder != NULL && !rpp_folder_make(o.asked.folder, &error)) {
    rpp_cli_complain("replay", "", &error);
  } else if (!rpp_cli_kernels_find(o.asked.argument_count, o.asked.arguments, &o.asked.plugins, &found, &error)) {
    rpp_cli_complain("replay", "", &error);
  } else {
    status = run(&o, &found);
    rpp_cli_kernels_free(&found);
  }
  rpp_corpus_free(&o.cases);
  return status;
}
