/* test_report_merge.c: the reports of shards, written and read again, add up to the report of the whole; others are refused. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "fake_campaign.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-campaign-XXXXXX";

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

/* Runs shard number shard of shards, saves it, and returns the path of its JSON, which holds until some calls later. */
static const char *shard_file(int64_t shard, int64_t shards, uint64_t seed, int64_t cases, const rpp_kernel **kernels, int count) {
  rpp_campaign campaign = fake_campaign(count, kernels, cases);
  rpp_report report;
  rpp_message error;
  static char paths[8][160];
  static int next;
  char *path = paths[next++ % 8];
  campaign.shard = shard;
  campaign.plan.shards = shards;
  campaign.plan.seed = seed;
  fake_run(&campaign, &report, NULL);
  snprintf(path, sizeof paths[0], "%s/deep/er/%d-%d-%d-%d", folder, (int)shard, (int)shards, (int)seed, (int)cases);
  ck_assert_msg(rpp_report_save(&report, path, &error), "%s", error.text);
  rpp_report_free(&report);
  strcat(path, "/report.json");
  return path;
}

static void add(rpp_report *sum, const char *path) {
  rpp_report other;
  rpp_message error;
  ck_assert_msg(rpp_report_read(path, &other, &error), "%s", error.text);
  ck_assert_msg(rpp_report_merge(sum, &other, &error), "%s", error.text);
  rpp_report_free(&other);
}

START_TEST(shards_add_up) {
  enum { CASES = 1203 }; /* no multiple of anything here */
  rpp_campaign campaign = fake_campaign(5, fake_five, CASES);
  rpp_report whole, sum;
  rpp_message error;
  fake_run(&campaign, &whole, NULL);
  for (int shards = 1; shards <= 4; shards++) {
    const char *paths[4];
    for (int i = 0; i < shards; i++) paths[i] = shard_file(i, shards, 7, CASES, fake_five, 5);
    ck_assert_msg(rpp_report_read(paths[shards - 1], &sum, &error), "%s", error.text);
    for (int i = 0; i < shards - 1; i++) add(&sum, paths[i]);
    rpp_report_merged(&sum);
    char *a = fake_json(&whole), *b = fake_json(&sum);
    ck_assert_str_eq(a, b);
    ck_assert_int_eq(rpp_report_status(&sum), 3);
    free(a);
    free(b);
    rpp_report_free(&sum);
  }
  int64_t cases = 0;
  for (int k = 0; k < 5; k++) cases += rpp_report_cases(&whole.kernels[k]);
  ck_assert_int_eq(cases, CASES);
  rpp_report_free(&whole);
}
END_TEST

START_TEST(only_shards_of_one_campaign_merge) {
  const rpp_kernel *one[] = {&fake_clean};
  const char *first = shard_file(0, 3, 7, 60, one, 1), *second = shard_file(1, 3, 7, 60, one, 1),
             *seed = shard_file(1, 3, 8, 60, one, 1), *cases = shard_file(1, 3, 7, 61, one, 1),
             *of_two = shard_file(1, 2, 7, 60, one, 1), *kernels = shard_file(2, 3, 7, 60, fake_five, 2);
  const struct {
    const char *path, *message;
  } refused[] = {{first, "shard 1/3: given twice"},
                 {seed, "seed = 8: the first report has 7"},
                 {cases, "cases = 61: the first report has 60"},
                 {of_two, "shards = 2: the first report has 3"},
                 {kernels, "kernels: not those of the first report"}};
  rpp_report sum, other;
  rpp_message error;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    ck_assert(rpp_report_read(first, &sum, &error) && rpp_report_read(refused[i].path, &other, &error));
    ck_assert(!rpp_report_merge(&sum, &other, &error));
    ck_assert_msg(strstr(error.text, refused[i].message) != NULL, "'%s'", error.text);
    rpp_report_free(&sum);
    rpp_report_free(&other);
  }
  ck_assert(rpp_report_read(first, &sum, &error) && rpp_report_read(second, &other, &error));
  strcpy(other.kernels[0].contract, "f16");
  ck_assert(!rpp_report_merge(&sum, &other, &error));
  ck_assert_msg(strstr(error.text, "clean: was judged by another contract") != NULL, "'%s'", error.text);
  rpp_report_free(&sum);
  rpp_report_free(&other);
  ck_assert(rpp_report_read(first, &sum, &error));
  ck_assert_int_eq(rpp_report_status(&sum), 0); /* a shard by itself passes */
  add(&sum, second);
  rpp_report_merged(&sum);
  ck_assert_int_eq(rpp_report_status(&sum), 1);
  char *text;
  size_t size;
  FILE *stream = open_memstream(&text, &size);
  rpp_report_human(&sum, stream);
  fclose(stream);
  ck_assert_ptr_nonnull(strstr(text, "shard 3/3 is missing\n"));
  ck_assert_ptr_null(strstr(text, "shard 1/3"));
  free(text);
  text = fake_json(&sum);
  ck_assert_ptr_nonnull(strstr(text, "\"complete\": false"));
  free(text);
  rpp_report_free(&sum);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("report_merge");
  TCase *tests = tcase_create("report_merge");
  tcase_set_timeout(tests, 100);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, shards_add_up);
  tcase_add_test(tests, only_shards_of_one_campaign_merge);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
