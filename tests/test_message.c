/* message.c: one printable line, whatever goes in. */
#include "program/message.h"

#include <string.h>

#include "support.h"

START_TEST(returns_false_and_formats) {
  rpp_message m;
  ck_assert(!rpp_message_set(&m, "%s = %d: must be even", "rotary", 3));
  ck_assert_str_eq(m.text, "rotary = 3: must be even");
}
END_TEST

START_TEST(bytes_that_are_not_printable_ascii_become_question_marks) {
  for (int byte = 1; byte < 256; byte++) {
    rpp_message m;
    const char text[] = {(char)byte, '\0'};
    rpp_message_set(&m, "a%sb", text);
    ck_assert_uint_eq(strlen(m.text), 3);
    ck_assert_int_eq(m.text[1], byte >= ' ' && byte <= '~' ? byte : '?');
  }
}
END_TEST

START_TEST(long_texts_are_cut_and_say_so) {
  char text[1000];
  for (size_t length = 0; length < sizeof text; length++) {
    rpp_message m;
    memset(text, 'x', length);
    text[length] = '\0';
    rpp_message_set(&m, "%s", text);
    if (length < sizeof m.text)
      ck_assert_str_eq(m.text, text);
    else
      ck_assert(strlen(m.text) == sizeof m.text - 1 && strcmp(m.text + sizeof m.text - 4, "...") == 0);
  }
}
END_TEST

START_TEST(a_message_may_be_part_of_its_successor) {
  rpp_message m;
  rpp_message_set(&m, "inner");
  rpp_message_set(&m, "outer: %s", m.text);
  ck_assert_str_eq(m.text, "outer: inner");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("message");
  TCase *tests = tcase_create("message");
  tcase_add_test(tests, returns_false_and_formats);
  tcase_add_test(tests, bytes_that_are_not_printable_ascii_become_question_marks);
  tcase_add_test(tests, long_texts_are_cut_and_say_so);
  tcase_add_test(tests, a_message_may_be_part_of_its_successor);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
