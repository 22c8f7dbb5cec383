/* test_report.c: what the four formats say of one report, that JSON reads back, and that other files are refused. */
#define _GNU_SOURCE
#include "reports/report.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program/aside.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-report-XXXXXX", path[64];

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/report.json", folder);
}

static void teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

static rpp_verdict verdict_of(rpp_outcome outcome, const char *message) {
  rpp_verdict verdict = rpp_verdict_none();
  verdict.outcome = outcome;
  rpp_message_set(&verdict.message, "%s", message);
  return verdict;
}

static void add(rpp_report_kernel *kernel, int64_t index, rpp_verdict verdict) {
  rpp_spec spec = rpp_spec_default(RPP_MODE_EC);
  bool good;
  spec.seed = (uint64_t)index;
  spec.attention.rotary.scaling = (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = 32, .orig = 4096};
  rpp_report_failure *failure = rpp_report_add(kernel, index, &spec, &verdict, &good);
  ck_assert(good);
  if (failure != NULL) failure->spec.q_len = failure->spec.k_len = 1;
}

/* A kernel of each kind: clean, wrong, broken, never asked. */
static void make(rpp_report *report) {
  const rpp_report_plan plan = {.command = "fuzz", .seed = 7, .cases = 40, .shards = 1};
  ck_assert(rpp_report_make(report, &plan, 0, 4));
  report->elapsed_s = 1.5;
  rpp_report_kernel *k = report->kernels;
  strcpy(k[0].name, "clean");
  strcpy(k[1].name, "wrong # <it's> \"&\\");
  strcpy(k[2].name, "broken");
  strcpy(k[3].name, "idle");
  strcpy(k[0].contract, "f32,p=f32");
  for (int i = 0; i < 3; i++) {
    rpp_verdict pass = verdict_of(RPP_OUTCOME_PASS, "");
    pass.elements = 1000;
    pass.ratio[RPP_GATE_STRUCTURE] = 0;
    pass.ratio[RPP_GATE_ELEMENT] = 0.25 * i;
    add(&k[0], 4 * i, pass);
  }
  add(&k[0], 12, verdict_of(RPP_OUTCOME_UNSUPPORTED, "D = 7: must be < 5 & even"));

  rpp_verdict wrong = verdict_of(RPP_OUTCOME_MISMATCH, "");
  wrong.gate = RPP_GATE_ROW;
  wrong.elements = 10;
  wrong.ratio[RPP_GATE_ROW] = 2.5;
  wrong.worst = (rpp_worst){RPP_JUDGED_OUT, 1, 2, 3, 4, 0.5, 0.75, 0.1, 2.5};
  add(&k[1], 1, wrong);
  add(&k[1], 5, wrong);
  wrong.gate = RPP_GATE_STRUCTURE;
  wrong.ratio[RPP_GATE_STRUCTURE] = NAN;
  wrong.worst = (rpp_worst){RPP_JUDGED_LSE, 0, 1, 17, -1, -INFINITY, NAN, 0, NAN};
  add(&k[1], 9, wrong);
  rpp_message_set(&k[1].failures[0].explanation, "matches with pairing=half");
  strcpy(k[1].failures[0].file, "a b/wrong-3.safetensors");
  k[1].failures[1].reproduced = false;

  rpp_verdict dead = verdict_of(RPP_OUTCOME_CRASH, "free(): invalid pointer");
  dead.signal = 6;
  add(&k[2], 2, dead);
  dead = verdict_of(RPP_OUTCOME_EXIT, "ERROR: AddressSanitizer: <heap>");
  dead.exit_status = 1;
  add(&k[2], 6, dead);
  add(&k[2], 10, verdict_of(RPP_OUTCOME_OUTSIDE, "out: 2 bytes after it"));
  add(&k[2], 14, verdict_of(RPP_OUTCOME_HANG, "still running after 10 s"));
  k[2].skipped = 6;
}

static char *text_of(const rpp_report *report, rpp_format format) {
  char *text;
  size_t size;
  FILE *stream = open_memstream(&text, &size);
  rpp_report_print(report, format, stream);
  fclose(stream);
  return text;
}

static void holds(const char *text, const char *part) {
  ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text);
}

START_TEST(human) {
  rpp_report report;
  make(&report);
  char *text = text_of(&report, RPP_FORMAT_HUMAN);
  if (getenv("ROPEPP_SHOW") != NULL) fputs(text, stderr);
  holds(text, "  clean: 1 unsupported: D = 7: must be < 5 & even\n");
  holds(text, "  clean: contract f32,p=f32\n  clean: lq 16, lk 16, h 2, kv 2, b 1, d 64, dv 64, rotary 64, positions 0 to 15\n  "
              "clean: mode ec; ");
  holds(text, "FAIL: 3 of 3 cases, 3 mismatch\n");
  ck_assert_ptr_null(strstr(text, "broken: lq")); /* what was swept is said where it was passed */
  holds(
      text,
      "  mismatch, row gate\n    worst at out (b=1, h=2, t=3, d=4): expected 0x1p-1 (0.5), got 0x1.8p-1 (0.75), error/bound 2.5 ");
  holds(text, "    worst at lse (b=0, h=1, t=17): expected -inf (-inf), got nan (nan), error/bound nan");
  holds(text, "    case 1: ec:h=2,kv=2,lq=16,lk=16,d=64,scaling=(yarn:factor=32,orig=4096),seed=1\n");
  holds(text, "    shrunk: ec:h=2,kv=2,lq=1,lk=1,d=64,scaling=(yarn:factor=32,orig=4096),seed=1\n");
  holds(text, "    replay: ropepp-verify replay broken 'ec:h=2,kv=2,lq=1,lk=1,d=64,scaling=(yarn:factor=32,orig=4096),seed=2'\n");
  holds(text, "    replay: ropepp-verify replay 'wrong # <it'\\''s> \"&\\' 'ec:");
  holds(text, "    probably: matches with pairing=half\n");
  holds(text, "    not reproduced: ");
  holds(text, "  crash, SIGABRT: free(): invalid pointer\n");
  holds(text, "  exit, status 1: ERROR: AddressSanitizer: <heap>\n");
  holds(text, "  wrote outside: out: 2 bytes after it\n");
  holds(text, "1 crash, 1 exit, 1 hang; 6 more not run, since it hangs\n");
  holds(text, "idle: FAIL: no case was run\n");
  holds(text, "\n11 cases, 7 failures, 1.5 s, seed 7: FAIL\n");
  free(text);
  rpp_report_free(&report);
}
END_TEST

/* Each line of TAP is the version, the plan, a test point or a comment; and the points are numbered to the plan's end. */
START_TEST(tap) {
  rpp_report report;
  make(&report);
  char *text = text_of(&report, RPP_FORMAT_TAP), *rest = text, *line;
  if (getenv("ROPEPP_SHOW") != NULL) fputs(text, stderr);
  int points = 0, plan = 0, number, used;
  ck_assert_str_eq(strsep(&rest, "\n"), "TAP version 13");
  ck_assert_int_eq(sscanf(strsep(&rest, "\n"), "1..%d", &plan), 1);
  while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
    if (*line == '#') continue;
    const bool not_ok = strncmp(line, "not ", 4) == 0;
    ck_assert_msg(sscanf(line + 4 * not_ok, "ok %d - %n", &number, &used) == 1, "'%s'", line);
    ck_assert_int_eq(number, ++points);
    ck_assert_int_eq(not_ok, number != 1);
    ck_assert_ptr_null(strchr(line, '#'));
  }
  ck_assert(plan == 4 && points == 4);
  free(text);
  report.interrupted = 2;
  text = text_of(&report, RPP_FORMAT_TAP);
  holds(text, "not ok 1 - clean: 4 cases, 3 supported, 3000 elements, incomplete\n");
  free(text);
  rpp_report_free(&report);
}
END_TEST

START_TEST(junit) {
  rpp_report report;
  rpp_message error;
  make(&report);
  char *text = text_of(&report, RPP_FORMAT_JUNIT), command[128];
  holds(text, "tests=\"4\" failures=\"2\" errors=\"1\" time=\"1.500\"");
  holds(text, "name=\"wrong # &lt;it's&gt; &quot;&amp;\\\" assertions=\"30\">");
  holds(text, "<error message=\"4 of 4 cases, 1 wrote outside, 1 crash, 1 exit, 1 hang; ");
  if (getenv("ROPEPP_SHOW") != NULL) fputs(text, stderr);
  int depth = 0; /* every element is closed */
  for (const char *c = text; (c = strchr(c, '<')) != NULL; c++) depth += c[1] == '/' ? -1 : c[1] != '?';
  ck_assert_int_eq(depth, 0);
  if (system("xmllint --version >/dev/null 2>&1") == 0) {
    ck_assert(rpp_report_save(&report, folder, &error));
    snprintf(command, sizeof command, "xmllint --noout %s/report.xml", folder);
    ck_assert_int_eq(system(command), 0);
  }
  free(text);
  rpp_report_free(&report);
}
END_TEST

START_TEST(json) {
  rpp_report report;
  make(&report);
  char *text = text_of(&report, RPP_FORMAT_JSON);
  if (getenv("ROPEPP_SHOW") != NULL) fputs(text, stderr);
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *kernels = json_object_get(root, "kernels"),
         *k = json_array_get(kernels, 1), *f = json_array_get(json_object_get(k, "failures"), 0),
         *shrunk = json_object_get(f, "shrunk");
  ck_assert(json_is_false(json_object_get(root, "pass")) && json_is_true(json_object_get(root, "complete")));
  ck_assert_uint_eq(json_array_size(kernels), 4);
  ck_assert_int_eq(json_integer_value(json_object_get(k, "failed")), 3);
  ck_assert_uint_eq(json_array_size(json_object_get(k, "failures")), 2);
  ck_assert_str_eq(json_string_value(json_object_get(f, "gate")), "row");
  ck_assert_str_eq(json_string_value(json_object_get(f, "explanation")), "matches with pairing=half");
  ck_assert_str_eq(json_string_value(json_object_get(f, "file")), "a b/wrong-3.safetensors");
  ck_assert(json_is_null(json_object_get(json_array_get(json_object_get(k, "failures"), 1), "file")));
  ck_assert_double_eq(json_number_value(json_object_get(json_object_get(shrunk, "worst"), "got")), 0.75);
  ck_assert_str_eq(json_string_value(json_object_get(json_object_get(json_object_get(k, "gates"), "structure"), "worst")), "nan");
  ck_assert(json_is_null(json_object_get(json_object_get(k, "gates"), "tensor")));
  json_decref(root);
  free(text);
  rpp_report_free(&report);
}
END_TEST

START_TEST(json_reads_back) {
  rpp_report report, again;
  rpp_message error;
  make(&report);
  report.interrupted = 15;
  ck_assert_msg(rpp_report_save(&report, folder, &error), "%s", error.text);
  ck_assert_msg(rpp_report_read(path, &again, &error), "%s", error.text);
  char *a = text_of(&report, RPP_FORMAT_JSON), *b = text_of(&again, RPP_FORMAT_JSON);
  ck_assert_str_eq(a, b);
  free(a);
  free(b);
  a = text_of(&report, RPP_FORMAT_HUMAN);
  b = text_of(&again, RPP_FORMAT_HUMAN);
  ck_assert_str_eq(a, b);
  free(a);
  free(b);
  rpp_report_free(&report);
  rpp_report_free(&again);
}
END_TEST

static void write_text(const char *text) {
  FILE *file = fopen(path, "w");
  fputs(text, file);
  fclose(file);
}

/* Each value in turn becomes one that its place does not take, or goes away: refused, or read without harm. */
static int spoil(json_t *root, json_t *node) {
  json_t *junk[] = {NULL, json_integer(-5), json_string("no"), json_array(), json_integer(INT64_MAX), json_true()};
  int refused = 0;
  const char *key;
  json_t *value;
  void *iterator = json_object_iter(node);
  size_t index;
  json_array_foreach(node, index, value) refused += spoil(root, value);
  for (; iterator != NULL; iterator = json_object_iter_next(node, iterator)) {
    key = json_object_iter_key(iterator);
    value = json_incref(json_object_iter_value(iterator));
    refused += spoil(root, value);
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
      rpp_report report;
      rpp_message error;
      if (junk[i] == NULL)
        json_object_iter_set_new(node, iterator, json_null());
      else
        json_object_iter_set(node, iterator, junk[i]);
      char *text = json_dumps(root, 0);
      write_text(text);
      free(text);
      if (rpp_report_read(path, &report, &error))
        rpp_report_free(&report);
      else
        refused++;
    }
    json_object_set(node, key, value);
    iterator = json_object_iter_at(node, key);
    json_decref(value);
  }
  for (size_t i = 1; i < sizeof junk / sizeof *junk; i++) json_decref(junk[i]);
  return refused;
}

START_TEST(other_files_are_refused) {
  static const char *const texts[] = {
      "", "[]", "{}", "null", "{\"program\": \"other\"}", "{\"program\": \"ropepp-verify\", \"version\": \"0\"}"};
  rpp_report report;
  rpp_message error;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    write_text(texts[i]);
    ck_assert(!rpp_report_read(path, &report, &error));
  }
  ck_assert(!rpp_report_read(folder, &report, &error) && !rpp_report_read("/nonexistent", &report, &error));
  make(&report);
  char *text = text_of(&report, RPP_FORMAT_JSON);
  rpp_report_free(&report);
  json_t *root = json_loads(text, 0, NULL);
  ck_assert_int_gt(spoil(root, root), 300);
  for (size_t length = 0; length < strlen(text) - 2; length += 97) {
    char *cut = strndup(text, length);
    write_text(cut);
    free(cut);
    ck_assert(!rpp_report_read(path, &report, &error));
  }
  json_decref(root);
  free(text);
}
END_TEST

START_TEST(folders) {
  rpp_report report;
  rpp_message error;
  char deep[96], file[128];
  struct stat status;
  make(&report);
  snprintf(deep, sizeof deep, "%s/a/b", folder);
  ck_assert(rpp_folder_make(deep, &error) && rpp_folder_make(deep, &error));
  for (int i = 0; i < 2; i++) ck_assert(rpp_report_save(&report, deep, &error)); /* again, in its place */
  const char *const names[] = {"report.json", "report.tap", "report.xml"};
  for (int i = 0; i < 3; i++) {
    snprintf(file, sizeof file, "%s/%s", deep, names[i]);
    ck_assert(stat(file, &status) == 0 && status.st_size > 100);
  }
  write_text("a file");
  ck_assert(!rpp_folder_make(path, &error) && !rpp_report_save(&report, path, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "Not a directory"));
  snprintf(file, sizeof file, "%s/below", path);
  ck_assert(!rpp_folder_make(file, &error));
  ck_assert(!rpp_folder_make("/proc/nowhere", &error) && !rpp_folder_make("", &error));
  rpp_report_free(&report);
}
END_TEST

START_TEST(a_failing_disk_is_noticed) {
  rpp_report report;
  rpp_message error;
  make(&report);
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){64, 64}), 0);
  ck_assert(!rpp_report_save(&report, folder, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "File too large"));
  ck_assert_int_ne(access(path, F_OK), 0);
  rpp_report_free(&report);
}
END_TEST

START_TEST(statuses) {
  static const struct {
    rpp_outcome outcome;
    int status;
  } expected[] = {{RPP_OUTCOME_PASS, 0},      {RPP_OUTCOME_UNSUPPORTED, 1}, {RPP_OUTCOME_REFUSED, 1},   {RPP_OUTCOME_MISMATCH, 1},
                  {RPP_OUTCOME_UNWRITTEN, 1}, {RPP_OUTCOME_OUTSIDE, 3},     {RPP_OUTCOME_CRASH, 3},     {RPP_OUTCOME_EXIT, 3},
                  {RPP_OUTCOME_HANG, 3},      {RPP_OUTCOME_ERROR, 1},       {RPP_OUTCOME_BAD_ANSWER, 1}};
  ck_assert_uint_eq(sizeof expected / sizeof *expected, RPP_OUTCOMES);
  const rpp_report_plan plan = {.command = "fuzz", .shards = 1};
  for (int i = 0; i < RPP_OUTCOMES; i++) {
    rpp_report report;
    ck_assert(rpp_report_make(&report, &plan, 0, 1));
    ck_assert_int_eq(rpp_report_status(&report), 1);
    rpp_verdict verdict = verdict_of(expected[i].outcome, "");
    verdict.elements = 1;
    add(&report.kernels[0], 0, verdict);
    ck_assert_int_eq(rpp_report_status(&report), expected[i].status);
    verdict.elements = 0;
    report.kernels[0].elements = 0;
    ck_assert_int_ne(rpp_report_status(&report), 0);
    report.interrupted = 2;
    ck_assert_int_eq(rpp_report_status(&report), 130);
    rpp_report_free(&report);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("report");
  TCase *tests = tcase_create("report");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, human);
  tcase_add_test(tests, tap);
  tcase_add_test(tests, junit);
  tcase_add_test(tests, json);
  tcase_add_test(tests, json_reads_back);
  tcase_add_test(tests, other_files_are_refused);
  tcase_add_test(tests, folders);
  tcase_add_test(tests, a_failing_disk_is_noticed);
  tcase_add_test(tests, statuses);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
