/* swept.c, swept_json.c: ranges are those of the cases, halves add up to the whole, JSON reads back, and other JSON is refused. */
#define _GNU_SOURCE
#include "reports/swept.h"

#include <jansson.h>
#include <stdlib.h>

#include "cases/spec_keys.h"
#include "support.h"

static rpp_spec draw(uint64_t index) {
  const rpp_spec base = rpp_spec_default(RPP_MODE_EC);
  return rpp_spec_draw(11, index, &base, (const char *const[]){NULL});
}

static ptrdiff_t key(const char *name) {
  return rpp_spec_key_find(name) - rpp_spec_keys;
}

static char *text_of(const rpp_swept *swept) {
  char *text;
  size_t size;
  FILE *stream = open_memstream(&text, &size);
  rpp_swept_text(swept, "  > ", stream);
  fclose(stream);
  return text;
}

START_TEST(ranges_are_those_of_the_cases) {
  rpp_swept swept = {0};
  int64_t least_h = INT64_MAX, most_lk = INT64_MIN, rows = 0, placed = 0;
  unsigned dtypes = 0, masks = 0, scalings = 0, inputs = 0, modes = 0;
  for (uint64_t i = 0; i < 60; i++) {
    const rpp_spec s = draw(i);
    rpp_swept_add(&swept, &s);
    if (s.attention.heads < least_h) least_h = s.attention.heads;
    if (s.k_len > most_lk) most_lk = s.k_len;
    if (s.rows > rows) rows = s.rows;
    dtypes |= 1u << s.dtype, masks |= 1u << s.attention.mask, scalings |= 1u << s.attention.rotary.scaling.kind;
    inputs |= 1u << rpp_inputs_of(&s.attention), modes |= 1u << s.attention.mode;
    placed += !s.attention.q_rotated && s.q_len + s.k_len > 0;
    ck_assert_int_eq(swept.cases, (int64_t)i + 1);
    ck_assert(swept.least[key("h")] == least_h && swept.most[key("lk")] == most_lk && swept.most[key("rows")] == rows);
    ck_assert(swept.seen[key("dtype")] == dtypes && swept.seen[key("mask")] == masks && swept.seen[key("inputs")] == inputs);
    ck_assert(swept.seen[key("scaling")] == scalings && swept.modes == modes && swept.placed == placed);
  }
  ck_assert(placed > 20 && placed < 60);
}
END_TEST

static void same(const rpp_swept *a, const rpp_swept *b) {
  json_t *x = rpp_swept_json(a), *y = rpp_swept_json(b);
  ck_assert(json_equal(x, y) && json_object_size(x) > 20);
  json_decref(x);
  json_decref(y);
}

START_TEST(halves_add_up) {
  for (int parts = 1; parts < 5; parts++) {
    rpp_swept whole = {0}, part[5] = {0}, sum = {0};
    for (uint64_t i = 0; i < 40; i++) {
      const rpp_spec s = draw(i);
      rpp_swept_add(&whole, &s);
      rpp_swept_add(&part[i % (uint64_t)parts], &s);
    }
    for (int p = 4; p >= 0; p--) rpp_swept_merge(&sum, &part[p]); /* empty ones, too */
    same(&whole, &sum);
    sum.most[key("lk")]++;
    json_t *x = rpp_swept_json(&whole), *y = rpp_swept_json(&sum);
    ck_assert(!json_equal(x, y));
    json_decref(x);
    json_decref(y);
  }
}
END_TEST

START_TEST(json_reads_back) {
  rpp_swept swept = {0}, again;
  rpp_message error;
  json_t *json = rpp_swept_json(&swept);
  ck_assert(json_is_null(json) && rpp_swept_read(json, &again, &error) && again.cases == 0);
  json_decref(json);
  for (uint64_t i = 0; i < 10; i++) {
    const rpp_spec s = draw(i);
    rpp_swept_add(&swept, &s);
  }
  json = rpp_swept_json(&swept);
  ck_assert_msg(rpp_swept_read(json, &again, &error), "%s", error.text);
  same(&swept, &again);
  json_decref(json);
}
END_TEST

START_TEST(other_json_is_refused) {
  static const struct {
    const char *key, *value, *says;
  } known[] = {{"lq", "[1]", "swept: lq: must be two integers"},
               {"lq", "[2, 1]", "smaller one first"},
               {"h", "[1.5, 2]", "two integers"},
               {"h", "null", "two integers"},
               {"dtype", "[\"f8\"]", "dtype: must be known names"},
               {"dtype", "\"f32\"", "an array of names"},
               {"mode", "[1]", "known names"},
               {"cases", "-1", "cases: must be a count"},
               {"placed", "\"1\"", "a count"},
               {"positions", "null", "two integers"}};
  rpp_swept swept = {0}, again;
  const rpp_spec s = rpp_spec_default(RPP_MODE_EC);
  rpp_message error;
  rpp_swept_add(&swept, &s);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    json_t *json = rpp_swept_json(&swept);
    json_object_set_new(json, known[i].key, json_loads(known[i].value, JSON_DECODE_ANY, NULL));
    ck_assert_msg(!rpp_swept_read(json, &again, &error), "%s = %s", known[i].key, known[i].value);
    ck_assert_msg(strstr(error.text, known[i].says) != NULL, "%s", error.text);
    json_decref(json);
  }
  ck_assert(!rpp_swept_read(NULL, &again, &error));
}
END_TEST

START_TEST(words) {
  rpp_swept swept = {0};
  rpp_spec s = rpp_spec_default(RPP_MODE_EC);
  char *text = text_of(&swept);
  ck_assert_str_eq(text, "");
  free(text);
  s.position = 1000;
  rpp_swept_add(&swept, &s);
  text = text_of(&swept);
  ck_assert_str_eq(text, "  > lq 16, lk 16, h 2, kv 2, b 1, d 64, dv 64, rotary 64, positions 1000 to 1015\n"
                         "  > mode ec; dtype f32; pairing interleaved; scaling none; angles exact; mask causal; inputs raw; layout "
                         "contiguous; family normal\n");
  free(text);
  s.k_len = 300, s.attention.mode = RPP_MODE_EH, s.dtype = RPP_BF16;
  for (int layout = 0; layout < RPP_LAYOUTS; layout++) s.layout = (rpp_layout)layout, rpp_swept_add(&swept, &s);
  for (int family = 0; family < 5; family++) s.family = (rpp_family)family, rpp_swept_add(&swept, &s);
  text = text_of(&swept);
  ck_assert_msg(strstr(text, "lk 16 to 300, h 2,") && strstr(text, "positions 1000 to 1299") &&
                    strstr(text, "mode ec, eh; dtype f32, bf16;"),
                "%s", text);
  ck_assert_msg(strstr(text, "; layout all 6; family 5 of 14\n"), "%s", text);
  free(text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("swept");
  TCase *tests = tcase_create("swept");
  tcase_add_test(tests, ranges_are_those_of_the_cases);
  tcase_add_test(tests, halves_add_up);
  tcase_add_test(tests, json_reads_back);
  tcase_add_test(tests, other_json_is_refused);
  tcase_add_test(tests, words);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
