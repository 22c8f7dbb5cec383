#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/kernel_cuda.h"
#include "program/parse.h"

static const rpp_name formats[] = {
    {"human", RPP_FORMAT_HUMAN}, {"json", RPP_FORMAT_JSON}, {"tap", RPP_FORMAT_TAP}, {"junit", RPP_FORMAT_JUNIT}, {NULL, 0}};

rpp_format rpp_cli_format(const char *value, struct argp_state *state) {
  int format = 0;
  if (!rpp_names_find(formats, value, strlen(value), &format))
    rpp_refuse(state, "--format %.100s: expected human, json, tap or junit", value);
  return (rpp_format)format;
}

rpp_format rpp_cli_basic_format(const char *value, struct argp_state *state) {
  if (strcmp(value, "human") != 0 && strcmp(value, "json") != 0)
    rpp_refuse(state, "--format %.100s: expected human or json", value);
  return strcmp(value, "json") == 0 ? RPP_FORMAT_JSON : RPP_FORMAT_HUMAN;
}

error_t rpp_cli_ask(rpp_cli_asked *asked, int key, char *value, struct argp_state *state) {
  switch (key) {
  case 'f':
    asked->format = rpp_cli_format(value, state);
    return 0;
  case 'o':
    asked->folder = value;
    return 0;
  case RPP_CLI_KERNEL:
    rpp_cli_plugin(&asked->plugins, value, state);
    return 0;
  case ARGP_KEY_ARGS:
    asked->arguments = state->argv + state->next;
    asked->argument_count = state->argc - state->next;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int64_t rpp_cli_integer(const char *option, const char *value, int64_t least, struct argp_state *state) {
  rpp_message error;
  int64_t integer = least;
  if (!rpp_parse_integer(option, value, least, &integer, &error)) rpp_refuse(state, "%s", error.text);
  return integer;
}

double rpp_cli_seconds(const char *option, const char *value, struct argp_state *state) {
  rpp_message error;
  double number = 0;
  if (!rpp_parse_number(option, value, &number, &error)) rpp_refuse(state, "%s", error.text);
  if (!(number > 0)) rpp_refuse(state, "%s = %.100s: must be positive", option, value);
  return number;
}

void rpp_cli_shard(const char *value, int64_t *shard, int64_t *shards, struct argp_state *state) {
  char first[32];
  rpp_message error;
  const char *slash = strchr(value, '/');
  const size_t length = slash == NULL ? 0 : (size_t)(slash - value);
  bool good = length > 0 && length < sizeof first;
  if (good) {
    memcpy(first, value, length);
    first[length] = '\0';
    good = rpp_parse_integer("shard", first, 1, shard, &error) && rpp_parse_integer("shard", slash + 1, 1, shards, &error);
  }
  if (!good || *shard > *shards || *shards > RPP_REPORT_SHARDS)
    rpp_refuse(state, "--shard %.100s: expected I/N, I from 1 to N, N at most %d", value, RPP_REPORT_SHARDS);
  --*shard;
}

void rpp_cli_parse(const char *arguments, const char *doc, const struct argp_option *options, argp_parser_t parser, int argc,
                   char **argv, void *input) {
  const struct argp argp = {options, parser, arguments, doc, NULL, NULL, NULL};
  if (argp_parse(&argp, argc, argv, 0, NULL, input) != 0) exit(RPP_EXIT_USAGE);
}

/* ---- Kernels ------------------------------------------------------------------------------------------------------------ */

void rpp_cli_plugin(rpp_cli_plugins *plugins, const char *value, struct argp_state *state) {
  if (plugins->count == RPP_PLUGINS) rpp_refuse(state, "--kernel %.100s: more than %d plug-ins", value, RPP_PLUGINS);
  char *path = plugins->paths[plugins->count];
  if (snprintf(path, RPP_PLUGIN_PATH, "%s%s", strchr(value, '/') == NULL ? "./" : "", value) >= RPP_PLUGIN_PATH)
    rpp_refuse(state, "--kernel %.100s...: is longer a path than %d characters", value, RPP_PLUGIN_PATH - 1);
  plugins->count++;
}

static void add(rpp_cli_kernels *found, const rpp_kernel *kernel) {
  const char *path = rpp_kernel_plugin_path(kernel);
  for (int i = 0; i < found->count; i++)
    if (found->kernels[i] == kernel) return;
  found->names[found->count] = path != NULL ? path : kernel->name;
  found->kernels[found->count++] = kernel;
}

static bool no_kernel(const char *name, rpp_message *error) {
  rpp_message why;
  if (strncmp(name, "cuda:", 5) == 0 && *rpp_kernels_cuda(&why) == NULL)
    return rpp_message_set(error, "%.100s: %s", name, why.text);
  if (access(name, F_OK) == 0)
    return rpp_message_set(error, "%.100s: no such kernel; a plug-in is named by a path: ./%.100s", name, name);
  return rpp_message_set(error, "%.100s: no such kernel (`ropepp-verify kernels` lists them)", name);
}

/* Those of a list whose names begin with the prefix; false when there are none. */
static bool add_all(const char *prefix, const rpp_kernel *const *list, rpp_cli_kernels *found) {
  const int before = found->count;
  for (const rpp_kernel *const *k = list; *k != NULL; k++)
    if (strncmp((*k)->name, prefix, strlen(prefix)) == 0) add(found, *k);
  return found->count > before;
}

static bool add_plugin(const char *path, rpp_cli_kernels *found, rpp_message *error) {
  rpp_message why;
  const rpp_kernel *kernel = rpp_kernel_plugin(path, &why);
  if (kernel == NULL) return rpp_message_set(error, "%.100s: %s", path, why.text);
  add(found, kernel);
  return true;
}

static bool add_named(const char *name, rpp_cli_kernels *found, rpp_message *error) {
  rpp_message why;
  if (strchr(name, '/') != NULL) return add_plugin(name, found, error);
  if (strcmp(name, "simt:") == 0 && add_all(name, rpp_kernels, found)) return true;
  if (strcmp(name, "cuda:") == 0 && add_all(name, rpp_kernels_cuda(&why), found)) return true;
  const rpp_kernel *kernel = rpp_kernel_find(name);
  if (kernel == NULL) return no_kernel(name, error);
  add(found, kernel);
  return true;
}

bool rpp_cli_kernels_find(int count, char *const *names, const rpp_cli_plugins *plugins, rpp_cli_kernels *found,
                          rpp_message *error) {
  size_t room = (size_t)count + (size_t)plugins->count;
  for (const rpp_kernel *const *k = rpp_kernels; *k != NULL; k++) room++;
  for (const rpp_kernel *const *k = rpp_kernels_cuda_built(); *k != NULL; k++) room++;
  *found = (rpp_cli_kernels){calloc(room + 1, sizeof(rpp_kernel *)), calloc(room + 1, sizeof(char *)), 0};
  bool good = (found->kernels != NULL && found->names != NULL) || rpp_message_set(error, "memory is out");
  for (const rpp_kernel *const *k = rpp_kernels; good && count + plugins->count == 0 && *k != NULL; k++)
    if (rpp_kernel_on_host(*k)) add(found, *k);
  for (int i = 0; good && i < count; i++) good = add_named(names[i], found, error);
  for (int i = 0; good && i < plugins->count; i++) good = add_plugin(plugins->paths[i], found, error);
  if (good && found->count == 0) good = rpp_message_set(error, "this build has no kernel that runs on this CPU: name one");
  if (!good) rpp_cli_kernels_free(found);
  return good;
}

void rpp_cli_kernels_free(rpp_cli_kernels *found) {
  free(found->kernels);
  free(found->names);
  *found = (rpp_cli_kernels){0};
}

/* ---- Ends --------------------------------------------------------------------------------------------------------------- */

int rpp_cli_complain(const char *command, const char *what, const rpp_message *error) {
  rpp_message safe;
  rpp_message_set(&safe, "%s", what);
  fprintf(stderr, "ropepp-verify: %s: %s%s%s\n", command, safe.text, *what ? ": " : "", error->text);
  return RPP_EXIT_USAGE;
}

int rpp_cli_deliver(const char *command, const rpp_report *report, rpp_format format, const char *folder) {
  rpp_message error;
  rpp_report_print(report, format, stdout);
  if (folder != NULL && !rpp_report_save(report, folder, &error)) return rpp_cli_complain(command, "", &error);
  return rpp_report_status(report);
}
