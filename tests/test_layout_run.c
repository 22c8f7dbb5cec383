/* layout_run.c, layout_figure.c: the command line, its data, its picture. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static char folder[] = "/tmp/ropepp-layout-XXXXXX";

static char *path_of(const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void save_config(const char *name, int heads, int kv_heads) {
  FILE *f = fopen(path_of(name), "w");
  ck_assert_ptr_nonnull(f);
  fprintf(f,
          "{\"hidden_size\": 64, \"head_dim\": 8, \"num_attention_heads\": %d, \"num_key_value_heads\": %d, "
          "\"intermediate_size\": 96, \"num_hidden_layers\": 3, \"vocab_size\": 100}",
          heads, kv_heads);
  ck_assert_int_eq(fclose(f), 0);
}

/* A whole file of at most 8 MiB as text; "" for one that is not there. */
static const char *text_of(const char *name) {
  static char text[1 << 23];
  FILE *f = fopen(path_of(name), "r");
  text[f != NULL ? fread(text, 1, sizeof text - 1, f) : 0] = '\0';
  if (f != NULL) fclose(f);
  return text;
}

static int count(const char *name, const char *part) {
  int found = 0;
  for (const char *c = strstr(text_of(name), part); c != NULL; c = strstr(c + strlen(part), part)) found++;
  return found;
}

static int run(const char *arguments) {
  char command[1024];
  snprintf(command, sizeof command, "cd %s; (\"$ROPEPP_ANALYSIS\" layout %s) >out 2>complaints", folder, arguments);
  const int status = system(command);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void set_up(void) {
  ck_assert_ptr_nonnull(getenv("ROPEPP_ANALYSIS"));
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void) {
  char command[96];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

START_TEST(text_data_and_picture) {
  ck_assert_int_eq(run("-o made"), 0);
  ck_assert_str_eq(text_of("complaints"), "");
  ck_assert_int_eq(count("out", "\n  kv3: q6 -> 6 re; q7 -> 7 re\n"), 1);
  ck_assert_int_eq(count("out", "\n  kv3: q6 -> 12 re, 13 im; q7 -> 14 re, 15 im\n"), 1);
  ck_assert_int_eq(count("out", "\n  kv1: q2 -> 4 re, 5 im; q3 -> 6 re, 7 im\n"), 2); /* EC, EH */
  ck_assert_int_eq(count("made/layout.csv", "\nmode,output_head,query_head,part,kv_head\n"), 1);
  ck_assert_int_eq(count("made/layout.csv", "\nrope,"), 8);
  ck_assert_int_eq(count("made/layout.csv", "\nec,"), 16);
  ck_assert_int_eq(count("made/layout.csv", "\neh,"), 8);
  ck_assert_int_eq(count("made/layout.csv", "\nec,15,7,imaginary,3\n"), 1);
  const char *wanted[] = {"</svg>", "RoPE++ EC", "RoPE++ EH", ">q7<", ">kv3<", ">15<", "Wo: 1024 × 2048"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    ck_assert_msg(count("made/layout.svg", wanted[i]) > 0, "%s", wanted[i]);
  ck_assert_int_eq(count("made/layout.svg", ">q7<"), 2); /* EH has four queries */
  ck_assert_int_eq(run("--mode eh --model 776m"), 0);
  ck_assert(count("out", "EH: ") == 1 && count("out", "RoPE: ") == 0 && count("out", "EC: ") == 0);
}
END_TEST

START_TEST(any_number_of_heads) {
  static const int shapes[][2] = {{1, 1}, {1024, 1}, {1024, 1024}, {7, 7}, {71, 1}, {64, 8}, {2, 2}, {60, 4}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    save_config("c.json", shapes[i][0], shapes[i][1]);
    ck_assert_msg(run("--config c.json -o made") == 0, "%s", text_of("complaints"));
    ck_assert_int_eq(count("made/layout.csv", "\nec,"), 2 * shapes[i][0]);
    ck_assert_int_eq(count("made/layout.svg", "</svg>"), 1);
    ck_assert_int_eq(count("made/layout.csv", "\neh,") > 0, shapes[i][0] % 2 == 0 && shapes[i][1] % 2 == 0);
    ck_assert_int_eq(count("out", "EH is not possible"), count("made/layout.csv", "\n# eh: not possible"));
  }
}
END_TEST

START_TEST(mistakes) {
  static const struct {
    const char *arguments, *named;
  } wrong[] = {{"--mode ed", "--mode = ed"},
               {"--model x", "--model = x"},
               {"--config mqa.json --mode eh", "kv_heads = 1"},
               {"--config many.json", "num_attention_heads = 1025"},
               {"--config no.json", "no.json"},
               {"stray", "stray"}};
  save_config("mqa.json", 4, 1);
  save_config("many.json", 1025, 1);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char arguments[160];
    snprintf(arguments, sizeof arguments, "%s -o made", wrong[i].arguments);
    ck_assert_msg(run(arguments) == 2, "%s", wrong[i].arguments);
    ck_assert_msg(count("complaints", "\n") == 1 && strstr(text_of("complaints"), wrong[i].named) != NULL, "%s",
                  text_of("complaints"));
    ck_assert_str_eq(text_of("out"), "");
    ck_assert_int_ne(access(path_of("made"), F_OK), 0);
  }
  ck_assert_int_eq(run("-o /proc/nowhere"), 2);
  ck_assert_int_eq(run(">/dev/full"), 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layout_run");
  TCase *tests = tcase_create("layout_run");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, text_data_and_picture);
  tcase_add_test(tests, any_number_of_heads);
  tcase_add_test(tests, mistakes);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
