#define _GNU_SOURCE /* st_mtim */
#include "kernels/kernel_program.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/case_write.h"

enum { DECLINES = 77, LINES = 3 };

/* A case file may pass for an answer's size when an answer has everything in float64, and this much metadata. */
enum { METADATA = 1 << 20 };

/* One case, being asked. */
typedef struct {
  rpp_program *program;
  const rpp_contract *contract;
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  rpp_tensor *out, *lse;
  char asked[PATH_MAX], answer[RPP_CHILD_LINE + 2]; /* paths */
  struct timespec written;                          /* when the case file was */
} question;

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  rpp_head_counts counts;
  (void)kernel;
  return rpp_attention_heads(problem->attention, &counts) == RPP_OK ? NULL : rpp_error_message(); /* EH with an odd count */
}

/* ---- The answer --------------------------------------------------------------------------------------------------------- */

static double elements(const rpp_tensor *t) {
  int64_t count = 0;
  return rpp_tensor_extent(t, &count, NULL) == RPP_OK ? (double)count : 0;
}

/* False for what would only fill memory. */
static bool fits(const question *q, const struct stat *status, rpp_message *error) {
  const double most =
      METADATA + sizeof(double) * (elements(q->out) + elements(q->lse) + 2 * elements(q->inputs->q) + elements(q->inputs->k));
  return (double)status->st_size <= most ||
         rpp_message_set(error, "the answer has %.3g bytes: out, lse, q_real, q_imag and k_rot in F64 have %.3g",
                         (double)status->st_size, most - METADATA);
}

/* Both times come from one clock, so a file of this case can be as old as the case file, and not older. */
static bool is_older(const struct timespec *a, const struct timespec *b) {
  return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static bool present(const question *q, struct stat *status, rpp_message *error) {
  if (stat(q->answer, status) == 0) return true;
  if (q->program->serves) return rpp_message_set(error, "answered %.150s: %s", q->answer, strerror(errno));
  return rpp_message_set(error, "nothing was written to {out}");
}

static bool read_answer(const question *q, rpp_message *error) {
  struct stat status;
  rpp_answer answer;
  if (!present(q, &status, error) || !fits(q, &status, error)) return false;
  if (is_older(&status.st_mtim, &q->written))
    return rpp_message_set(error, "answered %.150s: it was written before this case was asked", q->answer);
  if (!rpp_answer_load(q->answer, q->attention, q->inputs, q->program->axes, &answer, error)) return false;
  const rpp_dtype dtype = answer.tensor[RPP_ANSWER_OUT].dtype, wanted = q->contract->output;
  const bool good = (dtype == wanted || rpp_message_set(error, "out is %s: the contract has out=%s", rpp_dtype_name(dtype),
                                                        rpp_names_get(rpp_names_dtype, (int)wanted))) &&
                    rpp_answer_copy(&answer, q->out, q->lse, error);
  rpp_answer_free(&answer);
  return good;
}

/* What a program says beside it may be why. */
static int bad_answer(const question *q, const rpp_message *error) {
  rpp_message words;
  rpp_child_words(&q->program->child, 1, &words);
  rpp_message_set(&q->program->reason, words.text[0] == '\0' ? "%s" : "%s; it said: %s", error->text, words.text);
  return RPP_KERNEL_BAD_ANSWER;
}

static int take_answer(const question *q) {
  rpp_message error;
  return read_answer(q, &error) ? 0 : bad_answer(q, &error);
}

/* ---- Ends --------------------------------------------------------------------------------------------------------------- */

static void forget(const question *q) {
  unlink(q->asked);
  if (strncmp(q->answer, q->program->folder, strlen(q->program->folder)) == 0) unlink(q->answer);
}

/* Ends this process as the program did, saying what that said: to whoever waits for this process the two are one. */
static _Noreturn void follow(const question *q, int status) {
  rpp_message words;
  sigset_t all;
  rpp_child_words(&q->program->child, LINES, &words);
  if (words.text[0] == '\0' && WIFEXITED(status) && q->program->serves)
    rpp_message_set(&words, "the server ended before it had answered");
  forget(q);
  dprintf(STDERR_FILENO, "\n%s\n", words.text);
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  signal(WTERMSIG(status), SIG_DFL);
  sigfillset(&all);
  sigprocmask(SIG_UNBLOCK, &all, NULL);
  raise(WTERMSIG(status));
  _exit(128 + WTERMSIG(status));
}

/* What follows a word and a colon at the beginning of a line; null when it begins otherwise. */
static const char *after(const char *word, const char *line) {
  const size_t length = strlen(word);
  return strncmp(line, word, length) == 0 && line[length] == ':' ? line + length + 1 + strspn(line + length + 1, " \t") : NULL;
}

static int decline(rpp_program *program, const char *reason) {
  rpp_message_set(&program->reason, "%s", *reason == '\0' ? "the program gave no reason" : reason);
  return RPP_KERNEL_DECLINED;
}

/* ---- One process a case ------------------------------------------------------------------------------------------------- */

/* Every {in} and {out} of an argument replaced, in room of its own; null when memory is out. */
static char *fill_in(const char *argument, const question *q) {
  char *text = NULL;
  size_t size = 0;
  FILE *room = open_memstream(&text, &size);
  for (const char *at = argument; room != NULL && *at != '\0';) {
    const bool in = strncmp(at, "{in}", 4) == 0, out = strncmp(at, "{out}", 5) == 0;
    if (in || out)
      fputs(in ? q->asked : q->answer, room);
    else
      fputc(*at, room);
    at += in ? 4 : out ? 5 : 1;
  }
  if (room == NULL || fclose(room) != 0) return NULL;
  return text;
}

static bool start_once(const question *q, rpp_message *error) {
  rpp_program *p = q->program;
  size_t count = 0;
  while (p->command[count] != NULL) count++;
  char **arguments = calloc(count + 1, sizeof *arguments);
  bool good = arguments != NULL;
  for (size_t i = 0; good && i < count; i++) good = (arguments[i] = fill_in(p->command[i], q)) != NULL;
  good = good ? rpp_child_start(&p->child, arguments, false, error) : rpp_message_set(error, "memory is out");
  for (size_t i = 0; arguments != NULL && i < count; i++) free(arguments[i]);
  free(arguments);
  return good;
}

static int ask_once(const question *q) {
  rpp_program *p = q->program;
  rpp_message words;
  if (!start_once(q, &p->reason)) return RPP_KERNEL_UNASKED;
  const int status = rpp_child_wait(&p->child);
  if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != DECLINES)) follow(q, status);
  if (WEXITSTATUS(status) == 0) return take_answer(q);
  rpp_child_words(&p->child, 1, &words);
  const char *declined = after("unsupported", words.text);
  return decline(p, declined != NULL ? declined : words.text);
}

/* ---- A server ----------------------------------------------------------------------------------------------------------- */

/* What follows a line that is no answer cannot be told from one. */
static int end_server(const question *q, const char *what) {
  rpp_message error;
  rpp_message_set(&error, "%s", what);
  const int result = bad_answer(q, &error);
  rpp_child_end(&q->program->child);
  return result;
}

static int take_line(question *q) {
  rpp_program *p = q->program;
  rpp_message what;
  const char *line = p->child.answer, *declined = after("unsupported", line), *failed = after("error", line);
  if (*line == '\0') return end_server(q, "answered an empty line");
  if (declined != NULL) return decline(p, declined);
  if (failed != NULL) {
    rpp_message_set(&p->reason, "%s", *failed == '\0' ? "the program gave no reason" : failed);
    return 1;
  }
  snprintf(q->answer, sizeof q->answer, "%s", line);
  if (strchr(line, '/') != NULL || access(line, F_OK) == 0) return take_answer(q);
  rpp_message_set(&what, "answered a line that is no path of a file: %.100s", line);
  return end_server(q, what.text);
}

static int ask_server(question *q) {
  rpp_program *p = q->program;
  rpp_message what;
  if (p->child.pid == 0 && !rpp_child_start(&p->child, p->command, true, &p->reason)) return RPP_KERNEL_UNASKED;
  switch (rpp_child_ask(&p->child, q->asked)) {
  case RPP_CHILD_ANSWERED:
    return take_line(q);
  case RPP_CHILD_ENDED:
    follow(q, rpp_child_wait(&p->child));
  case RPP_CHILD_TOO_LONG:
    rpp_message_set(&what, "answered a line of more than %d bytes, or with a zero byte in it", RPP_CHILD_LINE);
    return end_server(q, what.text);
  default:
    rpp_message_set(&what, "wrote more to standard output than one line a case: %.80s", p->child.answer);
    return end_server(q, what.text);
  }
}

/* ---- The kernel --------------------------------------------------------------------------------------------------------- */

static bool write_case(question *q, rpp_message *error) {
  struct stat status;
  rpp_program *p = q->program;
  snprintf(q->asked, sizeof q->asked, "%s/%d-%" PRIu64 ".safetensors", p->folder, (int)getpid(), p->asked);
  snprintf(q->answer, sizeof q->answer, "%s/%d-%" PRIu64 ".answer.safetensors", p->folder, (int)getpid(), p->asked);
  p->asked++;
  if (!rpp_case_write(q->asked, NULL, q->attention, q->inputs, error)) return false;
  if (stat(q->asked, &status) != 0) return rpp_message_set(error, "the case file is gone: %s", strerror(errno));
  q->written = status.st_mtim;
  return true;
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *workspace, const char **reason) {
  rpp_program *program = (rpp_program *)kernel->data;
  question q = {
      .program = program, .contract = &kernel->contract, .attention = attention, .inputs = inputs, .out = out, .lse = lse};
  (void)workspace;
  *reason = program->reason.text;
  const int result = !write_case(&q, &program->reason) ? RPP_KERNEL_UNASKED : program->serves ? ask_server(&q) : ask_once(&q);
  forget(&q);
  return result;
}

rpp_kernel rpp_kernel_program(rpp_program *program, const rpp_contract *contract) {
  return (rpp_kernel){.version = RPP_KERNEL_VERSION,
                      .name = "program",
                      .description = "a program of the user's, in processes of its own",
                      .contract = *contract,
                      .data = program,
                      .lse_optional = true,
                      .supports = supports,
                      .forward = forward};
}
