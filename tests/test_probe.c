/* probe.c, probe_code.c: in every instruction set of this CPU, what a probe says that it did is done. Times are not judged. */
#include "bench/probe.h"

#include <math.h>
#include <stdlib.h>

#include "support.h"

START_TEST(every_byte_is_read) {
  enum { BYTES = 256 * 8 * 5 };
  _Alignas(64) static unsigned char buffer[BYTES];
  uint64_t state = 1;
  uint32_t expected = 0;
  for (size_t i = 0; i < BYTES; i += 4) {
    const uint32_t word = (uint32_t)support_random(&state);
    memcpy(buffer + i, &word, sizeof word);
    expected += word;
  }
  for (const rpp_probe_set *const *set = rpp_probe_sets(); *set != NULL; set++)
    for (int streams = 1; streams <= 8; streams *= 2) {
      const uint32_t sum = (*set)->read(buffer, BYTES, streams);
      ck_assert_msg(sum == expected, "%s, %d streams: %u, wanted %u", (*set)->name, streams, sum, expected);
      ck_assert((*set)->read(buffer, 0, streams) == 0);
    }
}
END_TEST

/* Every chain tends to y / (1 - x), a geometric series; there are operations / 2 of them. */
START_TEST(every_chain_is_computed) {
  const float x = 0.75f, y = 0.5f;
  for (const rpp_probe_set *const *set = rpp_probe_sets(); *set != NULL; set++) {
    const double chains = (double)(*set)->operations / 2, sum = (double)(*set)->multiply_add(200, x, y);
    ck_assert_msg(fabs(sum - 2 * chains) <= 1e-4 * chains, "%s: %g of %g chains", (*set)->name, sum, chains);
    const double start = (double)(*set)->multiply_add(0, 0, y), once = (double)(*set)->multiply_add(1, 0, y);
    ck_assert_msg(start == 0 && once == chains / 2, "%s: %g, then %g of %g chains", (*set)->name, start, once, chains);
  }
}
END_TEST

START_TEST(a_probe_has_rates) {
  rpp_probe probe;
  rpp_message error;
  ck_assert_msg(rpp_probe_open(&probe, &error), "%s", error.text);
  ck_assert(probe.arithmetic != NULL && probe.reading != NULL && probe.streams >= 1);
  for (size_t i = 0; i < RPP_PROBE_BUFFER; i++) probe.buffer[i] = i < 4096 ? (unsigned char)i : 0;
  const double rates[] = {rpp_probe_arithmetic(&probe, 0.001), rpp_probe_read(&probe, 0.001), rpp_probe_copy(&probe, 1),
                          rpp_probe_copy(&probe, 100000), rpp_probe_copy(&probe, RPP_PROBE_BUFFER)};
  for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
    ck_assert_msg(rates[i] > 0 && isfinite(rates[i]), "%zu: %g", i, rates[i]);
  int64_t sum = 0;
  for (size_t i = RPP_PROBE_BUFFER / 2; i < RPP_PROBE_BUFFER; i++) sum += probe.buffer[i];
  ck_assert_int_eq(sum, 16 * 255 * 256 / 2);
  rpp_probe_close(&probe);
  ck_assert(probe.buffer == NULL && probe.arithmetic != NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("probe");
  TCase *tests = tcase_create("probe");
  tcase_set_timeout(tests, 30);
  tcase_add_test(tests, every_byte_is_read);
  tcase_add_test(tests, every_chain_is_computed);
  tcase_add_test(tests, a_probe_has_rates);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
