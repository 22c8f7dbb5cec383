/* test_judge.c: a kernel that is the truth itself, and what the judge says of it once it does one thing wrong. */
#include "judge/judge.h"
#include "fake_kernel.h"

#include <fenv.h>
#include <math.h>

#include "support.h"

static rpp_verdict judge_kernel(const rpp_kernel *kernel, const char *text) {
  rpp_spec spec;
  rpp_message error = {""};
  rpp_verdict v;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s: %s", text, error.text);
  fake_calls = (struct fake_calls){0};
  rpp_judge_case(kernel, &spec, &v);
  return v;
}

static rpp_verdict judge(fake_fault what, const char *text) {
  const rpp_kernel kernel = fake_kernel(&what);
  return judge_kernel(&kernel, text);
}

/* ---- What passes -------------------------------------------------------------------------------------------------------- */

START_TEST(a_right_kernel_passes) {
  static const char *const specs[] = {"rope:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=6",
                                      "ec:h=4,kv=2,b=2,lq=5,d=8",
                                      "eh:h=4,kv=2,lq=5,d=8",
                                      "ec:lq=6,d=8,layout=padded,pairing=half",
                                      "rope:lq=12,lk=6,d=8",
                                      "rope:lq=3,lk=0,d=8",
                                      "ec:lq=20,d=8,packed=4",
                                      "rope:lq=0,lk=4,d=8"};
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    const rpp_verdict v = judge(RIGHT, specs[i]);
    ck_assert_msg(v.outcome == RPP_OUTCOME_PASS, "%s: %d, %s", specs[i], (int)v.outcome, v.message.text);
    ck_assert(!rpp_verdict_fails(&v) && !(v.ratio[RPP_GATE_ELEMENT] > 1) && v.ratio[RPP_GATE_STRUCTURE] <= 0);
  }
}
END_TEST

/* Out, LSE, and q in both parts and k where the kernel rotates them for itself. */
START_TEST(every_element_is_judged) {
  const int64_t b = 2, l = 5, k_len = 9, heads = 4, kv = 2, d = 8, dv = 6;
  const char *const text = "ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=6";
  ck_assert_int_eq(judge(RIGHT, text).elements, b * l * 2 * heads * (dv + 1) + b * d * (2 * l * heads + k_len * kv));
  ck_assert_int_eq(fake_calls.rotations, 3);
  ck_assert_int_eq(judge(RIGHT, "ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=6,inputs=rotated").elements, b * l * 2 * heads * (dv + 1));
  ck_assert_int_eq(fake_calls.rotations, 0);
  ck_assert_int_eq(judge(RIGHT, "ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=6,inputs=rotated-k").elements,
                   b * l * 2 * heads * (dv + 1) + b * d * 2 * l * heads);
  ck_assert_int_eq(fake_calls.rotations, 2);
  ck_assert_int_eq(judge(RIGHT, "rope:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=6").elements,
                   b * l * heads * (dv + 1) + b * d * (l * heads + k_len * kv));
  ck_assert_int_eq(judge(RIGHT, "rope:h=1,lq=50,d=8,rows=7,inputs=rotated").elements, 7 * (64 + 1 - 56));
}
END_TEST

/* Twice when it promises the same bits, once when it does not or when twice costs too much. */
START_TEST(runs_as_often_as_promised) {
  const fake_fault flickers = FLICKERS;
  rpp_kernel kernel = fake_kernel(&flickers);
  judge(RIGHT, "rope:lq=6,d=8");
  ck_assert_int_eq(fake_calls.forwards, 2);
  ck_assert_ptr_nonnull(fake_calls.workspace);
  kernel.contract.deterministic = false;
  kernel.workspace = NULL;
  ck_assert_int_eq(judge_kernel(&kernel, "rope:lq=6,d=8").outcome, RPP_OUTCOME_PASS);
  ck_assert_int_eq(fake_calls.forwards, 1);
  ck_assert_ptr_null(fake_calls.workspace);
  judge(RIGHT, "rope:h=1,lq=400,d=16,seed=1");
  ck_assert_int_eq(fake_calls.forwards, 1);
  judge(RIGHT, "rope:h=1,lq=400,d=16,seed=4"); /* one of some */
  ck_assert_int_eq(fake_calls.forwards, 2);
}
END_TEST

START_TEST(rotation_in_place) {
  /* In place it leaves x as it was: no poison, and yet not rotated. */
  const rpp_verdict v = judge(ROTATES_NOTHING, "rope:lq=6,d=8,position=5,inplace=1");
  ck_assert_int_gt(fake_calls.in_place, 0);
  ck_assert(v.outcome == RPP_OUTCOME_MISMATCH && v.gate == RPP_GATE_ELEMENT && v.worst.tensor == RPP_JUDGED_ROTATED_Q);
  judge(RIGHT, "rope:lq=6,d=8");
  ck_assert_int_eq(fake_calls.in_place, 0);
}
END_TEST

/* ---- What is no answer -------------------------------------------------------------------------------------------------- */

/* The kernel does not run: what it does not take is not held against it. */
START_TEST(declined) {
  static const struct {
    fake_fault what;
    const char *spec, *message;
  } all[] = {{DECLINES, "rope:lq=6,d=8", "not today"},
             {WRITES_NOTHING, "rope:lq=6,d=8,dtype=bf16", "takes F32"},
             {WRITES_NOTHING, "rope:lq=6,d=8,angles=hf-f32", "its angles are exact"}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const rpp_verdict v = judge(all[i].what, all[i].spec);
    ck_assert_int_eq(v.outcome, RPP_OUTCOME_UNSUPPORTED);
    ck_assert_str_eq(v.message.text, all[i].message);
    ck_assert(!rpp_verdict_fails(&v) && v.elements == 0 && fake_calls.forwards == 0 && fake_calls.rotations == 0);
  }
}
END_TEST

START_TEST(refused) {
  rpp_verdict v = judge(REFUSES, "rope:lq=6,d=8");
  ck_assert(v.outcome == RPP_OUTCOME_REFUSED && rpp_verdict_fails(&v));
  ck_assert_str_eq(v.message.text, "it does not feel like it");
  v = judge(REFUSES_SILENTLY, "rope:lq=6,d=8");
  ck_assert_int_eq(v.outcome, RPP_OUTCOME_REFUSED);
  ck_assert_str_eq(v.message.text, "no reason given");
  v = judge(ROTATION_REFUSES, "rope:lq=6,d=8");
  ck_assert_int_eq(v.outcome, RPP_OUTCOME_REFUSED);
  ck_assert_str_eq(v.message.text, "no rotation today");
}
END_TEST

/* Asked for every case of EH, and of no other mode. */
START_TEST(odd_heads_of_eh_must_be_refused) {
  const rpp_verdict v = judge(SUPPORTS_ODD, "eh:h=4,kv=2,lq=5,d=8");
  ck_assert(v.outcome == RPP_OUTCOME_MISMATCH && v.gate == RPP_GATE_STRUCTURE && isinf(v.ratio[RPP_GATE_STRUCTURE]));
  ck_assert_ptr_nonnull(strstr(v.message.text, "3 heads"));
  ck_assert_int_eq(fake_calls.forwards, 0);
  ck_assert_int_eq(judge(SUPPORTS_ODD, "ec:h=4,kv=2,lq=5,d=8").outcome, RPP_OUTCOME_PASS);
}
END_TEST

/* ---- What is wrong ------------------------------------------------------------------------------------------------------ */

START_TEST(unwritten) {
  const rpp_verdict v = judge(WRITES_NOTHING, "rope:h=2,lq=3,d=8,rows=1"), w = judge(WRITES_NO_LSE, "ec:h=2,lq=3,d=8");
  ck_assert(v.outcome == RPP_OUTCOME_UNWRITTEN && v.gate == RPP_GATE_STRUCTURE && isinf(v.ratio[RPP_GATE_STRUCTURE]));
  ck_assert_str_eq(v.message.text, "out: 48 elements were never written"); /* rows that are not judged, too */
  ck_assert(v.worst.tensor == RPP_JUDGED_OUT && v.worst.t == 0 && v.worst.h == 0 && v.worst.d == 0);
  ck_assert(w.outcome == RPP_OUTCOME_UNWRITTEN && w.worst.tensor == RPP_JUDGED_LSE && w.worst.d == -1);
  ck_assert_str_eq(w.message.text, "lse: 12 elements were never written");
}
END_TEST

START_TEST(mismatches) {
  static const struct {
    fake_fault what;
    rpp_gate gate;
    rpp_judged_tensor tensor;
    int64_t b, h, t, d;
  } all[] = {
      {NAN_ELEMENT, RPP_GATE_STRUCTURE, RPP_JUDGED_OUT, 1, 3, 4, 5},
      {INFINITE_ELEMENT, RPP_GATE_STRUCTURE, RPP_JUDGED_OUT, 1, 3, 4, 5},
      {FLICKERS, RPP_GATE_STRUCTURE, RPP_JUDGED_OUT, 1, 3, 4, 5},
      {LSE_FLICKERS, RPP_GATE_STRUCTURE, RPP_JUDGED_LSE, 0, 0, 0, -1},
      {WRONG_ELEMENT, RPP_GATE_ELEMENT, RPP_JUDGED_OUT, 1, 3, 4, 5},
      {WRONG_LSE, RPP_GATE_ELEMENT, RPP_JUDGED_LSE, 1, 3, 4, -1},
      {ROTATES_Q_WRONG, RPP_GATE_ELEMENT, RPP_JUDGED_ROTATED_Q, 0, 0, 0, 0},
      {ROTATES_IMAGINARY_WRONG, RPP_GATE_ELEMENT, RPP_JUDGED_ROTATED_Q, 0, 0, 0, 0},
      {ROTATES_K_WRONG, RPP_GATE_ELEMENT, RPP_JUDGED_ROTATED_K, 0, 0, 0, 0},
      {ROTATES_NOTHING, RPP_GATE_STRUCTURE, RPP_JUDGED_ROTATED_Q, 0, 0, 0, 0},
  };
  const rpp_verdict v = judge(all[_i].what, "ec:h=2,b=2,lq=5,lk=9,d=8,dv=6");
  ck_assert_msg(v.outcome == RPP_OUTCOME_MISMATCH && v.gate == all[_i].gate, "%d: outcome %d, gate %d, %s", _i, (int)v.outcome,
                (int)v.gate, v.message.text);
  ck_assert_msg(v.worst.tensor == all[_i].tensor && v.worst.b == all[_i].b && v.worst.h == all[_i].h && v.worst.t == all[_i].t &&
                    v.worst.d == all[_i].d,
                "%d: tensor %d at (%d, %d, %d, %d)", _i, (int)v.worst.tensor, (int)v.worst.b, (int)v.worst.h, (int)v.worst.t,
                (int)v.worst.d);
  ck_assert(!(v.ratio[v.gate] <= 1) && rpp_verdict_fails(&v));
  ck_assert((all[_i].what != FLICKERS && all[_i].what != LSE_FLICKERS) || strstr(v.message.text, "two runs") != NULL);
}
END_TEST

/* What rotation writes has strides of its own, as everything has. */
START_TEST(rotation_has_strides) {
  ck_assert_int_eq(judge(RIGHT, "rope:h=2,lq=5,d=8,layout=padded").outcome, RPP_OUTCOME_PASS);
  ck_assert_int_eq(judge(RIGHT, "rope:h=2,lq=5,d=8,layout=sliced").outcome, RPP_OUTCOME_PASS);
  ck_assert_int_eq(judge(ROTATES_AS_CONTIGUOUS, "rope:h=2,lq=5,d=8").outcome, RPP_OUTCOME_PASS);
  ck_assert(rpp_outcome_severe(judge(ROTATES_AS_CONTIGUOUS, "rope:h=2,lq=5,d=8,layout=padded").outcome) ||
            judge(ROTATES_AS_CONTIGUOUS, "rope:h=2,lq=5,d=8,layout=padded").outcome == RPP_OUTCOME_MISMATCH);
}
END_TEST

/* The truth would be rounded as the kernel left it. */
START_TEST(arithmetic_is_left_as_it_was) {
  const fake_fault all[] = {LEAVES_ROUNDING, ROTATION_LEAVES_ROUNDING};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const rpp_verdict v = judge(all[i], "rope:h=2,lq=5,d=8");
    ck_assert(v.outcome == RPP_OUTCOME_MISMATCH && v.gate == RPP_GATE_STRUCTURE && isinf(v.ratio[RPP_GATE_STRUCTURE]));
    ck_assert_msg(strstr(v.message.text, "rounding in another direction") != NULL, "%s", v.message.text);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
  }
}
END_TEST

START_TEST(writes_outside) {
  static const struct {
    fake_fault what;
    const char *tensor;
  } all[] = {{PAST_OUT, "out"}, {BEFORE_LSE, "lse"}, {OVER_Q, "q"}, {PAST_WORKSPACE, "workspace"}, {ROTATES_OUTSIDE, ""}};
  const rpp_verdict v = judge(all[_i].what, "rope:h=2,lq=5,d=8");
  ck_assert_msg(v.outcome == RPP_OUTCOME_OUTSIDE && rpp_outcome_severe(v.outcome), "%d: %d", _i, (int)v.outcome);
  ck_assert_msg(strncmp(v.message.text, all[_i].tensor, strlen(all[_i].tensor)) == 0 && *v.message.text != '\0', "%s",
                v.message.text);
}
END_TEST

/* A kernel that may leave LSE out is judged by the rest: all of it, or none. */
START_TEST(lse_may_be_optional) {
  const fake_fault all[] = {RIGHT, WRITES_NO_LSE, WRITES_SOME_LSE, WRITES_NO_LSE, WRONG_ELEMENT};
  const rpp_outcome optional[] = {RPP_OUTCOME_PASS, RPP_OUTCOME_PASS, RPP_OUTCOME_UNWRITTEN, RPP_OUTCOME_PASS,
                                  RPP_OUTCOME_MISMATCH};
  rpp_spec spec;
  rpp_message error;
  ck_assert(rpp_spec_parse("ec:h=2,lq=5,d=8", &spec, &error));
  for (int i = 0; i < 5; i++) {
    rpp_kernel kernel = fake_kernel(&all[i]);
    rpp_verdict v;
    kernel.rotate = NULL;
    kernel.lse_optional = i != 3;
    rpp_judge_case(&kernel, &spec, &v);
    ck_assert_int_eq(v.outcome, i == 3 ? RPP_OUTCOME_UNWRITTEN : optional[i]);
    ck_assert_int_eq(v.without_lse, i == 1);
    if (i < 2) ck_assert_int_eq(v.elements, 5 * 4 * (8 + (i == 0)));
  }
}
END_TEST

START_TEST(what_only_forward_knows) {
  const struct {
    fake_fault what;
    rpp_outcome outcome;
  } all[] = {{DECLINES_LATE, RPP_OUTCOME_UNSUPPORTED}, {ANSWERS_BADLY, RPP_OUTCOME_BAD_ANSWER}, {IS_NOT_THERE, RPP_OUTCOME_ERROR}};
  for (int i = 0; i < 3; i++) {
    const rpp_verdict v = judge(all[i].what, "rope:h=2,lq=5,d=8");
    ck_assert_int_eq(v.outcome, all[i].outcome);
    ck_assert_str_eq(v.message.text, "so it goes");
    ck_assert(!rpp_outcome_severe(v.outcome));
  }
}
END_TEST

/* The truth refuses what no parser lets through: that is the verifier's failure, and no pass. */
START_TEST(what_cannot_be_judged_is_an_error) {
  const fake_fault right = RIGHT;
  const rpp_kernel kernel = fake_kernel(&right);
  rpp_spec spec = rpp_spec_default(RPP_MODE_ROPE);
  rpp_verdict v;
  spec.attention.scale = NAN;
  rpp_judge_case(&kernel, &spec, &v);
  ck_assert(rpp_verdict_fails(&v) && v.outcome != RPP_OUTCOME_MISMATCH && *v.message.text != '\0');
}
END_TEST

int main(void) {
  Suite *suite = suite_create("judge");
  TCase *tests = tcase_create("judge");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, a_right_kernel_passes);
  tcase_add_test(tests, every_element_is_judged);
  tcase_add_test(tests, runs_as_often_as_promised);
  tcase_add_test(tests, rotation_in_place);
  tcase_add_test(tests, declined);
  tcase_add_test(tests, refused);
  tcase_add_test(tests, odd_heads_of_eh_must_be_refused);
  tcase_add_test(tests, unwritten);
  tcase_add_loop_test(tests, mismatches, 0, 10);
  tcase_add_test(tests, rotation_has_strides);
  tcase_add_test(tests, arithmetic_is_left_as_it_was);
  tcase_add_loop_test(tests, writes_outside, 0, 5);
  tcase_add_test(tests, lse_may_be_optional);
  tcase_add_test(tests, what_only_forward_knows);
  tcase_add_test(tests, what_cannot_be_judged_is_an_error);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
