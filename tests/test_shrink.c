/* shrink.c and shrink_moves.c: kernels that are predicates on a spec, each with one fault. */
#include "explain/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* What a case says: the gate that fails, or RPP_GATES when none does. */
typedef rpp_gate fault(const rpp_spec *spec);

typedef struct {
  fault *fails;
  rpp_outcome outcome; /* of a failure */
  int calls, stop_after;
  bool crashes_far;    /* in the sparse layout, whatever the outcome elsewhere */
  bool writes_between; /* where there is something between elements */
} fake;

static rpp_outcome outcome_of(const fake *f, const rpp_spec *spec) {
  if (f->writes_between && spec->layout != RPP_LAYOUT_CONTIGUOUS) return RPP_OUTCOME_OUTSIDE;
  return f->crashes_far && spec->layout == RPP_LAYOUT_SPARSE ? RPP_OUTCOME_CRASH : f->outcome;
}

static bool run(void *context, const rpp_spec *candidate, rpp_verdict *verdict) {
  fake *f = context;
  rpp_message error;
  char text[RPP_SPEC_TEXT];
  rpp_spec parsed;
  ck_assert_msg(rpp_spec_check(candidate, &error), "%s", error.text);
  rpp_spec_print(candidate, text);
  ck_assert_msg(rpp_spec_parse(text, &parsed, &error), "%s: %s", text, error.text);
  if (f->stop_after > 0 && f->calls == f->stop_after) return false;
  f->calls++;
  *verdict = rpp_verdict_none();
  verdict->gate = f->fails(candidate);
  verdict->outcome = verdict->gate == RPP_GATES ? RPP_OUTCOME_PASS : outcome_of(f, candidate);
  return true;
}

static int64_t projected(const rpp_spec *s) {
  return s->attention.mode == RPP_MODE_EH ? s->attention.heads / 2 : s->attention.heads;
}
static int64_t kv(const rpp_spec *s) {
  return s->attention.mode == RPP_MODE_EH ? s->attention.kv_heads / 2 : s->attention.kv_heads;
}
static rpp_gate element_if(bool fails) {
  return fails ? RPP_GATE_ELEMENT : RPP_GATES;
}

/* Shrinks text by a fault and returns the case left. */
static rpp_spec shrunk(const char *text, fault *fails, fake *f) {
  rpp_spec spec;
  rpp_message error;
  rpp_verdict verdict = rpp_verdict_none();
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  f->fails = fails;
  if (f->outcome == RPP_OUTCOME_PASS) f->outcome = RPP_OUTCOME_MISMATCH;
  verdict.gate = fails(&spec);
  verdict.outcome = outcome_of(f, &spec);
  ck_assert(verdict.gate != RPP_GATES);
  rpp_shrink(run, f, &spec, &verdict);
  ck_assert_int_le(f->calls, 400);
  ck_assert(fails(&spec) == verdict.gate);
  return spec;
}

static void becomes(const char *from, fault *fails, const char *expected) {
  fake f = {0};
  char text[RPP_SPEC_TEXT];
  const rpp_spec spec = shrunk(from, fails, &f);
  rpp_spec_print(&spec, text);
  ck_assert_str_eq(text, expected);
}

/* ---- Faults --------------------------------------------------------------------------------------------------------------- */

static rpp_gate always(const rpp_spec *s) {
  (void)s;
  return RPP_GATE_ELEMENT;
}
static rpp_gate in_gaps(const rpp_spec *s) {
  return element_if(s->layout != RPP_LAYOUT_CONTIGUOUS);
}
static rpp_gate corner(const rpp_spec *s) {
  return element_if(s->attention.mask != RPP_MASK_FULL && s->q_len != s->k_len && s->k_len > 1 && s->q_len > 0);
}
static rpp_gate tile(const rpp_spec *s) {
  return element_if(s->k_len > 64 && s->k_len % 64 != 0);
}
static rpp_gate seven_hundred(const rpp_spec *s) {
  return element_if(s->k_len >= 700);
}
static rpp_gate in_window(const rpp_spec *s) {
  return element_if(s->attention.mask == RPP_MASK_WINDOW && s->k_len > s->attention.window);
}
static rpp_gate magnitude(const rpp_spec *s) {
  return element_if(s->attention.rotary.scaling.kind == RPP_SCALING_YARN && s->k_len > 1);
}
static rpp_gate partial(const rpp_spec *s) {
  return element_if(s->attention.rotary.rotary_dim < s->head_dim);
}
static rpp_gate odd_part(const rpp_spec *s) {
  const int64_t width = s->attention.rotary.rotary_dim;
  return element_if(width < s->head_dim && width / 2 % 2 == 1 && width > 2 && s->attention.rotary.pairing == RPP_PAIRING_HALF);
}
static rpp_gate pairing(const rpp_spec *s) {
  return element_if(s->attention.rotary.pairing == RPP_PAIRING_HALF && s->attention.rotary.rotary_dim > 2 && s->k_len > 1);
}
static rpp_gate stacked(const rpp_spec *s) {
  return element_if(s->attention.mode != RPP_MODE_ROPE && projected(s) > 1 && s->k_len > 1);
}
static rpp_gate kv_map(const rpp_spec *s) {
  return element_if(kv(s) > 1 && s->k_len > 0);
}
static rpp_gate grouped(const rpp_spec *s) {
  return element_if(projected(s) > kv(s));
}
static rpp_gate batched(const rpp_spec *s) {
  return element_if(s->batch > 1 && s->batched_positions && s->k_len > 2);
}
static rpp_gate strided(const rpp_spec *s) {
  return element_if(s->layout == RPP_LAYOUT_PADDED && s->v_dim != s->head_dim);
}
static rpp_gate far_out(const rpp_spec *s) {
  return element_if(s->position + s->k_len > 4096);
}
static rpp_gate in_row(const rpp_spec *s) {
  return s->head_dim >= 32 && s->k_len >= 16 ? RPP_GATE_ROW : RPP_GATES;
}
static rpp_gate in_row_or_element(const rpp_spec *s) {
  return s->k_len >= 16 ? RPP_GATE_ROW : s->k_len >= 2 ? RPP_GATE_ELEMENT : s->k_len == 1 ? RPP_GATE_STRUCTURE : RPP_GATES;
}
static rpp_gate lucky_seed(const rpp_spec *s) {
  return element_if(s->k_len > 1 && (s->head_dim > 16 || s->seed == 3));
}

static rpp_gate far_apart(const rpp_spec *s) {
  return element_if(s->layout == RPP_LAYOUT_SPARSE && s->k_len > 1);
}

/* Fails for half of all specs: no direction to go in. */
static rpp_gate erratic(const rpp_spec *s) {
  char text[RPP_SPEC_TEXT];
  uint64_t state = 1;
  rpp_spec_print(s, text);
  for (const char *c = text; *c != '\0'; c++) state = support_random(&state) + (uint64_t)*c;
  return element_if(state % 2 == 0 || s->k_len > 100);
}

/* ---- Tests ---------------------------------------------------------------------------------------------------------------- */

static const char *const BIG =
    "ec:h=12,kv=4,b=3,lq=77,lk=300,d=96,dv=40,rotary=64,dtype=bf16,pairing=half,base=500000,"
    "scaling=(yarn:factor=32,orig=4096),mask=window:50,offset=200,scale=0.2,position=5000,reset=64,batched=1,"
    "layout=padded,family=drift,inplace=1,rows=20,seed=99";

START_TEST(what_fails_everywhere_becomes_the_smallest_case) {
  fake f = {0};
  const rpp_spec spec = shrunk(BIG, always, &f);
  ck_assert(spec.q_len + spec.k_len == 0 && spec.head_dim == 2 && projected(&spec) == 1 && spec.batch == 1);
  ck_assert(spec.dtype == RPP_BF16 && spec.attention.mode == RPP_MODE_EC && spec.seed == 99);
}
END_TEST

START_TEST(only_what_a_fault_needs_is_left) {
  becomes(BIG, corner, "ec:h=1,kv=1,lq=1,lk=2,d=2,dtype=bf16,seed=99");
  becomes(BIG, tile, "ec:h=1,kv=1,lq=0,lk=65,d=2,dtype=bf16,seed=99");
  becomes(BIG, in_window, "ec:h=1,kv=1,lq=0,lk=2,d=2,dtype=bf16,mask=window:1,seed=99");
  becomes("rope:h=2,kv=2,lq=7,lk=9,d=128,rotary=126,pairing=half", odd_part,
          "rope:h=1,kv=1,lq=0,lk=0,d=8,rotary=6,pairing=half,seed=0");
  becomes(BIG, partial, "ec:h=1,kv=1,lq=0,lk=0,d=4,rotary=2,dtype=bf16,seed=99");
  becomes(BIG, pairing, "ec:h=1,kv=1,lq=0,lk=2,d=4,dtype=bf16,pairing=half,seed=99");
  becomes(BIG, grouped, "ec:h=2,kv=1,lq=0,lk=0,d=2,dtype=bf16,seed=99");
  becomes(BIG, batched, "ec:h=1,kv=1,b=2,lq=0,lk=3,d=2,dtype=bf16,batched=1,seed=99");
  becomes(BIG, strided, "ec:h=1,kv=1,lq=0,lk=0,d=2,dv=1,dtype=bf16,layout=padded,seed=99");
  becomes(BIG, magnitude, "ec:h=1,kv=1,lq=0,lk=2,d=2,dtype=bf16,scaling=(yarn:factor=32,orig=4096),seed=99");
}
END_TEST

/* A crash in a gap is a wrong number elsewhere, and what needs the gap keeps it. */
START_TEST(elements_are_brought_together_first) {
  static const char far[] = "ec:h=4,kv=2,b=2,lq=9,lk=20,d=16,layout=sparse,seed=1";
  fake f = {.crashes_far = true};
  rpp_spec spec = shrunk(far, grouped, &f);
  ck_assert(spec.layout == RPP_LAYOUT_CONTIGUOUS && projected(&spec) == 2 && spec.k_len == 0);
  f = (fake){.crashes_far = true};
  spec = shrunk(far, far_apart, &f);
  ck_assert(spec.layout == RPP_LAYOUT_SPARSE && spec.k_len == 2 && spec.batch == 1 && projected(&spec) == 1 && spec.head_dim == 2);
}
END_TEST

/* What writes between elements may be a wrong number where nothing is between; where it is none, the layout stays. */
START_TEST(gaps_are_closed) {
  fake f = {.writes_between = true}, other = {.outcome = RPP_OUTCOME_OUTSIDE};
  ck_assert_int_eq(shrunk("rope:h=1,lq=4,lk=4,d=8,layout=fused", always, &f).layout, RPP_LAYOUT_CONTIGUOUS);
  ck_assert_int_eq(shrunk("rope:h=1,lq=4,lk=4,d=8,layout=padded", in_gaps, &other).layout, RPP_LAYOUT_PADDED);
}
END_TEST

START_TEST(lengths_and_positions_come_down_to_the_edge) {
  fake f = {0};
  ck_assert_int_eq(shrunk("rope:lq=4,lk=100000,rows=2", seven_hundred, &f).k_len, 700);
  f = (fake){0};
  const rpp_spec spec = shrunk("rope:lq=40,lk=40,position=900000", far_out, &f);
  ck_assert_int_eq(spec.position + spec.k_len, 4097);
}
END_TEST

START_TEST(faults_of_rope_plus_plus_become_small) {
  static fault *const faults[] = {stacked, kv_map, pairing, corner};
  int shrunk_cases = 0, calls = 0;
  for (uint64_t i = 0; i < 600; i++) {
    const rpp_spec drawn = rpp_spec_draw(5, i, NULL, NULL);
    char text[RPP_SPEC_TEXT];
    rpp_spec_print(&drawn, text);
    for (int k = 0; k < 4; k++) {
      fake f = {0};
      if (faults[k](&drawn) == RPP_GATES) continue;
      const rpp_spec s = shrunk(text, faults[k], &f);
      ck_assert_msg(projected(&s) <= 2 && s.k_len <= 4 && s.q_len <= 4 && s.attention.rotary.rotary_dim <= 4 && s.batch == 1, "%s",
                    text);
      shrunk_cases++;
      calls += f.calls;
    }
  }
  ck_assert_int_gt(shrunk_cases, 300);
  ck_assert_int_lt(calls, 30 * shrunk_cases);
}
END_TEST

START_TEST(other_seeds_are_tried_where_the_case_s_own_says_nothing) {
  becomes("eh:h=8,lq=30,lk=30,seed=7", lucky_seed, "eh:h=2,kv=2,lq=0,lk=2,d=2,seed=3");
}
END_TEST

START_TEST(a_gate_is_kept_or_gives_way_to_a_sharper_one) {
  fake f = {0};
  const rpp_spec row = shrunk("ec:h=4,lq=64,lk=64,d=128", in_row, &f);
  ck_assert(row.head_dim == 32 && row.k_len == 16);
  f = (fake){0};
  const rpp_spec element = shrunk("ec:h=4,lq=64,lk=64,d=128", in_row_or_element, &f);
  ck_assert_int_eq(element.k_len, 2);
}
END_TEST

START_TEST(it_ends_and_gives_the_same_case_each_time) {
  for (uint64_t i = 0; i < 60; i++) {
    rpp_spec drawn = rpp_spec_draw(11, i, NULL, NULL);
    char text[RPP_SPEC_TEXT], first[RPP_SPEC_TEXT], second[RPP_SPEC_TEXT];
    if (erratic(&drawn) == RPP_GATES) continue;
    rpp_spec_print(&drawn, text);
    fake f = {0}, g = {0};
    rpp_spec a = shrunk(text, erratic, &f), b = shrunk(text, erratic, &g);
    rpp_spec_print(&a, first);
    rpp_spec_print(&b, second);
    ck_assert_str_eq(first, second);
    ck_assert_int_eq(f.calls, g.calls);
  }
}
END_TEST

START_TEST(what_was_found_stays_when_the_runner_ends_it) {
  for (int stop = 1; stop < 30; stop++) {
    fake f = {.stop_after = stop};
    const rpp_spec spec = shrunk(BIG, kv_map, &f);
    ck_assert_int_le(f.calls, stop);
    ck_assert(kv_map(&spec) == RPP_GATE_ELEMENT);
  }
}
END_TEST

START_TEST(hangs_are_not_repeated_for_ever) {
  fake f = {.outcome = RPP_OUTCOME_HANG};
  const rpp_spec spec = shrunk(BIG, tile, &f);
  ck_assert_int_le(f.calls, 60);
  ck_assert(tile(&spec) == RPP_GATE_ELEMENT);
}
END_TEST

static rpp_gate nothing_else(const rpp_spec *s) {
  return element_if(s->attention.heads == 1 && s->q_len == 1 && s->k_len == 2 && s->head_dim == 2 && s->seed == 0 &&
                    s->dtype == RPP_F32);
}

START_TEST(false_where_nothing_simpler_fails) {
  rpp_spec spec;
  rpp_message error;
  fake f = {.fails = nothing_else, .outcome = RPP_OUTCOME_MISMATCH};
  rpp_verdict verdict = rpp_verdict_none();
  ck_assert(rpp_spec_parse("rope:h=1,lq=1,lk=2,d=2", &spec, &error));
  verdict.outcome = RPP_OUTCOME_MISMATCH, verdict.gate = RPP_GATE_ELEMENT;
  ck_assert(!rpp_shrink(run, &f, &spec, &verdict));
  ck_assert(nothing_else(&spec) == RPP_GATE_ELEMENT);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shrink");
  TCase *tests = tcase_create("shrink");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, what_fails_everywhere_becomes_the_smallest_case);
  tcase_add_test(tests, only_what_a_fault_needs_is_left);
  tcase_add_test(tests, elements_are_brought_together_first);
  tcase_add_test(tests, gaps_are_closed);
  tcase_add_test(tests, lengths_and_positions_come_down_to_the_edge);
  tcase_add_test(tests, faults_of_rope_plus_plus_become_small);
  tcase_add_test(tests, other_seeds_are_tried_where_the_case_s_own_says_nothing);
  tcase_add_test(tests, a_gate_is_kept_or_gives_way_to_a_sharper_one);
  tcase_add_test(tests, it_ends_and_gives_the_same_case_each_time);
  tcase_add_test(tests, what_was_found_stays_when_the_runner_ends_it);
  tcase_add_test(tests, hangs_are_not_repeated_for_ever);
  tcase_add_test(tests, false_where_nothing_simpler_fails);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
