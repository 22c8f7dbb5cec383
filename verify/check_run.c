#include "check_run.h"

#include <inttypes.h>
#include <string.h>

#include "base/json_number.h"
#include "base/json_text.h"
#include "judge/check_case.h"

enum { EXIT_PASS = 0, EXIT_MISMATCH = 1, EXIT_BAD = 2 };

typedef struct {
  int cases, bad; /* files judged, and files that could not be */
  int64_t tensors;
  bool pass;
} totals;

/* ---- Human -------------------------------------------------------------------------------------------------------------- */

/* The file's own name, without folders and extension: what tells two copies of a case apart. */
static void case_label(const char *path, rpp_message *label) {
  static const char extension[] = ".safetensors";
  const char *slash = strrchr(path, '/'), *base = slash == NULL || slash[1] == '\0' ? path : slash + 1;
  size_t length = strlen(base);
  const size_t tail = sizeof extension - 1;
  if (length > tail && strcmp(base + length - tail, extension) == 0) length -= tail;
  rpp_message_set(label, "%.*s", length < 200 ? (int)length : 200, base);
}

static void print_worst(const rpp_check_tensor *t, FILE *out) {
  fprintf(out, "  worst at (");
  for (int i = 0; i < t->ndim; i++) fprintf(out, "%s%c=%" PRId64, i == 0 ? "" : ", ", t->letters[i], t->index[i]);
  fprintf(out, "): expected %a (%.17g), got %a (%.17g), %.3g times the bound\n", t->expected, t->expected, t->got, t->got,
          t->deviation / t->bound);
}

static void print_case(const char *path, const rpp_check_result *r, bool first, FILE *out) {
  rpp_message label;
  case_label(path, &label);
  if (first) fprintf(out, "%-36s %-12s %9s %16s %7s\n", "case", "tensor", "elements", "worst deviation", "bound");
  for (int i = 0; i < r->count; i++) {
    const rpp_check_tensor *t = &r->tensor[i];
    fprintf(out, "%-36s %-12s %9" PRId64 " %16.2e %7.0e  %s\n", label.text, t->name, t->elements, t->deviation, t->bound,
            t->pass ? "ok" : "FAIL");
    if (!t->pass) print_worst(t, out);
  }
  if (r->elements == 0) fprintf(out, "%-36s FAIL: no element to judge\n", label.text);
}

static void print_verdict(const totals *sum, FILE *out) {
  if (sum->cases == 0) return; /* stderr has said why */
  fprintf(out, "%" PRId64 " tensor%s in %d case%s: %s", sum->tensors, sum->tensors == 1 ? "" : "s", sum->cases,
          sum->cases == 1 ? "" : "s", sum->pass && sum->bad == 0 ? "pass" : "FAIL");
  if (sum->bad > 0) fprintf(out, " (%d more file%s could not be judged)", sum->bad, sum->bad == 1 ? "" : "s");
  fputc('\n', out);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static json_t *json_tensor(const rpp_check_tensor *t) {
  json_t *worst = json_null();
  if (t->elements > 0) {
    json_t *index = json_array();
    for (int i = 0; i < t->ndim; i++) json_array_append_new(index, json_integer(t->index[i]));
    worst = json_pack("{s:o, s:o, s:o}", "index", index, "expected", rpp_json_number(t->expected), "got", rpp_json_number(t->got));
  }
  return json_pack("{s:s, s:I, s:o, s:o, s:b, s:o}", "name", t->name, "elements", (json_int_t)t->elements, "deviation",
                   rpp_json_number(t->deviation), "bound", rpp_json_number(t->bound), "pass", t->pass, "worst", worst);
}

static json_t *json_case(const char *path, const rpp_check_result *r) {
  json_t *tensors = json_array();
  for (int i = 0; i < r->count; i++) json_array_append_new(tensors, json_tensor(&r->tensor[i]));
  return json_pack("{s:o, s:s, s:b, s:o}", "file", rpp_json_text(path), "name", r->name.text, "pass", r->pass, "tensors", tensors);
}

static json_t *json_bad(const char *path, const rpp_message *error) {
  return json_pack("{s:o, s:b, s:s}", "file", rpp_json_text(path), "pass", 0, "error", error->text);
}

static void print_json(json_t *cases, const totals *sum, FILE *out) {
  json_t *report = json_pack("{s:O, s:b}", "cases", cases, "pass", sum->pass && sum->bad == 0);
  json_dumpf(report, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  fputc('\n', out);
  json_decref(report);
}

/* ---- The command -------------------------------------------------------------------------------------------------------- */

static void complain(const char *path, const rpp_message *error) {
  /* Apart from what a terminal would obey, the user's own path is shown as it is. */
  fputs("ropepp-verify: check: ", stderr);
  for (; *path != '\0'; path++) fputc((unsigned char)*path < ' ' || *path == 0x7f ? '?' : *path, stderr);
  fprintf(stderr, ": %s\n", error->text);
}

int rpp_check_run(int count, char *const *paths, rpp_format format, FILE *out) {
  totals sum = {.pass = true};
  if (count == 0) {
    fputs("ropepp-verify: check: no case file given\n", stderr);
    return EXIT_BAD;
  }
  json_t *cases = json_array();
  for (int i = 0; i < count; i++) {
    rpp_check_result result;
    rpp_message error;
    if (rpp_check_path(paths[i], &result, &error)) {
      if (format == RPP_FORMAT_JSON)
        json_array_append_new(cases, json_case(paths[i], &result));
      else
        print_case(paths[i], &result, sum.cases == 0, out);
      sum.cases++;
      sum.tensors += result.count;
      sum.pass = sum.pass && result.pass;
    } else {
      fflush(out); /* so that a row and its file's complaint keep their order on a terminal */
      complain(paths[i], &error);
      if (format == RPP_FORMAT_JSON) json_array_append_new(cases, json_bad(paths[i], &error));
      sum.bad++;
    }
  }
  if (format == RPP_FORMAT_JSON)
    print_json(cases, &sum, out);
  else
    print_verdict(&sum, out);
  json_decref(cases);
  return sum.bad > 0 ? EXIT_BAD : sum.pass ? EXIT_PASS : EXIT_MISMATCH;
}
