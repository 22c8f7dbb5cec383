/* cost_run.c, cost_report.c, cost_figure.c, model_options.c: the command line, its data, and one line for each mistake. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static char folder[] = "/tmp/ropepp-cost-XXXXXX";

static char *path_of(const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void save(const char *name, const char *text) {
  FILE *f = fopen(path_of(name), "w");
  ck_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* A whole file of at most 64 KiB as text; "" for one that is not there. */
static const char *text_of(const char *name) {
  static char text[1 << 16];
  FILE *f = fopen(path_of(name), "r");
  text[f != NULL ? fread(text, 1, sizeof text - 1, f) : 0] = '\0';
  if (f != NULL) fclose(f);
  return text;
}

static int lines(const char *name) {
  int count = 0;
  for (const char *c = text_of(name); *c != '\0'; c++) count += *c == '\n';
  return count;
}

static int files(void) {
  char command[128];
  int count = -1;
  snprintf(command, sizeof command, "find %s -type f | wc -l", folder);
  FILE *f = popen(command, "r");
  ck_assert(f != NULL && fscanf(f, "%d", &count) == 1);
  pclose(f);
  return count;
}

/* The exit status; what it printed is in out and complaints. */
static int run(const char *arguments) {
  char command[1024];
  snprintf(command, sizeof command, "cd %s; (\"$ROPEPP_ANALYSIS\" cost %s) >out 2>complaints", folder, arguments);
  const int status = system(command);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define LEAST "\"intermediate_size\": 96, \"num_hidden_layers\": 3, \"vocab_size\": 100"

static void set_up(void) {
  ck_assert_ptr_nonnull(getenv("ROPEPP_ANALYSIS"));
  ck_assert_ptr_nonnull(mkdtemp(folder));
  save("good.json", "{\"hidden_size\": 64, \"num_attention_heads\": 4, \"num_key_value_heads\": 2, " LEAST "}");
  save("mqa.json", "{\"hidden_size\": 64, \"num_attention_heads\": 4, \"num_key_value_heads\": 1, " LEAST "}");
  save("tied.json", "{\"hidden_size\": 64, \"num_attention_heads\": 4, \"tie_word_embeddings\": true, " LEAST "}");
  save("window.json", "{\"hidden_size\": 64, \"num_attention_heads\": 4, \"sliding_window\": 4096, " LEAST "}");
  save("short.json", "{\"hidden_size\": 64");
  save("heads.json", "{\"hidden_size\": 64, \"num_attention_heads\": 4, \"num_key_value_heads\": 3, " LEAST "}");
  save("experts.json", "{\"hidden_size\": 64, \"num_attention_heads\": 4, \"num_local_experts\": 8, " LEAST "}");
  save("huge.json",
       "{\"hidden_size\": 2147483647, \"num_attention_heads\": 2, \"head_dim\": 64, \"intermediate_size\": 2147483647, "
       "\"num_hidden_layers\": 2147483647, \"vocab_size\": 100}");
}

static void tear_down(void) {
  char command[96];
  snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
  ck_assert_int_eq(system(command), 0);
}

/* The field of a column by name, in the row of a mode and a context, of the CSV in a file. */
static double field(const char *name, const char *mode, long context, const char *column) {
  char text[1 << 16], start[64], *rest = NULL, *at = NULL;
  int index = 0, found = -1;
  strcpy(text, text_of(name));
  char *header = strstr(text, "\nmode,context,");
  ck_assert_ptr_nonnull(header);
  snprintf(start, sizeof start, "\n%s,%ld,", mode, context);
  char *row = strstr(header + 1, start);
  ck_assert_msg(row != NULL, "%s: no row", start);
  *strchr(header + 1, '\n') = '\0';
  for (char *c = strtok_r(header + 1, ",", &rest); c != NULL; c = strtok_r(NULL, ",", &rest), index++)
    if (strcmp(c, column) == 0) found = index;
  ck_assert_msg(found >= 0, "%s: no column", column);
  at = row + 1;
  for (; found > 0; found--) at = strchr(at, ',') + 1;
  return strtod(at, NULL);
}

START_TEST(data_on_standard_output) {
  ck_assert_int_eq(run(""), 0);
  ck_assert_int_eq(lines("complaints"), 0);
  ck_assert_int_eq(strncmp(text_of("out"), "# ropepp-analysis cost --model=376m --batch=8", 45), 0);
  ck_assert_double_eq(field("out", "rope", 2048, "parameters"), 375914496);
  ck_assert_double_eq(field("out", "ec", 2048, "wo"), 2 * field("out", "rope", 2048, "wo"));
  ck_assert_double_eq(field("out", "eh", 32768, "kv_token_bytes"), 8192);
  ck_assert_double_eq_tol(field("out", "ec", 32768, "ms"), 1.116, 5e-4);
  ck_assert_double_eq_tol(field("out", "ec-twice", 32768, "ms"), 2.115, 5e-4);
  const int rows = lines("out");
  ck_assert_int_eq(run("--max 4096"), 0);
  ck_assert_int_eq(rows - lines("out"), 3 * 4);
  ck_assert_int_eq(run("--dtype f32 --bandwidth 8.6e12 --batch 8 --min 32768"), 0); /* twice the bytes, twice the bandwidth */
  ck_assert_double_eq_tol(field("out", "eh", 32768, "ms"), 0.609, 5e-4);
  ck_assert_int_eq(run("--flops 1e9 --min 2048 --max 2048"), 0);
  ck_assert_double_eq(field("out", "rope", 2048, "ms"), field("out", "rope", 2048, "decode_flops") / 1e9 * 1e3);
}
END_TEST

START_TEST(files_and_tables) {
  ck_assert_int_eq(run("--model 776m -o made/here"), 0);
  ck_assert_int_eq(lines("complaints"), 0);
  const char *wanted[] = {"804519936", "36864", "1.380", "4.777", "EC, 2x"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) ck_assert_ptr_nonnull(strstr(text_of("out"), wanted[i]));
  ck_assert_double_eq_tol(field("made/here/cost.csv", "eh", 32768, "ms"), 1.380, 5e-4);
  ck_assert_ptr_nonnull(strstr(text_of("made/here/cost.svg"), "</svg>"));
  json_t *all = json_loads(text_of("made/here/cost.json"), 0, NULL);
  ck_assert_ptr_nonnull(all);
  const json_t *ec = json_object_get(all, "ec"), *contexts = json_object_get(ec, "contexts");
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(ec, "parameters"), "total")), 804519936);
  ck_assert_uint_eq(json_array_size(contexts), 5);
  ck_assert_double_eq_tol(json_number_value(json_object_get(json_array_get(contexts, 4), "ms")), 2.530, 5e-4);
  ck_assert_str_eq(json_string_value(json_object_get(json_array_get(contexts, 4), "bound")), "memory");
  json_decref(all);
}
END_TEST

START_TEST(configurations) {
  ck_assert_int_eq(run("--config good.json --min 16 --max 16 --batch 1"), 0);
  ck_assert_double_eq(field("out", "rope", 16, "wq"), 3 * 64 * 64);
  ck_assert_double_eq(field("out", "eh", 16, "wk"), 3 * 16 * 64);
  ck_assert_int_eq(run("--config tied.json --min 16 --max 16"), 0);
  ck_assert_double_eq(field("out", "rope", 16, "output_head"), 0);
  ck_assert_double_eq(field("out", "rope", 16, "step_weight_bytes"), 2 * field("out", "rope", 16, "parameters"));
  ck_assert_int_eq(run("--config mqa.json -o made"), 0); /* EH is not possible: no mistake */
  ck_assert_ptr_nonnull(strstr(text_of("out"), "EH is not possible: kv_heads = 1"));
  ck_assert_ptr_nonnull(strstr(text_of("made/cost.csv"), "\n# eh: not possible: kv_heads = 1"));
  ck_assert_ptr_null(strstr(text_of("made/cost.csv"), "\neh,"));
  ck_assert_ptr_nonnull(strstr(text_of("made/cost.json"), "\"reason\""));
  ck_assert_int_eq(run("--config window.json --max 4096"), 0);
}
END_TEST

START_TEST(every_mistake_is_one_line_and_leaves_nothing) {
  static const struct {
    const char *arguments, *named;
  } wrong[] = {{"--model 1b", "--model = 1b"},
               {"--model ''", "--model = "},
               {"--model 'a\nb'", "--model = a?b"},
               {"--config 'a\nb'", "a?b: cannot be read"},
               {"--model 376m --config good.json", "--config = good.json"},
               {"--config absent.json", "absent.json: cannot be read"},
               {"--config .", "cannot be read"},
               {"--config short.json", "short.json: not JSON"},
               {"--config heads.json", "num_attention_heads = 4"},
               {"--config experts.json", "num_local_experts = 8"},
               {"--config huge.json", "hidden_size = 2147483647"},
               {"--config window.json", "sliding_window = 4096"},
               {"--config /dev/zero", "16 MiB"},
               {"--batch 0", "--batch = 0"},
               {"--batch -8", "--batch = -8"},
               {"--batch 99999999999", "--batch = 99999999999"},
               {"--min 0", "--min = 0"},
               {"--max 1024", "--max = 1024"},
               {"--max -32768", "--max = -32768"},
               {"--bandwidth 0", "--bandwidth = 0"},
               {"--bandwidth fast", "--bandwidth = fast"},
               {"--bandwidth inf", "--bandwidth = inf"},
               {"--flops -1", "--flops = -1"},
               {"--flops nan", "--flops = nan"},
               {"--dtype i64", "--dtype = i64"},
               {"--dtype fp8", "--dtype = fp8"},
               {"stray", "stray"}};
  const int before = files() + 2; /* out, complaints */
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char arguments[160];
    snprintf(arguments, sizeof arguments, "%s -o made", wrong[i].arguments);
    ck_assert_msg(run(arguments) == 2, "%s", wrong[i].arguments);
    ck_assert_msg(lines("complaints") == 1 && lines("out") == 0, "%s: %s", wrong[i].arguments, text_of("complaints"));
    ck_assert_msg(strstr(text_of("complaints"), wrong[i].named) != NULL, "%s: %s", wrong[i].arguments, text_of("complaints"));
    ck_assert_int_ne(access(path_of("made"), F_OK), 0);
    ck_assert_int_eq(files(), before);
  }
}
END_TEST

START_TEST(an_output_that_cannot_be_written) {
  ck_assert_int_eq(run("-o /proc/nowhere"), 2);
  ck_assert(lines("complaints") == 1 && lines("out") == 0);
  ck_assert_int_eq(run("-o good.json"), 2);
  ck_assert_int_eq(run(">/dev/full"), 2);
  ck_assert_int_eq(run("-o made"), 0);
  char *kept = strdup(text_of("made/cost.csv"));
  const int before = files();
  char command[256];
  snprintf(command, sizeof command, "rm %s/made/cost.svg && mkdir %s/made/cost.svg", folder,
           folder); /* stands in the picture's way */
  ck_assert_int_eq(system(command), 0);
  ck_assert_int_eq(run("-o made"), 2);
  ck_assert(lines("complaints") == 1 && lines("out") == 0 && strstr(text_of("complaints"), "cost.svg") != NULL);
  ck_assert_int_eq(files(), before - 1); /* nothing half-written lies beside them */
  ck_assert_str_eq(kept, text_of("made/cost.csv"));
  free(kept);
}
END_TEST

START_TEST(names_mean_nothing_to_gnuplot) {
  save("`touch pwned`$(x)\"';{a}.json", text_of("good.json"));
  ck_assert_int_eq(run("--config '`touch pwned`$(x)\"'\"'\"';{a}.json' -o made"), 0);
  ck_assert_ptr_nonnull(strstr(text_of("made/cost.svg"), "?touch?pwned???x?????a?.json"));
  ck_assert_int_ne(access(path_of("pwned"), F_OK), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cost_run");
  TCase *tests = tcase_create("cost_run");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, data_on_standard_output);
  tcase_add_test(tests, files_and_tables);
  tcase_add_test(tests, configurations);
  tcase_add_test(tests, every_mistake_is_one_line_and_leaves_nothing);
  tcase_add_test(tests, an_output_that_cannot_be_written);
  tcase_add_test(tests, names_mean_nothing_to_gnuplot);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
