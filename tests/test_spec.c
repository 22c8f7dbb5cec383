/* spec.c, spec_keys.c: specs parse and print, and what is not sound is refused by name. */
#include "cases/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cases/spec_keys.h"
#include "support.h"

static rpp_spec parsed(const char *text) {
  rpp_spec spec;
  rpp_message error;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s: %s", text, error.text);
  return spec;
}

START_TEST(the_example_of_the_help_means_what_it_says) {
  const rpp_spec s =
      parsed("ec:h=8,kv=4,d=128,lq=1,lk=4096,dtype=bf16,pairing=half,mask=causal,scaling=(yarn:factor=32,orig=4096),seed=7");
  ck_assert_int_eq(s.attention.mode, RPP_MODE_EC);
  ck_assert_int_eq(s.attention.heads, 8);
  ck_assert_int_eq(s.attention.kv_heads, 4);
  ck_assert_int_eq(s.head_dim, 128);
  ck_assert_int_eq(s.v_dim, 128);
  ck_assert_int_eq(s.attention.rotary.rotary_dim, 128);
  ck_assert_int_eq(s.q_len, 1);
  ck_assert_int_eq(s.k_len, 4096);
  ck_assert_int_eq(s.attention.causal_offset, 4095);
  ck_assert_int_eq(s.dtype, RPP_BF16);
  ck_assert_int_eq(s.attention.rotary.pairing, RPP_PAIRING_HALF);
  ck_assert_int_eq(s.attention.rotary.scaling.kind, RPP_SCALING_YARN);
  ck_assert_double_eq(s.attention.rotary.scaling.orig, 4096);
  ck_assert_double_eq(s.attention.scale, 1 / sqrt(128));
  ck_assert_uint_eq(s.seed, 7);
}
END_TEST

START_TEST(defaults_follow_from_each_other) {
  rpp_spec s = parsed("rope");
  ck_assert_int_eq(s.attention.heads, 2);
  ck_assert_int_eq(s.attention.kv_heads, 2);
  ck_assert_int_eq(s.k_len, s.q_len);
  s = parsed("eh:d=33,h=6,lq=5,lk=9");
  ck_assert_int_eq(s.attention.rotary.rotary_dim, 32);
  ck_assert_int_eq(s.attention.kv_heads, 6);
  ck_assert_int_eq(s.attention.causal_offset, 4);
  ck_assert_int_eq(parsed("ec:lq=5,lk=9,packed=2").attention.causal_offset, 0);
  ck_assert_int_eq(parsed("ec:lk=9,lq=5").k_len, 9);
  ck_assert(parsed("ec:inputs=rotated").attention.q_rotated && parsed("ec:inputs=rotated").attention.k_rotated);
}
END_TEST

static void check_same(const rpp_spec *a, const rpp_spec *b, const char *text) {
  const rpp_attention *x = &a->attention, *y = &b->attention;
  const rpp_rotary *r = &x->rotary, *q = &y->rotary;
  const bool same =
      x->mode == y->mode && x->heads == y->heads && x->kv_heads == y->kv_heads && x->mask == y->mask &&
      x->causal_offset == y->causal_offset && x->window == y->window && x->scale == y->scale && x->q_rotated == y->q_rotated &&
      x->k_rotated == y->k_rotated && r->pairing == q->pairing && r->rotary_dim == q->rotary_dim && r->base == q->base &&
      r->scaling.kind == q->scaling.kind && r->scaling.factor == q->scaling.factor && r->scaling.orig == q->scaling.orig &&
      r->scaling.low == q->scaling.low && r->scaling.high == q->scaling.high && r->angles == q->angles &&
      r->table_dtype == q->table_dtype && a->batch == b->batch && a->q_len == b->q_len && a->k_len == b->k_len &&
      a->head_dim == b->head_dim && a->v_dim == b->v_dim && a->dtype == b->dtype && a->position == b->position &&
      a->reset == b->reset && a->batched_positions == b->batched_positions && a->packed == b->packed && a->layout == b->layout &&
      a->family == b->family && a->in_place == b->in_place && a->rows == b->rows && a->seed == b->seed;
  ck_assert_msg(same, "%s", text);
}

START_TEST(printed_specs_parse_to_themselves) {
  char text[RPP_SPEC_TEXT], again[RPP_SPEC_TEXT];
  for (uint64_t n = 0; n < 100000; n++) {
    const rpp_spec spec = rpp_spec_draw(12, n, NULL, NULL);
    rpp_spec_print(&spec, text);
    const rpp_spec back = parsed(text);
    check_same(&spec, &back, text);
    rpp_spec_print(&back, again);
    ck_assert_str_eq(text, again);
  }
}
END_TEST

/* Every key at values as long as they get. */
START_TEST(the_longest_spec_fits) {
  static const char longest[] =
      "rope:h=1024,kv=1024,b=1,lq=2048,lk=2046,d=1024,dv=1023,rotary=1022,dtype=bf16,pairing=half,base=1234567.8901234567,"
      "scaling=(llama3:factor=1.2345678901234567,orig=123456789.12345679,low=0.00012345678901234567,high=1234.5678901234567),"
      "angles=hf-f32,packed=4096,mask=window:9223372036854775807,offset=-9223372036854775808,scale=-0.00012345678901234567,"
      "inputs=rotated,position=-10000000,reset=2147483647,batched=1,layout=head-major,family=large-logits,inplace=1,rows=2047,"
      "seed=18446744073709551615";
  char text[RPP_SPEC_TEXT];
  rpp_spec spec;
  rpp_message error;
  ck_assert(!rpp_spec_parse(longest, &spec, &error)); /* hf-f32 does not reach that reset; the length is what counts */
  ck_assert_msg(strstr(error.text, "position") != NULL, "%s", error.text);
  spec = parsed("ec:h=1024,kv=1024,mask=window:9223372036854775807,offset=-9223372036854775808,seed=18446744073709551615");
  rpp_spec_print(&spec, text);
  ck_assert_uint_lt(sizeof longest, RPP_SPEC_TEXT);
}
END_TEST

START_TEST(what_is_not_sound_is_named) {
  static const struct {
    const char *text, *key, *reason;
  } wrong[] = {
      {"", "mode", "must be one of"},
      {"ecc", "mode = ecc", "must be one of"},
      {"h=8", "h=8", "must start with"},
      {"EC:h=8", "mode = EC", "must be one of"},
      {"ec:h", "h", "key=value"},
      {"ec:h=", "h = ", "integer"},
      {"ec:=8", " = 8", "no such key"},
      {"ec:,", ",", "key=value"},
      {"ec:h=8,", "h = 8", "comma"},
      {"ec:h=8,,kv=4", ",kv=4", "key=value"},
      {"ec:h=8,h=8", "h = 8", "twice"},
      {"ec:heads=8", "heads = 8", "no such key"},
      {"ec: h=8", " h = 8", "no such key"},
      {"ec:averyveryverylongname=8", "averyveryverylongname", "no such key"},
      {"ec:h=8 ", "h = 8 ", "integer"},
      {"ec:h=0", "h = 0", "at least 1"},
      {"ec:h=1025", "h = 1025", "from 1 to 1024"},
      {"ec:h=99999999999999999999", "h = 9999", "64-bit"},
      {"ec:h=0x8", "h = 0x8", "integer"},
      {"ec:h=3,kv=2", "kv = 2", "must divide h = 3"},
      {"eh:h=3,kv=3", "h = 3", "even"},
      {"eh:h=6,kv=3", "kv = 3", "even"},
      {"ec:b=0", "b = 0", "at least 1"},
      {"ec:lq=-1", "lq = -1", "at least 0"},
      {"ec:lk=2147483648", "lk = 2147483648", "from 0"},
      {"ec:d=1", "d = 1", "at least 2"},
      {"ec:rotary=3", "rotary = 3", "even"},
      {"ec:d=8,rotary=10", "rotary = 10", "at most d = 8"},
      {"ec:dtype=F32", "dtype = F32", "must be one of"},
      {"ec:dtype=i64", "dtype = i64", "must be one of"},
      {"ec:base=1", "base = 1", "from"},
      {"ec:base=nan", "base = nan", "number"},
      {"ec:base=inf", "base = inf", "number"},
      {"ec:base=1e300", "base = 1e+300", "from"},
      {"ec:scaling=yarn:factor=32,orig=4096", "scaling = yarn:factor=32", "orig is missing"},
      {"ec:scaling=(yarn:factor=32,orig=4096", "scaling = (yarn", "not closed"},
      {"ec:scaling=(yarn:factor=32,orig=4096)x,seed=1", "scaling = (yarn", "junk"},
      {"ec:scaling=((none))", "scaling", "not closed"},
      {"ec:scaling=linear:factor=0.5", "scaling: factor = 0.5", "from"},
      {"ec:d=2,scaling=ntk-aware:factor=4", "scaling = ntk-aware", "rotary = 2"},
      {"ec:scaling=(llama3:factor=8,orig=8192,low=4,high=4)", "scaling: high = 4", "above low"},
      {"ec:mask=window:0", "window = 0", "at least 1"},
      {"ec:mask=window", "mask = window", "window:W"},
      {"ec:scale=1e7", "scale = 10000000", "from"},
      {"ec:batched=2", "batched = 2", "0 or 1"},
      {"ec:batched=true", "batched = true", "0 or 1"},
      {"ec:position=2000000000", "position = 2000000000", "from"},
      {"ec:position=16777216,angles=hf-f32", "position = 16777216", "hf-f32"},
      {"ec:rows=17,lq=16", "rows = 17", "at most lq = 16"},
      {"ec:seed=-1", "seed = -1", "2^64"},
      {"ec:seed=18446744073709551616", "seed = 18446744073709551616", "2^64"},
      {"ec:lq=2000000,lk=2,h=16,kv=1,d=128", "q or out", "2^31"},
      {"ec:lk=20000000,lq=2,h=1,d=128", "k or v", "2^31"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    rpp_spec spec = {.seed = 42};
    rpp_message error;
    ck_assert_msg(!rpp_spec_parse(wrong[i].text, &spec, &error), "%s", wrong[i].text);
    ck_assert_msg(strstr(error.text, wrong[i].key) && strstr(error.text, wrong[i].reason), "%s: %s", wrong[i].text, error.text);
    ck_assert_uint_eq(spec.seed, 42); /* left alone */
  }
}
END_TEST

/* Whatever the bytes, nothing is read past them and the message is one line. */
START_TEST(hostile_texts_do_no_harm) {
  static const char pieces[] = "ec:eh,rope=()hkvdlqmaskscaling:window0123456789-+.e\xff\n\x01 ,,==";
  uint64_t state = 5;
  int sound = 0;
  for (int n = 0; n < 200000; n++) {
    char text[64], *copy;
    const int length = (int)(support_random(&state) % sizeof text);
    for (int i = 0; i < length; i++) text[i] = pieces[support_random(&state) % (sizeof pieces - 1)];
    copy = malloc((size_t)length + 4);
    ck_assert_ptr_nonnull(copy);
    const int prefix = n % 2 == 0 ? 3 : 0;
    memcpy(copy, "ec:", 3);
    memcpy(copy + prefix, text, (size_t)length);
    copy[prefix + length] = '\0';
    rpp_spec spec;
    rpp_message error = {""};
    const char *keys[RPP_SPEC_KEYS];
    if (rpp_spec_parse(copy, &spec, &error))
      sound++;
    else
      ck_assert(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
    if (n % 16 == 0) (void)rpp_spec_parse_only(copy, &spec, keys, &error);
    free(copy);
  }
  ck_assert_int_gt(sound, 0);
  char *huge = malloc(1000001);
  rpp_spec spec;
  rpp_message error;
  memset(huge, 'a', 1000000);
  huge[1000000] = '\0';
  ck_assert(!rpp_spec_parse(huge, &spec, &error));
  memcpy(huge, "ec:base=", 8);
  ck_assert(!rpp_spec_parse(huge, &spec, &error));
  memset(huge + 8, '1', 1000000 - 8);
  ck_assert(!rpp_spec_parse(huge, &spec, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "too long"));
  free(huge);
}
END_TEST

START_TEST(check_judges_fields_that_no_text_could_give) {
  rpp_spec spec = rpp_spec_default(RPP_MODE_EC);
  rpp_message error;
  ck_assert(rpp_spec_check(&spec, &error));
  spec.family = RPP_FAMILIES;
  ck_assert(!rpp_spec_check(&spec, &error) && strstr(error.text, "family = 14"));
  spec = rpp_spec_default(RPP_MODE_EC);
  spec.attention.mode = (rpp_mode)9;
  ck_assert(!rpp_spec_check(&spec, &error) && strstr(error.text, "mode = 9"));
  spec = rpp_spec_default(RPP_MODE_EC);
  spec.attention.mask = RPP_MASK_WINDOW;
  ck_assert(!rpp_spec_check(&spec, &error) && strstr(error.text, "window:0"));
  spec = rpp_spec_default(RPP_MODE_EC);
  spec.attention.scale = NAN;
  ck_assert(!rpp_spec_check(&spec, &error) && strstr(error.text, "scale = nan"));
  spec = rpp_spec_default(RPP_MODE_EC);
  spec.dtype = RPP_I64;
  ck_assert(!rpp_spec_check(&spec, &error) && strstr(error.text, "dtype = 4"));
}
END_TEST

START_TEST(the_help_lists_every_key) {
  const char *help = rpp_spec_help();
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++) {
    char line[32];
    snprintf(line, sizeof line, "\n  %s ", key->name);
    ck_assert_msg(strstr(help, line) != NULL, "%s", key->name);
  }
  ck_assert_int_eq(help[strlen(help) - 1], '\n');
}
END_TEST

int main(void) {
  Suite *suite = suite_create("spec");
  TCase *tests = tcase_create("spec");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, the_example_of_the_help_means_what_it_says);
  tcase_add_test(tests, defaults_follow_from_each_other);
  tcase_add_test(tests, printed_specs_parse_to_themselves);
  tcase_add_test(tests, the_longest_spec_fits);
  tcase_add_test(tests, what_is_not_sound_is_named);
  tcase_add_test(tests, hostile_texts_do_no_harm);
  tcase_add_test(tests, check_judges_fields_that_no_text_could_give);
  tcase_add_test(tests, the_help_lists_every_key);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
