/* test_last_words.c: which line of what a process said tells why it ended. */
#include "base/last_words.h"

#include <stdio.h>

#include "support.h"

static const char *words_of(const char *said, int lines) {
  static rpp_message words;
  char text[2048];
  snprintf(text, sizeof text, "%s", said);
  rpp_last_words(text, lines, &words);
  return words.text;
}

START_TEST(the_last_lines) {
  ck_assert_str_eq(words_of("", 3), "");
  ck_assert_str_eq(words_of("\n\n", 3), "");
  ck_assert_str_eq(words_of("12\n-- 3\n", 3), "");
  ck_assert_str_eq(words_of("one", 1), "one");
  ck_assert_str_eq(words_of("one\ntwo\n", 1), "two");
  ck_assert_str_eq(words_of("one\n  two\n\n^^^^\n", 1), "two");
  ck_assert_str_eq(words_of("one\n\ttwo\n\n^^^^\nthree\n", 2), "two | three");
  ck_assert_str_eq(words_of("one\ntwo\nthree\n", 5), "one | two | three");
}
END_TEST

START_TEST(a_sanitizer_is_heard_first) {
  ck_assert_str_eq(words_of("one\n==123==ERROR: AddressSanitizer: SEGV on 0x12ab (pid=77)\nshadow bytes\n", 3),
                   "ERROR: AddressSanitizer: SEGV on 0x (pid=)");
  ck_assert_str_eq(words_of("a.c:3: runtime error: division by zero\nand more\n", 1), "a.c:3: runtime error: division by zero");
}
END_TEST

/* The last line is whole, if need be without those before it. */
START_TEST(a_long_text_keeps_its_end) {
  char text[1024], last[201];
  memset(last, 'y', sizeof last - 1);
  last[sizeof last - 1] = '\0';
  snprintf(text, sizeof text, "%0100d and x\n%s\n", 0, last);
  ck_assert_str_eq(words_of(text, 3), last);
  snprintf(text, sizeof text, "x\n%s\n", last);
  ck_assert_str_eq(words_of(text, 3) + 4, last);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("last_words");
  TCase *tests = tcase_create("last_words");
  tcase_add_test(tests, the_last_lines);
  tcase_add_test(tests, a_sanitizer_is_heard_first);
  tcase_add_test(tests, a_long_text_keeps_its_end);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
