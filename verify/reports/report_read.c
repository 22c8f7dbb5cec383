#include "reports/report.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- One value of an object: false, with a message, when it is missing or of another type ------------------------------- */

static bool wrong(const char *key, const char *must, rpp_message *error) {
  return rpp_message_set(error, "%s: must be %s", key, must);
}

static bool get_integer(const json_t *from, const char *key, int64_t least, int64_t most, int64_t *value, rpp_message *error) {
  const json_t *found = json_object_get(from, key);
  *value = json_integer_value(found);
  if (json_is_integer(found) && *value >= least && *value <= most) return true;
  return rpp_message_set(error, "%s: must be an integer from %lld to %lld", key, (long long)least, (long long)most);
}

static bool get_count(const json_t *from, const char *key, int64_t *value, rpp_message *error) {
  return get_integer(from, key, 0, (int64_t)1 << 60, value, error);
}

static bool get_number(const json_t *from, const char *key, double *value, rpp_message *error) {
  const json_t *found = json_object_get(from, key);
  const char *text = json_string_value(found);
  *value = json_is_number(found) ? json_number_value(found) : NAN;
  if (text != NULL && strcmp(text, "inf") == 0) *value = INFINITY;
  if (text != NULL && strcmp(text, "-inf") == 0) *value = -INFINITY;
  return json_is_number(found) || isinf(*value) || (text != NULL && strcmp(text, "nan") == 0) || wrong(key, "a number", error);
}

/* Null is "". */
static bool get_text(const json_t *from, const char *key, char *text, size_t room, rpp_message *error) {
  const json_t *found = json_object_get(from, key);
  const char *value = json_is_null(found) ? "" : json_string_value(found);
  if (value == NULL || strlen(value) >= room || json_string_length(found) != strlen(value))
    return wrong(key, "a short text or null", error);
  strcpy(text, value);
  return true;
}

static bool get_spec(const json_t *from, const char *key, rpp_spec *spec, rpp_message *error) {
  const char *text = json_string_value(json_object_get(from, key));
  return (text != NULL && rpp_spec_parse(text, spec, error)) || (text == NULL && wrong(key, "a spec", error));
}

static bool get_name(const json_t *from, const char *key, const rpp_name *table, int *value, rpp_message *error) {
  const char *text = json_string_value(json_object_get(from, key));
  return (text != NULL && rpp_names_find(table, text, strlen(text), value)) || wrong(key, "a known name", error);
}

/* ---- A report ----------------------------------------------------------------------------------------------------------- */

static bool read_worst(const json_t *from, rpp_worst *worst, rpp_message *error) {
  const int64_t most = (int64_t)1 << 40;
  int tensor = 0;
  if (!get_name(from, "tensor", rpp_names_judged, &tensor, error)) return false;
  worst->tensor = (rpp_judged_tensor)tensor;
  return get_integer(from, "b", -1, most, &worst->b, error) && get_integer(from, "h", -1, most, &worst->h, error) &&
         get_integer(from, "t", -1, most, &worst->t, error) && get_integer(from, "d", -1, most, &worst->d, error) &&
         get_number(from, "expected", &worst->expected, error) && get_number(from, "got", &worst->got, error) &&
         get_number(from, "bound", &worst->bound, error) && get_number(from, "ratio", &worst->ratio, error);
}

static bool read_kind(const json_t *from, rpp_outcome outcome, rpp_gate *gate, rpp_message *error) {
  int found = 0;
  if (outcome == RPP_OUTCOME_MISMATCH && !get_name(from, "gate", rpp_names_gate, &found, error)) return false;
  *gate = (rpp_gate)found;
  return true;
}

static bool read_shrunk(const json_t *from, rpp_report_failure *failure, rpp_message *error) {
  rpp_verdict *v = &failure->verdict;
  int64_t signal, exit_status;
  *v = rpp_verdict_none();
  v->outcome = failure->outcome;
  if (!get_spec(from, "case", &failure->spec, error) || !read_kind(from, v->outcome, &v->gate, error) ||
      !get_integer(from, "signal", 0, 127, &signal, error) || !get_integer(from, "exit_status", 0, 255, &exit_status, error) ||
      !get_text(from, "message", v->message.text, sizeof v->message.text, error) ||
      !get_count(from, "elements", &v->elements, error))
    return false;
  v->signal = (int)signal;
  v->exit_status = (int)exit_status;
  return v->elements == 0 || read_worst(json_object_get(from, "worst"), &v->worst, error);
}

static bool read_failure(const json_t *from, rpp_report_failure *failure, rpp_message *error) {
  int outcome = 0;
  if (!get_name(from, "outcome", rpp_names_outcome, &outcome, error)) return false;
  failure->outcome = (rpp_outcome)outcome;
  failure->reproduced = json_is_true(json_object_get(from, "reproduced"));
  return get_count(from, "index", &failure->index, error) && get_spec(from, "case", &failure->drawn, error) &&
         read_kind(from, failure->outcome, &failure->gate, error) && read_shrunk(json_object_get(from, "shrunk"), failure, error) &&
         get_text(from, "file", failure->file, sizeof failure->file, error) &&
         get_text(from, "explanation", failure->explanation.text, sizeof failure->explanation.text, error);
}

static bool read_gates(const json_t *from, rpp_report_kernel *kernel, rpp_message *error) {
  for (int g = 0; g < RPP_GATES; g++) {
    const json_t *gate = json_object_get(from, rpp_names_get(rpp_names_gate, g));
    rpp_report_worst *w = &kernel->worst[g];
    if (json_is_null(gate)) continue;
    if (!get_number(gate, "worst", &w->ratio, error) || !get_count(gate, "index", &w->index, error) ||
        !get_spec(gate, "case", &w->spec, error))
      return false;
  }
  return true;
}

static bool read_reasons(const json_t *from, rpp_report_kernel *kernel, rpp_message *error) {
  size_t i;
  const json_t *reason;
  if (!json_is_array(from)) return wrong("unsupported", "an array", error);
  json_array_foreach(from, i, reason) {
    rpp_report_reason read = {0};
    if (!get_text(reason, "reason", read.text.text, sizeof read.text.text, error) ||
        !get_count(reason, "cases", &read.count, error))
      return false;
    if (!rpp_report_add_reason(kernel, &read.text, read.count)) return rpp_message_set(error, "memory is out");
  }
  return true;
}

static bool read_kernel(const json_t *from, rpp_report_kernel *kernel, rpp_message *error) {
  const json_t *outcomes = json_object_get(from, "outcomes"), *failures = json_object_get(from, "failures"), *failure;
  size_t i;
  if (!get_text(from, "name", kernel->name, sizeof kernel->name, error) ||
      !get_text(from, "contract", kernel->contract, sizeof kernel->contract, error) ||
      !rpp_swept_read(json_object_get(from, "swept"), &kernel->swept, error) ||
      !get_count(from, "skipped", &kernel->skipped, error) || !get_count(from, "elements", &kernel->elements, error))
    return false;
  for (int o = 0; o < RPP_OUTCOMES; o++)
    if (!get_count(outcomes, rpp_names_get(rpp_names_outcome, o), &kernel->outcomes[o], error)) return false;
  if (!json_is_array(failures) || json_array_size(failures) > RPP_REPORT_FAILURES)
    return wrong("failures", "an array of a few failures", error);
  json_array_foreach(failures, i, failure) {
    if (!read_failure(failure, &kernel->failures[i], error)) return false;
    kernel->failure_count = (int)i + 1;
  }
  return read_gates(json_object_get(from, "gates"), kernel, error) &&
         read_reasons(json_object_get(from, "unsupported"), kernel, error);
}

static bool read_plan(const json_t *from, rpp_report_plan *plan, rpp_message *error) {
  const char *command = json_string_value(json_object_get(from, "command"));
  int64_t seed;
  *plan = (rpp_report_plan){.cases = -1};
  static const char *const commands[] = {"fuzz", "exec", "replay"};
  for (size_t i = 0; command != NULL && i < sizeof commands / sizeof *commands; i++)
    if (strcmp(command, commands[i]) == 0) plan->command = commands[i];
  if (plan->command == NULL) return wrong("command", "fuzz, exec or replay", error);
  if (!get_integer(from, "seed", 0, INT64_MAX, &seed, error)) return false;
  plan->seed = (uint64_t)seed;
  if (!json_is_null(json_object_get(from, "cases")) && !get_count(from, "cases", &plan->cases, error)) return false;
  if (!json_is_null(json_object_get(from, "seconds")) && !get_number(from, "seconds", &plan->seconds, error)) return false;
  return get_text(from, "only", plan->only, sizeof plan->only, error) &&
         get_integer(from, "shards", 1, RPP_REPORT_SHARDS, &plan->shards, error);
}

static bool read_present(const json_t *from, rpp_report *report, rpp_message *error) {
  size_t i;
  const json_t *shard;
  if (json_array_size(from) == 0) return wrong("present", "the shards that are in the report", error);
  report->present[0] = false;
  json_array_foreach(from, i, shard) {
    const int64_t number = json_integer_value(shard);
    if (number < 1 || number > report->plan.shards || report->present[number - 1])
      return wrong("present", "shards, each once", error);
    report->present[number - 1] = true;
  }
  return true;
}

static bool read_report(const json_t *from, rpp_report *report, rpp_message *error) {
  const json_t *kernels = json_object_get(from, "kernels"), *campaign = json_object_get(from, "campaign");
  const char *program = json_string_value(json_object_get(from, "program")),
             *version = json_string_value(json_object_get(from, "version"));
  rpp_report_plan plan;
  int64_t signal;
  if (program == NULL || strcmp(program, "ropepp-verify") != 0 || version == NULL) return wrong("program", "ropepp-verify", error);
  if (strcmp(version, RPP_VERSION) != 0) return wrong("version", "that of this program, " RPP_VERSION, error);
  if (!json_is_array(kernels) || json_array_size(kernels) > 4096) return wrong("kernels", "an array of kernels", error);
  if (!read_plan(campaign, &plan, error) || !get_integer(from, "interrupted", 0, 127, &signal, error)) return false;
  if (!rpp_report_make(report, &plan, 0, (int)json_array_size(kernels))) return rpp_message_set(error, "memory is out");
  report->interrupted = (int)signal;
  bool good = read_present(json_object_get(campaign, "present"), report, error) &&
              get_number(json_object_get(from, "time"), "seconds", &report->elapsed_s, error);
  for (int k = 0; good && k < report->kernel_count; k++)
    good = read_kernel(json_array_get(kernels, (size_t)k), &report->kernels[k], error);
  if (!good) rpp_report_free(report);
  return good;
}

bool rpp_report_read(const char *path, rpp_report *report, rpp_message *error) {
  json_error_t where;
  FILE *file = fopen(path, "r");
  if (file == NULL) return rpp_message_set(error, "%s", strerror(errno));
  json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
  const int failed = ferror(file) ? errno : 0; /* of a folder */
  fclose(file);
  if (failed != 0) {
    json_decref(root);
    return rpp_message_set(error, "%s", strerror(failed));
  }
  if (root == NULL) return rpp_message_set(error, "line %d: %s", where.line, where.text);
  const bool good = read_report(root, report, error);
  json_decref(root);
  return good;
}
