/* test_worker.c: whatever a kernel does to its process is a verdict about it, and the next case is judged all the same. The judge
 * here is a stand-in that misbehaves as the kernel's name says. */
#define _GNU_SOURCE
#include "workers/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static volatile pid_t *shared; /* the worker, and a child of it */

static void die_of(int number) {
  signal(number, SIG_DFL); /* sanitizers have handlers of their own */
  raise(number);
}

static void say(int fd, const char *text) {
  if (write(fd, text, strlen(text)) < 0) return;
}

static void chatter(void) {
  for (int i = 0; i < 20000; i++) {
    printf("a kernel that talks, line %d, to everybody who listens\n", i);
    if (i % 4 == 0) fprintf(stderr, "a kernel that complains, line %d\n", i);
  }
  fflush(stdout);
}

static void misbehave(const char *name) {
  if (strcmp(name, "segv") == 0) die_of(SIGSEGV);
  if (strcmp(name, "abort") == 0) die_of(SIGABRT);
  if (strcmp(name, "exit") == 0) exit(7);
  if (strcmp(name, "exit-zero") == 0) exit(0);
  if (strcmp(name, "chatter") == 0) chatter();
  if (strcmp(name, "last-words") == 0) {
    say(STDERR_FILENO, "a warning\n=================\n\n==12==ERROR: AddressSanitizer: overflow (pid=12) on address 0x602000af0 at "
                       "pc 0x7f\nmore\n");
    _exit(1);
  }
  if (strcmp(name, "closes") == 0)
    for (int fd = 0; fd < 1024; fd++) close(fd);
  if (strcmp(name, "hang") == 0) {
    const pid_t child = fork();
    shared[0] = getpid();
    if (child > 0) shared[1] = child;
    for (;;) pause();
  }
  if (strcmp(name, "spin") == 0)
    for (volatile int i = 0;; i++) {
    }
}

static void judge(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict) {
  if (spec->seed != 99) misbehave(kernel->name);
  verdict->outcome = strcmp(kernel->name, "outside") == 0 ? RPP_OUTCOME_OUTSIDE : RPP_OUTCOME_PASS;
  verdict->elements = strcmp(kernel->name, "threads") == 0 ? omp_get_max_threads() : (int64_t)spec->seed;
  verdict->signal = strcmp(kernel->name, "pid") == 0 ? getpid() : 0;
  if (strcmp(kernel->name, "outside") == 0) rpp_message_set(&verdict->message, "out: 4 bytes after it, by %d", (int)getpid());
}

static bool explain(const rpp_kernel *kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation) {
  (void)spec;
  misbehave(kernel->name);
  rpp_message_set(explanation, "gate %d", (int)verdict->gate);
  return verdict->gate != RPP_GATE_STRUCTURE;
}

enum { PASS, SEGV, ABORT, EXIT, EXIT_ZERO, CHATTER, LAST_WORDS, CLOSES, HANG, SPIN, OUTSIDE, THREADS, PID, KERNELS };
static const rpp_kernel kernels[KERNELS] = {
    {.name = "pass"},    {.name = "segv"},       {.name = "abort"},  {.name = "exit"}, {.name = "exit-zero"},
    {.name = "chatter"}, {.name = "last-words"}, {.name = "closes"}, {.name = "hang"}, {.name = "spin"},
    {.name = "outside"}, {.name = "threads"},    {.name = "pid"},
};
static const rpp_kernel *table[KERNELS];

static rpp_pool *start(int lanes) {
  rpp_message error;
  for (int i = 0; i < KERNELS; i++) table[i] = &kernels[i];
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const rpp_pool_options options = {.kernels = table,
                                    .kernel_count = KERNELS,
                                    .judge = judge,
                                    .explain = explain,
                                    .lanes = lanes,
                                    .floor_s = 0.4,
                                    .operation_s = 1e-8};
  unsetenv("OMP_NUM_THREADS");
  rpp_pool *pool = rpp_pool_start(&options, &error);
  ck_assert_msg(pool != NULL, "%s", error.text);
  return pool;
}

static rpp_spec spec_of(uint64_t seed) {
  rpp_spec spec = rpp_spec_default(RPP_MODE_EC);
  spec.q_len = spec.k_len = 1;
  spec.seed = seed;
  return spec;
}

static rpp_verdict verdict_of(rpp_pool *pool, int kernel, uint64_t seed) {
  const rpp_spec spec = spec_of(seed);
  rpp_verdict verdict;
  ck_assert_msg(rpp_pool_judge(pool, kernel, &spec, false, &verdict), "%s", verdict.message.text);
  return verdict;
}

START_TEST(deaths_are_verdicts) {
  static const struct {
    int kernel;
    rpp_outcome outcome;
    int signal, status;
    const char *message;
  } expected[] = {
      {SEGV, RPP_OUTCOME_CRASH, SIGSEGV, 0, ""},
      {ABORT, RPP_OUTCOME_CRASH, SIGABRT, 0, ""},
      {EXIT, RPP_OUTCOME_EXIT, 0, 7, ""},
      {EXIT_ZERO, RPP_OUTCOME_EXIT, 0, 0, ""},
      {LAST_WORDS, RPP_OUTCOME_EXIT, 0, 1, "ERROR: AddressSanitizer: overflow (pid=) on address 0x at pc 0x"},
      {CLOSES, RPP_OUTCOME_CRASH, SIGKILL, 0, ""},
      {CHATTER, RPP_OUTCOME_PASS, 0, 0, ""},
      {SPIN, RPP_OUTCOME_HANG, 0, 0, "still running after 0.403 s"},
  };
  rpp_pool *pool = start(1);
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
      const rpp_verdict verdict = verdict_of(pool, expected[i].kernel, 1);
      const char *name = kernels[expected[i].kernel].name;
      if (expected[i].kernel == CLOSES && verdict.outcome == RPP_OUTCOME_EXIT) continue; /* it may come to its own end first */
      ck_assert_msg(verdict.outcome == expected[i].outcome, "%s: %s (%s)", name, rpp_names_get(rpp_names_outcome, verdict.outcome),
                    verdict.message.text);
      ck_assert_msg(verdict.signal == expected[i].signal && verdict.exit_status == expected[i].status, "%s: %d %d", name,
                    verdict.signal, verdict.exit_status);
      ck_assert_str_eq(verdict.message.text, expected[i].message);
      ck_assert_int_eq(verdict_of(pool, expected[i].kernel, 99).outcome, RPP_OUTCOME_PASS); /* the new worker is sound */
      ck_assert_int_eq(verdict_of(pool, PASS, 5).elements, 5);
    }
  rpp_pool_stop(pool);
}
END_TEST

static bool gone(pid_t pid) {
  for (int i = 0; i < 300; i++) {
    char path[64], line[256] = "", state = 'X';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return true;
    if (fgets(line, sizeof line, file) != NULL) sscanf(line, "%*d (%*[^)]) %c", &state);
    fclose(file);
    if (state == 'Z' || state == 'X') return true; /* nobody here may wait for it */
    usleep(10000);
  }
  return false;
}

START_TEST(a_hang_ends_with_its_children) {
  rpp_pool *pool = start(1);
  ck_assert_int_eq(verdict_of(pool, HANG, 1).outcome, RPP_OUTCOME_HANG);
  ck_assert(shared[0] > 0 && shared[1] > 0);
  ck_assert(gone(shared[0]) && gone(shared[1]));
  rpp_pool_stop(pool);
}
END_TEST

START_TEST(no_orphans_of_a_killed_parent) {
  volatile pid_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const rpp_spec spec = spec_of(1);
    rpp_message error;
    rpp_pool *pool = start(2);
    rpp_pool_submit(pool, 1, PID, &spec, RPP_THREADS_ONE, &error);
    uint64_t ticket;
    rpp_verdict verdict;
    if (rpp_pool_wait(pool, 10, &ticket, &verdict) != RPP_POOL_RESULT) _exit(1);
    page[0] = verdict.signal;
    for (;;) pause();
  }
  for (int i = 0; i < 1000 && page[0] == 0; i++) usleep(10000);
  ck_assert_int_gt(page[0], 0);
  ck_assert_int_eq(kill(page[0], 0), 0);
  kill(parent, SIGKILL);
  waitpid(parent, NULL, 0);
  ck_assert(gone(page[0]));
}
END_TEST

START_TEST(a_worker_that_wrote_outside_is_replaced) {
  rpp_pool *pool = start(1);
  const rpp_verdict first = verdict_of(pool, OUTSIDE, 1), second = verdict_of(pool, OUTSIDE, 1);
  ck_assert_int_eq(first.outcome, RPP_OUTCOME_OUTSIDE);
  ck_assert_ptr_nonnull(strstr(first.message.text, "out: 4 bytes after it"));
  ck_assert_str_ne(first.message.text, second.message.text);
  ck_assert_int_eq(verdict_of(pool, PID, 1).signal, verdict_of(pool, PID, 2).signal); /* others are not */
  rpp_pool_stop(pool);
}
END_TEST

START_TEST(threads_are_as_asked) {
  const rpp_threads asked[] = {RPP_THREADS_ONE, RPP_THREADS_TWO, RPP_THREADS_EITHER};
  rpp_pool *pool = start(1);
  for (int i = 0; i < 3; i++) {
    const rpp_spec spec = spec_of(1);
    rpp_message error;
    uint64_t ticket;
    rpp_verdict verdict;
    ck_assert(rpp_pool_submit(pool, 17, THREADS, &spec, asked[i], &error));
    ck_assert_int_eq(rpp_pool_wait(pool, 10, &ticket, &verdict), RPP_POOL_RESULT);
    ck_assert_uint_eq(ticket, 17);
    ck_assert_int_eq(verdict.elements, i == 0 ? 1 : 2);
  }
  rpp_pool_stop(pool);
}
END_TEST

START_TEST(explanations) {
  rpp_pool *pool = start(1);
  const rpp_spec spec = spec_of(1);
  rpp_verdict verdict = {.outcome = RPP_OUTCOME_MISMATCH, .gate = RPP_GATE_ROW};
  rpp_message text;
  ck_assert(rpp_pool_explain(pool, PASS, &spec, &verdict, &text));
  ck_assert_str_eq(text.text, "gate 3");
  ck_assert(!rpp_pool_explain(pool, ABORT, &spec, &verdict, &text));
  verdict.gate = RPP_GATE_STRUCTURE;
  ck_assert(!rpp_pool_explain(pool, PASS, &spec, &verdict, &text));
  rpp_pool_stop(pool);
}
END_TEST

/* Not a test of speed: it is printed, so that a slow channel is noticed. */
START_TEST(many_cases_each_once) {
  enum { CASES = 1000 };
  static bool seen[CASES];
  rpp_pool *pool = start(2);
  rpp_message error;
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  uint64_t next = 0, done = 0;
  while (done < CASES) {
    for (; next < CASES && rpp_pool_ready(pool); next++) {
      const rpp_spec spec = spec_of(next);
      ck_assert(rpp_pool_submit(pool, next, next % 100 == 50 ? SEGV : PASS, &spec, RPP_THREADS_ONE, &error));
    }
    uint64_t ticket;
    rpp_verdict verdict;
    ck_assert_int_eq(rpp_pool_wait(pool, 10, &ticket, &verdict), RPP_POOL_RESULT);
    ck_assert(ticket < CASES && !seen[ticket]);
    seen[ticket] = true;
    done++;
    if (ticket % 100 == 50)
      ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_CRASH);
    else
      ck_assert_uint_eq((uint64_t)verdict.elements, ticket);
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  fprintf(stderr, "# %.0f empty cases a second\n",
          CASES / ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)));
  uint64_t ticket;
  rpp_verdict verdict;
  ck_assert_int_eq(rpp_pool_wait(pool, 0, &ticket, &verdict), RPP_POOL_IDLE);
  rpp_pool_stop(pool);
}
END_TEST

START_TEST(waiting_has_an_end) {
  rpp_pool *pool = start(2);
  rpp_message error;
  const rpp_spec spec = spec_of(1);
  uint64_t ticket;
  rpp_verdict verdict;
  ck_assert(rpp_pool_submit(pool, 3, SPIN, &spec, RPP_THREADS_ONE, &error));
  ck_assert(rpp_pool_ready(pool));
  ck_assert_int_eq(rpp_pool_wait(pool, 0.01, &ticket, &verdict), RPP_POOL_TIMEOUT);
  ck_assert(rpp_pool_submit(pool, 4, PASS, &spec, RPP_THREADS_ONE, &error) && !rpp_pool_ready(pool));
  ck_assert(!rpp_pool_submit(pool, 5, PASS, &spec, RPP_THREADS_ONE, &error));
  ck_assert_int_eq(rpp_pool_wait(pool, 10, &ticket, &verdict), RPP_POOL_RESULT);
  ck_assert_uint_eq(ticket, 4);
  ck_assert_int_eq(rpp_pool_wait(pool, 10, &ticket, &verdict), RPP_POOL_RESULT);
  ck_assert_uint_eq(ticket, 3);
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_HANG);
  rpp_pool_stop(pool);
}
END_TEST

START_TEST(work_grows_with_the_case) {
  rpp_spec spec = spec_of(1);
  double before = rpp_spec_operations(&spec);
  ck_assert_double_gt(before, 0);
  int64_t *const sizes[] = {&spec.q_len, &spec.k_len, &spec.head_dim, &spec.batch};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    *sizes[i] *= 64;
    ck_assert_double_gt(rpp_spec_operations(&spec), 8 * before);
    before = rpp_spec_operations(&spec);
  }
  spec.rows = 1;
  ck_assert_double_lt(rpp_spec_operations(&spec), before);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("worker");
  TCase *tests = tcase_create("worker");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, deaths_are_verdicts);
  tcase_add_test(tests, a_hang_ends_with_its_children);
  tcase_add_test(tests, no_orphans_of_a_killed_parent);
  tcase_add_test(tests, a_worker_that_wrote_outside_is_replaced);
  tcase_add_test(tests, threads_are_as_asked);
  tcase_add_test(tests, explanations);
  tcase_add_test(tests, many_cases_each_once);
  tcase_add_test(tests, waiting_has_an_end);
  tcase_add_test(tests, work_grows_with_the_case);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
