/* merge_run.c: `ropepp-verify merge`. */
#include "cli.h"
#include "command.h"
#include "program/aside.h"

static const struct argp_option table[] = {
    {"format", 'f', "FORMAT", 0, "human (default), json, tap or junit, on standard output", 0},
    {"output", 'o', "DIR", 0, "also write DIR/report.json, .tap and .xml", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
  if (key == ARGP_KEY_NO_ARGS) rpp_refuse(state, "a report is expected");
  return rpp_cli_ask(state->input, key, value, state);
}

static bool add_file(const char *path, bool first, rpp_report *sum, rpp_message *error) {
  rpp_report other;
  if (first) return rpp_report_read(path, sum, error);
  if (!rpp_report_read(path, &other, error)) return false;
  const bool good = rpp_report_merge(sum, &other, error);
  rpp_report_free(&other);
  return good;
}

int rpp_main_merge(int argc, char **argv) {
  rpp_cli_asked o = {0};
  rpp_report sum = {0};
  rpp_message error;
  rpp_cli_parse(
      "REPORT...",
      "Joins the JSON reports of the shards of one `fuzz` into that of a run that was never split. A shard that is missing is "
      "named, and the status is then 1.",
      table, parse, argc, argv, &o);
  if (o.folder != NULL && !rpp_folder_make(o.folder, &error)) return rpp_cli_complain("merge", "", &error);
  for (int i = 0; i < o.argument_count; i++)
    if (!add_file(o.arguments[i], i == 0, &sum, &error)) {
      rpp_report_free(&sum);
      return rpp_cli_complain("merge", o.arguments[i], &error);
    }
  rpp_report_merged(&sum);
  const int status = rpp_cli_deliver("merge", &sum, o.format, o.folder);
  rpp_report_free(&sum);
  return status;
}
