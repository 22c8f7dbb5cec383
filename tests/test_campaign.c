/* test_campaign.c: cases in order whatever the order of verdicts, statuses, interrupts. */
#define _GNU_SOURCE
#include "fake_campaign.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

START_TEST(order_and_lanes_do_not_show) {
  char *texts[3];
  for (int i = 0; i < 3; i++) {
    rpp_campaign campaign = fake_campaign(5, fake_five, 600);
    rpp_report report;
    campaign.pool.lanes = i == 0 ? 1 : i + 1;
    fake_run(&campaign, &report, NULL);
    ck_assert_int_eq(rpp_report_status(&report), 3);
    for (int k = 0; k < 5; k++) ck_assert_int_eq(rpp_report_cases(&report.kernels[k]), 120);
    texts[i] = fake_json(&report);
    rpp_report_free(&report);
  }
  ck_assert_str_eq(texts[0], texts[1]);
  ck_assert_str_eq(texts[0], texts[2]);
  ck_assert_ptr_nonnull(strstr(texts[0], "\"outcome\": \"crash\""));
  ck_assert_ptr_nonnull(strstr(texts[0], "matches with gate="));
  for (int i = 0; i < 3; i++) free(texts[i]);
}
END_TEST

START_TEST(nothing_checked_is_no_pass) {
  const rpp_kernel *one[] = {&fake_clean}, *two[] = {&fake_clean, &fake_never};
  rpp_campaign campaign = fake_campaign(1, one, 0);
  rpp_report report;
  fake_run(&campaign, &report, NULL);
  ck_assert_int_eq(rpp_report_status(&report), 1);
  rpp_report_free(&report);

  campaign = fake_campaign(1, one, 50);
  fake_run(&campaign, &report, NULL);
  ck_assert_int_eq(rpp_report_status(&report), 0);
  rpp_report_free(&report);

  campaign = fake_campaign(2, two, 40);
  fake_run(&campaign, &report, NULL);
  ck_assert_int_eq(report.kernels[1].outcomes[RPP_OUTCOME_UNSUPPORTED], 20);
  ck_assert(rpp_report_kernel_pass(&report.kernels[0]) && !rpp_report_kernel_pass(&report.kernels[1]));
  ck_assert_int_eq(rpp_report_status(&report), 1);
  rpp_report_free(&report);
}
END_TEST

START_TEST(reasons_are_counted) {
  const rpp_kernel *one[] = {&fake_picky};
  rpp_campaign campaign = fake_campaign(1, one, 400);
  rpp_report report;
  fake_run(&campaign, &report, NULL);
  const rpp_report_kernel *kernel = &report.kernels[0];
  ck_assert_int_eq(kernel->reason_count, 3);
  int64_t sum = 0;
  for (int i = 0; i < 3; i++) sum += kernel->reasons[i].count;
  ck_assert_int_eq(sum, kernel->outcomes[RPP_OUTCOME_UNSUPPORTED]);
  ck_assert_int_eq(rpp_report_cases(kernel), 400);
  ck_assert_int_gt(rpp_report_supported(kernel), 20);
  ck_assert_str_eq(kernel->reasons[1].text.text, "it has 1 reasons");
  ck_assert_int_eq(rpp_report_status(&report), 0);
  rpp_report_free(&report);
}
END_TEST

START_TEST(failures_are_kept_by_kind) {
  const rpp_kernel *one[] = {&fake_wrong};
  rpp_campaign campaign = fake_campaign(1, one, 300);
  rpp_report report;
  rpp_corpus corpus = {0};
  fake_run(&campaign, &report, &corpus);
  const rpp_report_kernel *kernel = &report.kernels[0];
  ck_assert_int_eq(kernel->failure_count, RPP_REPORT_FAILURES);
  ck_assert_int_eq(corpus.count, rpp_report_failures(kernel));
  ck_assert_int_eq(rpp_report_status(&report), 1);
  ck_assert(isnan(kernel->worst[RPP_GATE_STRUCTURE].ratio) || isinf(kernel->worst[RPP_GATE_STRUCTURE].ratio));
  for (int i = 0; i < kernel->failure_count; i++) {
    const rpp_report_failure *f = &kernel->failures[i];
    ck_assert(f->reproduced && f->outcome == RPP_OUTCOME_MISMATCH && f->gate == f->verdict.gate);
    for (int j = 0; j < i; j++) ck_assert(kernel->failures[j].gate != f->gate && kernel->failures[j].index < f->index);
    ck_assert_int_eq(*f->explanation.text == '\0', f->verdict.gate == RPP_GATE_ROW);
    rpp_spec drawn = rpp_campaign_spec(&campaign, f->index, 0);
    char a[RPP_SPEC_TEXT], b[RPP_SPEC_TEXT];
    rpp_spec_print(&drawn, a);
    rpp_spec_print(&f->drawn, b);
    ck_assert_str_eq(a, b);
    int64_t at = 0; /* the corpus has the shrunk one */
    while (corpus.cases[at].index != f->index) at++;
    rpp_spec_print(&f->spec, a);
    rpp_spec_print(&corpus.cases[at].spec, b);
    ck_assert_str_eq(a, b);
  }
  rpp_corpus_free(&corpus);
  rpp_report_free(&report);
}
END_TEST

START_TEST(a_kernel_that_hangs_is_given_up) {
  const rpp_kernel *two[] = {&fake_clean, &fake_hanging};
  char *texts[2];
  for (int i = 0; i < 2; i++) {
    rpp_campaign campaign = fake_campaign(2, two, 400);
    rpp_report report;
    campaign.pool.lanes = i + 1;
    campaign.pool.floor_s = 0.2;
    fake_run(&campaign, &report, NULL);
    ck_assert_int_eq(rpp_report_status(&report), 3);
    ck_assert_int_eq(rpp_report_cases(&report.kernels[0]), 200);
    ck_assert(rpp_report_kernel_pass(&report.kernels[0]));
    ck_assert_int_eq(report.kernels[1].outcomes[RPP_OUTCOME_HANG], RPP_CAMPAIGN_HANGS);
    ck_assert_int_gt(report.kernels[1].skipped, 100);
    ck_assert_int_eq(report.kernels[1].skipped + rpp_report_cases(&report.kernels[1]), 200);
    texts[i] = fake_json(&report);
    rpp_report_free(&report);
  }
  ck_assert_str_eq(texts[0], texts[1]);
  free(texts[0]);
  free(texts[1]);
}
END_TEST

START_TEST(an_interrupt_leaves_a_report) {
  const rpp_kernel *two[] = {&fake_slow, &fake_wrong};
  for (int number = 0; number < 2; number++) {
    rpp_campaign campaign = fake_campaign(2, two, -1);
    rpp_report report;
    if (fork() == 0) {
      usleep(400000);
      kill(getppid(), number == 0 ? SIGINT : SIGTERM);
      _exit(0);
    }
    fake_run(&campaign, &report, NULL);
    ck_assert_int_eq(rpp_report_status(&report), number == 0 ? 130 : 143);
    ck_assert_int_gt(rpp_report_cases(&report.kernels[0]), 0);
    ck_assert(!rpp_report_complete(&report));
    char *text = fake_json(&report);
    ck_assert_ptr_nonnull(strstr(text, number == 0 ? "\"interrupted\": 2," : "\"interrupted\": 15,"));
    free(text);
    rpp_report_free(&report);
  }
}
END_TEST

START_TEST(seconds_end_a_campaign) {
  const rpp_kernel *one[] = {&fake_slow};
  rpp_campaign campaign = fake_campaign(1, one, -1);
  rpp_report report;
  campaign.plan.seconds = 0.3;
  fake_run(&campaign, &report, NULL);
  ck_assert_int_eq(rpp_report_status(&report), 0);
  ck_assert_double_ge(report.elapsed_s, 0.3);
  ck_assert_int_gt(rpp_report_cases(&report.kernels[0]), 0);
  rpp_report_free(&report);
}
END_TEST

START_TEST(specs_fit_the_kernel) {
  rpp_campaign campaign = fake_campaign(5, fake_five, 100);
  rpp_message error;
  for (int64_t round = 0; round < 50; round++)
    for (int k = 0; k < 5; k++) ck_assert_int_eq(rpp_campaign_spec(&campaign, round, k).dtype, fake_five[k]->contract.input);
  ck_assert(rpp_spec_parse_only("eh:dtype=f16,mask=full", &campaign.base, campaign.fixed, &error));
  for (int64_t round = 0; round < 50; round++) {
    const rpp_spec spec = rpp_campaign_spec(&campaign, round, 0);
    ck_assert(spec.dtype == RPP_F16 && spec.attention.mode == RPP_MODE_EH && spec.attention.mask == RPP_MASK_FULL);
  }
}
END_TEST

START_TEST(a_list_is_run_as_it_is) {
  const rpp_kernel *two[] = {&fake_clean, &fake_picky};
  rpp_corpus list = {0};
  rpp_campaign campaign = fake_campaign(2, two, 6);
  for (int i = 0; i < 3; i++) {
    rpp_corpus_case one = {.spec = rpp_spec_default(RPP_MODE_EC)};
    one.spec.seed = (uint64_t)i;
    ck_assert(rpp_corpus_add(&list, &one));
  }
  campaign.list = &list;
  rpp_report report;
  fake_run(&campaign, &report, NULL);
  ck_assert_int_eq(rpp_report_cases(&report.kernels[0]), 3);
  ck_assert_int_eq(rpp_report_cases(&report.kernels[1]), 3);
  rpp_report_free(&report);
  rpp_corpus_free(&list);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("campaign");
  TCase *tests = tcase_create("campaign");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, order_and_lanes_do_not_show);
  tcase_add_test(tests, nothing_checked_is_no_pass);
  tcase_add_test(tests, reasons_are_counted);
  tcase_add_test(tests, failures_are_kept_by_kind);
  tcase_add_test(tests, a_kernel_that_hangs_is_given_up);
  tcase_add_test(tests, an_interrupt_leaves_a_report);
  tcase_add_test(tests, seconds_end_a_campaign);
  tcase_add_test(tests, specs_fit_the_kernel);
  tcase_add_test(tests, a_list_is_run_as_it_is);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
