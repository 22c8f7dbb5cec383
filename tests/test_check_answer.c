/* test_check_answer.c: right answers pass, wrong ones fail with what is wrong in words: what the file is not, or what its numbers look
 * like. */
#include "check_answer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer_builder.h"
#include "base/scratch.h"
#include "case_builder.h"
#include "faulty_attention.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-check-answer-XXXXXX", problem[64], answer[64];
static answered a;

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(problem, sizeof problem, "%s/case", folder);
  snprintf(answer, sizeof answer, "%s/answer", folder);
}

static void teardown(void) {
  answer_free(&a);
  unlink(problem);
  unlink(answer);
  rmdir(folder);
}

static void answer_by(const char *spec, faulty fault, rpp_dtype dtype) {
  answer_make(&a, spec, faulty_kernel(fault, dtype), problem);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"lse", &a.data.lse}, {0}});
}

/* The line of the contract that the faulty kernels have, for a storage type. */
static const char *contract_of(rpp_dtype dtype) {
  static char text[RPP_CONTRACT_TEXT];
  rpp_contract_print(&faulty_kernel(FAULTY_NONE, dtype)->contract, text);
  return text;
}

static rpp_check_judged judge(const char *contract) {
  const rpp_check_asked asked = {.case_path = problem, .answer_path = answer, .contract = contract};
  rpp_check_judged judged;
  rpp_message error;
  ck_assert_msg(rpp_check_answer(&asked, &judged, &error), "%s", error.text);
  return judged;
}

/* What is said of an answer that cannot be judged; the path that it is said of. */
static const char *refused(const rpp_check_asked *asked, const char *bad) {
  static rpp_message error;
  rpp_check_judged judged;
  ck_assert_msg(!rpp_check_answer(asked, &judged, &error), "it is judged");
  ck_assert_msg(judged.bad == bad, "of %s: %s", judged.bad == NULL ? "nothing" : judged.bad, error.text);
  return error.text;
}

static void refused_answer(const char *contract, const char *expected) {
  const rpp_check_asked asked = {.case_path = problem, .answer_path = answer, .contract = contract};
  ck_assert_str_eq(refused(&asked, answer), expected);
}

static const char *const rights[] = {"rope:h=4,kv=2,lq=5,lk=9,d=8,seed=2",
                                     "ec:h=4,kv=2,lq=20,lk=20,d=32,pairing=half,seed=2",
                                     "eh:h=8,kv=4,b=2,lq=5,lk=9,d=8,rotary=4,scaling=(yarn:factor=32,orig=4096),seed=2",
                                     "ec:h=4,kv=2,lq=20,lk=20,d=8,packed=4,seed=2",
                                     "ec:h=4,kv=2,lq=9,lk=9,d=8,inputs=rotated,mask=window:3,seed=2",
                                     "rope:lq=5,lk=9,d=8,dv=3,inputs=rotated,mask=full,seed=2"};
enum { RIGHTS = sizeof rights / sizeof *rights };

START_TEST(right_answers_pass) {
  const rpp_dtype dtype = _i % 2 == 0 ? RPP_F32 : RPP_BF16;
  answer_by(rights[_i / 2], FAULTY_NONE, dtype);
  const rpp_check_judged j = judge(dtype == RPP_F32 ? NULL : contract_of(dtype));
  int64_t out = 0, lse = 0;
  rpp_tensor_extent(&a.data.out, &out, NULL);
  rpp_tensor_extent(&a.data.lse, &lse, NULL);
  ck_assert_msg(j.pass && j.lse && j.statistical, "%s: %s", rights[_i / 2], j.explanation.text);
  ck_assert_int_eq(j.verdict.elements, out + lse);
  ck_assert(j.verdict.ratio[RPP_GATE_ELEMENT] > 0 && j.verdict.ratio[RPP_GATE_STATISTICAL] > 0);
  ck_assert(j.contract.input == dtype && j.contract.output == dtype && j.contract.angles == RPP_ANGLES_EXACT);
  ck_assert(strstr(j.taken, "d=") != NULL && strstr(j.arrays, "out ") == j.arrays && strstr(j.arrays, ", lse ") != NULL);
}
END_TEST

START_TEST(without_lse) {
  answer_by(rights[1], FAULTY_LSE_LN_2, RPP_F32);
  ck_assert(!judge(NULL).pass);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {0}});
  const rpp_check_judged j = judge(NULL);
  ck_assert(j.pass && !j.lse);
}
END_TEST

/* Values of which nothing is known are judged by their bounds alone. */
START_TEST(values_that_are_not_the_labels) {
  const float one = 1;
  answer_by("rope:lq=4,lk=4,d=32,seed=2", FAULTY_NONE, RPP_F32);
  ck_assert(judge(NULL).statistical);
  FILE *f = fopen(problem, "r+b"); /* the last element of v, before eight positions */
  ck_assert(f != NULL && fseek(f, -8 * 8 - 4, SEEK_END) == 0 && fwrite(&one, 4, 1, f) == 1 && fclose(f) == 0);
  ck_assert(!judge(NULL).statistical);
}
END_TEST

START_TEST(sampled_rows) {
  answer_by("rope:lq=40,lk=40,d=8,rows=3,seed=2", FAULTY_NONE, RPP_F32);
  const rpp_check_judged j = judge(NULL);
  ck_assert(j.pass && j.rows == 3 && j.queries == 40 && j.verdict.elements == 3 * 2 * 9);
}
END_TEST

START_TEST(no_elements) {
  answer_by("rope:lq=0,lk=9,d=8,seed=2", FAULTY_NONE, RPP_F32);
  const rpp_check_judged j = judge(NULL);
  ck_assert(!j.pass && j.verdict.elements == 0);
}
END_TEST

/* ---- Wrong numbers ------------------------------------------------------------------------------------------------------- */

typedef struct {
  faulty fault;
  const char *spec, *said;
} named_fault;

#define EC "ec:h=4,kv=2,lq=9,lk=13,d=16,seed=5"
static const named_fault faults[] = {
    {FAULTY_TURN_SIGN, EC, "a quarter turn of +pi/2"},
    {FAULTY_TURN_MISSING, EC, "imaginary heads like the real ones"},
    {FAULTY_SWAPPED, EC, "real and imaginary heads swapped"},
    {FAULTY_SWAPPED, "ec:h=4,kv=2,lq=9,lk=13,d=16,inputs=rotated,seed=5", "real and imaginary heads swapped"},
    {FAULTY_STACKED, EC, "heads stacked"},
    {FAULTY_KV_NOT_DOUBLED, EC, "not doubled"},
    {FAULTY_PAIRING_OTHER, EC, "pairing=half"},
    {FAULTY_BASE, "ec:lq=5,lk=9,d=8,base=500000,position=1000,seed=5", "base=10000"},
    {FAULTY_CORNER, EC, "aligned at the first key"},
    {FAULTY_WINDOW_WIDE, "ec:lq=9,lk=9,d=8,mask=window:3,seed=5", "a window one key too wide"},
    {FAULTY_NO_MASK, EC, "no mask"},
    {FAULTY_NO_SCALE, EC, "scale missing"},
    {FAULTY_LSE_BASE_2, EC, "LSE in base 2"},
    {FAULTY_OUT_LAYOUT, EC, "out laid out (b, h, l, d)"},
    {FAULTY_TURN_AGAIN, EC ",inputs=rotated", "turned once more"},
};
enum { FAULTS = sizeof faults / sizeof *faults };

START_TEST(wrong_numbers_are_named) {
  const named_fault *f = &faults[_i / 2];
  const rpp_dtype dtype = _i % 2 == 0 ? RPP_F32 : RPP_BF16;
  answer_by(f->spec, f->fault, dtype);
  const rpp_check_judged j = judge(contract_of(dtype));
  ck_assert(!j.pass && j.verdict.outcome == RPP_OUTCOME_MISMATCH);
  ck_assert_msg(j.likely && strstr(j.explanation.text, f->said) != NULL, "fault %d: %s", (int)f->fault, j.explanation.text);
}
END_TEST

START_TEST(nan_fails) {
  answer_by(EC, FAULTY_NONE, RPP_F32);
  rpp_tensor_set(&a.data.out, (int64_t[]){0, 3, 5, 2}, NAN);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"lse", &a.data.lse}, {0}});
  rpp_check_judged j = judge(NULL);
  ck_assert(!j.pass && j.verdict.gate == RPP_GATE_STRUCTURE && j.nan == 1);
  ck_assert(j.verdict.worst.h == 5 && j.verdict.worst.t == 3 && j.verdict.worst.d == 2);
  rpp_tensor_set(&a.data.out, (int64_t[]){0, 3, 5, 2}, 1e30);
  rpp_tensor_set(&a.data.lse, (int64_t[]){0, 7, 8}, NAN);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"lse", &a.data.lse}, {0}});
  j = judge(NULL);
  ck_assert(!j.pass && j.verdict.gate == RPP_GATE_STRUCTURE && j.verdict.worst.tensor == RPP_JUDGED_LSE);
}
END_TEST

START_TEST(too_large_to_be_explained) {
  answer_by("rope:h=16,lq=2,lk=4200,d=128,rows=2,seed=2", FAULTY_NO_SCALE, RPP_F32);
  const rpp_check_judged j = judge(NULL);
  ck_assert(!j.pass && !j.likely);
  ck_assert_str_eq(j.explanation.text, "the case is too large to be explained: make one of fewer queries, keys or heads");
}
END_TEST

/* ---- The angle model ----------------------------------------------------------------------------------------------------- */

/* Hugging Face's chain: inverse frequencies, their products with positions, cosines and sines, each in float32. */
static void rotate_hf(const rpp_tensor *x, const rpp_tensor *pos, const rpp_tensor *y) {
  const int64_t width = x->shape[3], pairs = width / 2;
  for (int64_t l = 0; l < x->shape[1]; l++)
    for (int64_t h = 0; h < x->shape[2]; h++)
      for (int64_t n = 0; n < pairs; n++) {
        const float exponent = (float)(2 * n) / (float)width, frequency = 1.0f / (float)pow(10000, exponent);
        const float angle = (float)rpp_tensor_get(pos, &l) * frequency, c = (float)cos(angle), s = (float)sin(angle);
        const int64_t first[] = {0, l, h, n}, second[] = {0, l, h, n + pairs};
        const double p = rpp_tensor_get(x, first), q = rpp_tensor_get(x, second);
        rpp_tensor_set(y, first, p * c - q * s);
        rpp_tensor_set(y, second, q * c + p * s);
      }
}

START_TEST(float32_angles) {
  answer_by("rope:lq=6,lk=40,d=32,pairing=half,position=150000,seed=5", FAULTY_NONE, RPP_F32);
  float q[6 * 2 * 32], k[40 * 2 * 32];
  rpp_tensor q_rot, k_rot;
  rpp_tensor_contiguous(q, RPP_F32, 4, a.data.q.shape, &q_rot);
  rpp_tensor_contiguous(k, RPP_F32, 4, a.data.k.shape, &k_rot);
  rotate_hf(&a.data.q, &a.data.pos_q, &q_rot);
  rotate_hf(&a.data.k, &a.data.pos_k, &k_rot);
  rpp_attention attention = a.data.attention;
  const rpp_attention_inputs rotated = {.q = &q_rot, .k = &k_rot, .v = &a.data.v};
  attention.q_rotated = attention.k_rotated = true;
  ck_assert_int_eq(rpp_attention_forward(&attention, &rotated, NULL, &a.data.out, &a.data.lse), RPP_OK);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"lse", &a.data.lse}, {"q_real", &q_rot}, {"k_rot", &k_rot}, {0}});
  const rpp_check_judged hf = judge("angles=hf-f32"), exact = judge("angles=exact"), standard = judge(NULL);
  ck_assert_msg(hf.pass, "%s", hf.explanation.text);
  ck_assert(!exact.pass && !standard.pass && exact.verdict.ratio[RPP_GATE_ELEMENT] > 10);
  ck_assert_msg(exact.likely && strstr(exact.explanation.text, "angles=hf-f32") != NULL, "%s", exact.explanation.text);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"lse", &a.data.lse}, {0}});
  ck_assert(judge("f32,angles=hf-f32").pass);
  const rpp_check_judged plain = judge("f32");
  ck_assert(!plain.pass && plain.likely && strstr(plain.explanation.text, "angles=hf-f32") != NULL);
}
END_TEST

/* A case may say that its angles are hf-f32; the contract decides where it says anything. */
START_TEST(the_cases_angle_model) {
  answer_by("rope:lq=6,lk=40,d=32,position=150000,angles=hf-f32,seed=5", FAULTY_NONE, RPP_F32);
  ck_assert_int_eq(judge(NULL).contract.angles, RPP_ANGLES_HF_F32);
  ck_assert_int_eq(judge("f32,acc=f32").contract.angles, RPP_ANGLES_HF_F32);
  ck_assert_int_eq(judge("f32,angles=exact").contract.angles, RPP_ANGLES_EXACT);
}
END_TEST

START_TEST(rotated_tensors) {
  answer_by(EC, FAULTY_NONE, RPP_F32);
  rpp_scratch scratch = {0};
  rpp_tensor real = rpp_scratch_copy(&scratch, &a.data.q), imaginary = rpp_scratch_copy(&scratch, &a.data.q),
             k = rpp_scratch_copy(&scratch, &a.data.k);
  const rpp_rotary *rotary = &a.data.attention.rotary;
  ck_assert_int_eq(rpp_rotate(rotary, RPP_PART_REAL, &a.data.q, &a.data.pos_q, &real), RPP_OK);
  ck_assert_int_eq(rpp_rotate(rotary, RPP_PART_IMAG, &a.data.q, &a.data.pos_q, &imaginary), RPP_OK);
  ck_assert_int_eq(rpp_rotate(rotary, RPP_PART_REAL, &a.data.k, &a.data.pos_k, &k), RPP_OK);
  const answer_entry all[] = {{"out", &a.data.out}, {"q_real", &real}, {"q_imag", &imaginary}, {"k_rot", &k}, {0}};
  answer_write(answer, all);
  rpp_check_judged j = judge(NULL);
  ck_assert_msg(j.pass, "%s", j.explanation.text);
  ck_assert_int_eq(j.verdict.elements, 9 * 8 * 16 + 2 * 9 * 4 * 16 + 13 * 2 * 16);
  for (int64_t i = 0; i < 9 * 4 * 16; i++) /* turned the other way */
    rpp_tensor_set(&imaginary, (int64_t[]){0, i / 64, i / 16 % 4, i % 16},
                   -rpp_tensor_get(&imaginary, (int64_t[]){0, i / 64, i / 16 % 4, i % 16}));
  answer_write(answer, all);
  j = judge(NULL);
  ck_assert(!j.pass && j.verdict.worst.tensor == RPP_JUDGED_ROTATED_Q);
  ck_assert_msg(j.likely && strstr(j.explanation.text, "a quarter turn of +pi/2") != NULL, "%s", j.explanation.text);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"q_imag", &imaginary}, {0}});
  j = judge(NULL);
  ck_assert(!j.pass);
  ck_assert_msg(!j.likely && strstr(j.explanation.text, "q_real, q_imag and k_rot are needed") != NULL, "%s", j.explanation.text);
  rpp_scratch_free(&scratch);
}
END_TEST

/* ---- What is no answer --------------------------------------------------------------------------------------------------- */

START_TEST(shapes_and_dtypes) {
  answer_by(EC, FAULTY_NONE, RPP_F32);
  float values[9 * 8 * 16];
  rpp_tensor swapped, numbers;
  rpp_tensor_contiguous(values, RPP_F32, 4, (int64_t[]){1, 8, 9, 16}, &swapped);
  for (int64_t i = 0; i < 9 * 8 * 16; i++) {
    const int64_t l = i / 128, h = i / 16 % 8, d = i % 16;
    rpp_tensor_set(&swapped, (int64_t[]){0, h, l, d}, rpp_tensor_get(&a.data.out, (int64_t[]){0, l, h, d}));
  }
  answer_write(answer, (answer_entry[]){{"out", &swapped}, {"lse", &a.data.lse}, {0}});
  refused_answer(NULL, "out is (1, 8, 9, 16): looks like batch, heads, length, width; use --axes bhld");
  const rpp_check_asked other = {.case_path = problem, .answer_path = answer, .axes = RPP_AXES_BHLD};
  rpp_check_judged j;
  rpp_message error;
  ck_assert(rpp_check_answer(&other, &j, &error) && j.pass);

  rpp_tensor_contiguous(values, RPP_F32, 4, (int64_t[]){1, 9, 4, 16}, &numbers);
  answer_write(answer, (answer_entry[]){{"out", &numbers}, {0}});
  refused_answer(NULL, "out is (1, 9, 4, 16): heads is 4, expected 8 (each projected head makes a real and an imaginary one)");
  answer_write(answer, (answer_entry[]){{"lse", &a.data.lse}, {0}});
  refused_answer(NULL, "out: missing: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"output", &a.data.out}, {0}});
  refused_answer(NULL, "output: unknown tensor: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  answer_write(answer, (answer_entry[]){{"out", &a.data.pos_k}, {0}});
  refused_answer(NULL, "out is I64: expected F64, F32, F16 or BF16");
}
END_TEST

START_TEST(what_the_contract_says_otherwise) {
  answer_by(EC, FAULTY_NONE, RPP_F32);
  rpp_tensor_set(&a.data.out, (int64_t[]){0, 0, 0, 0}, 0.1f);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {0}});
  refused_answer("bf16", "out is F32, and 0.10000000149011612 at (0, 0, 0, 0) is no BF16 number, which the contract says it is");
  rpp_check_asked asked = {.case_path = problem, .answer_path = answer, .contract = "bf16,out=f32"};
  const char *said = refused(&asked, problem);
  ck_assert_msg(strncmp(said, "q is F32, and ", 14) == 0 && strstr(said, "is no BF16 number") != NULL, "%s", said);
  asked.contract = "bf17";
  ck_assert_str_eq(refused(&asked, NULL), "--contract: dtype = bf17: must be one of f64, f32, f16, bf16");
  asked.contract = "f32,accumulate=f32";
  ck_assert_str_eq(refused(&asked, NULL), "--contract: accumulate = f32: no such key of a contract");
  asked.contract = NULL, asked.options = "ec:";
  ck_assert_str_eq(refused(&asked, problem), "--case: the file is a case, and says itself what it is");
}
END_TEST

/* bfloat16 values in float32, as .npy has to hold them. */
START_TEST(bf16_in_f32) {
  answer_by(EC, FAULTY_NONE, RPP_BF16);
  rpp_scratch scratch = {0};
  rpp_tensor wide = rpp_scratch_tensor(&scratch, RPP_F32, 4, a.data.out.shape);
  rpp_scratch_assign(&a.data.out, &wide);
  answer_write(answer, (answer_entry[]){{"out", &wide}, {0}});
  const rpp_check_judged j = judge(NULL); /* float32's bounds */
  ck_assert_msg(!j.pass && j.likely && strstr(j.explanation.text, "rounded to bfloat16") != NULL, "%s", j.explanation.text);
  ck_assert(judge(contract_of(RPP_BF16)).pass);
  rpp_scratch_free(&scratch);
}
END_TEST

/* What is judged by a contract that is not the kernel's, since none was given, passes by another: that is said. */
START_TEST(another_contract) {
  answer_by(EC, FAULTY_NONE, RPP_BF16);
  rpp_check_judged j = judge(NULL);
  ck_assert(!j.pass && j.likely);
  ck_assert_str_eq(j.explanation.text, "passes by --contract bf16,rotated=f32: is that what the kernel promises?");
  j = judge("bf16"); /* which was said, and so is meant */
  ck_assert(!j.pass && strstr(j.explanation.text, "--contract") == NULL);
}
END_TEST

START_TEST(bad_files) {
  answer_by(EC, FAULTY_NONE, RPP_F32);
  rpp_check_asked asked = {.case_path = problem, .answer_path = "/nonexistent/answer"};
  ck_assert_str_eq(refused(&asked, asked.answer_path), "cannot be opened: No such file or directory");
  asked = (rpp_check_asked){.case_path = "/nonexistent/case", .answer_path = answer};
  ck_assert_str_eq(refused(&asked, asked.case_path), "cannot be opened: No such file or directory");
  asked = (rpp_check_asked){.case_path = problem};
  ck_assert_str_eq(refused(&asked, problem), "an answer to it is expected: check CASE ANSWER");
  build_save(answer, "12345678", 8);
  asked.answer_path = answer;
  ck_assert(strstr(refused(&asked, answer), "header length = ") != NULL);
  builder layer = {0};
  build_layer(&layer);
  build_write(&layer, problem);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {0}});
  ck_assert_str_eq(refused(&asked, problem), "op = layer: only attention is judged by a contract");
  build_free(&layer);
}
END_TEST

START_TEST(an_answer_or_a_case) {
  char golden[512];
  snprintf(golden, sizeof golden, "%s/20_layer_rope.safetensors", getenv("ROPEPP_GOLDEN"));
  answer_by(EC, FAULTY_NONE, RPP_F32);
  ck_assert(rpp_check_is_answer(problem, answer));
  ck_assert(rpp_check_is_answer(golden, answer));   /* it is no case */
  ck_assert(rpp_check_is_answer(problem, golden));  /* the first carries nothing to judge */
  ck_assert(!rpp_check_is_answer(golden, problem)); /* two cases */
  ck_assert(!rpp_check_is_answer(golden, golden));
  ck_assert(!rpp_check_is_answer(golden, "/nonexistent"));
  ck_assert(rpp_check_is_answer(problem, "/nonexistent"));
  ck_assert(!rpp_check_is_answer("/nonexistent", "/nonexistent"));
  answer_npy(folder, "case", &a.data.out, false);
  char npy[80];
  snprintf(npy, sizeof npy, "%s.npy", problem);
  ck_assert(rpp_check_is_answer(golden, npy));
  ck_assert(rpp_check_is_folder(folder) && !rpp_check_is_folder(problem) && !rpp_check_is_folder("/nonexistent"));
  unlink(npy);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_answer");
  TCase *tests = tcase_create("check_answer");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, right_answers_pass, 0, 2 * RIGHTS);
  tcase_add_test(tests, without_lse);
  tcase_add_test(tests, values_that_are_not_the_labels);
  tcase_add_test(tests, sampled_rows);
  tcase_add_test(tests, no_elements);
  tcase_add_loop_test(tests, wrong_numbers_are_named, 0, 2 * FAULTS);
  tcase_add_test(tests, nan_fails);
  tcase_add_test(tests, too_large_to_be_explained);
  tcase_add_test(tests, float32_angles);
  tcase_add_test(tests, the_cases_angle_model);
  tcase_add_test(tests, rotated_tensors);
  tcase_add_test(tests, shapes_and_dtypes);
  tcase_add_test(tests, what_the_contract_says_otherwise);
  tcase_add_test(tests, bf16_in_f32);
  tcase_add_test(tests, another_contract);
  tcase_add_test(tests, bad_files);
  tcase_add_test(tests, an_answer_or_a_case);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
