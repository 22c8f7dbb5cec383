#define _GNU_SOURCE /* pipe2, pidfd_open, strchrnul */
#include "kernels/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/last_words.h"

enum { ECHO = 1 << 15 }; /* half of what the pipe behind our standard error holds */

/* ---- Starting ----------------------------------------------------------------------------------------------------------- */

/* After fork, and perhaps from among several threads: nothing but system calls. */
static _Noreturn void become(char *const *command, pid_t parent, int input, int output, int speech) {
  static const char failed[] = ": cannot be run\n";
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1); /* it died in between */
  const int defaults[] = {SIGINT, SIGTERM, SIGPIPE, SIGHUP};
  for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) signal(defaults[i], SIG_DFL);
  /* Out of the way first: where one of the three was closed, a pipe may have its number. */
  input = fcntl(input, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  output = fcntl(output, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  speech = fcntl(speech, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(speech, STDERR_FILENO);
  execvp(command[0], command);
  if (write(STDERR_FILENO, command[0], strlen(command[0])) > 0 && write(STDERR_FILENO, failed, sizeof failed - 1) > 0) _exit(127);
  _exit(127);
}

static void close_end(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static bool start(rpp_child *child, char *const *command, bool serves, int ends[3], rpp_message *error) {
  int input[2] = {-1, -1}, output[2] = {-1, -1}, speech[2] = {-1, -1};
  bool good = pipe2(speech, O_CLOEXEC) == 0;
  if (serves)
    good = good && pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0;
  else
    good = good && (input[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;
  child->input = input[1], child->output = output[0], child->speech = speech[0];
  ends[0] = input[0], ends[1] = output[1], ends[2] = speech[1];
  const pid_t parent = getpid();
  if (good) child->pid = fork();
  if (child->pid == 0 && good) become(command, parent, ends[0], serves ? ends[1] : ends[2], ends[2]);
  if (!good || child->pid < 0) return rpp_message_set(error, "%.100s: cannot be started: %s", command[0], strerror(errno));
  child->pidfd = pidfd_open(child->pid, 0);
  if (child->pidfd < 0) return rpp_message_set(error, "%.100s: pidfd_open: %s", command[0], strerror(errno));
  fcntl(child->speech, F_SETFL, O_NONBLOCK);
  if (child->output >= 0) fcntl(child->output, F_SETFL, O_NONBLOCK);
  return true;
}

bool rpp_child_start(rpp_child *child, char *const *command, bool serves, rpp_message *error) {
  int ends[3];
  *child = (rpp_child){.pidfd = -1};
  const bool started = start(child, command, serves, ends, error);
  for (int i = 0; i < 3; i++) close_end(&ends[i]);
  if (!started) rpp_child_end(child);
  return started;
}

bool rpp_child_can_start(const char *command) {
  struct stat status;
  char path[PATH_MAX];
  if (strchr(command, '/') != NULL) return stat(command, &status) == 0 && S_ISREG(status.st_mode) && access(command, X_OK) == 0;
  const char *folders = getenv("PATH");
  for (const char *at = folders == NULL ? "/bin:/usr/bin" : folders; *command != '\0';) {
    const char *end = strchrnul(at, ':');
    const int length = snprintf(path, sizeof path, "%.*s/%s", end == at ? 1 : (int)(end - at), end == at ? "." : at, command);
    if (length < (int)sizeof path && stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0) return true;
    if (*end == '\0') return false;
    at = end + 1;
  }
  return false;
}

/* ---- What it says ------------------------------------------------------------------------------------------------------- */

/* Keeps the last of it. Our standard error may be a pipe that nobody reads before we die: what it has no room for is dropped. */
static void note(rpp_child *child, const char *bytes, size_t size) {
  if (child->echoed + size <= ECHO && write(STDERR_FILENO, bytes, size) > 0) child->echoed += size;
  if (size > sizeof child->words) bytes += size - sizeof child->words, size = sizeof child->words;
  const size_t kept = child->said + size > sizeof child->words ? sizeof child->words - size : child->said;
  memmove(child->words, child->words + child->said - kept, kept);
  memcpy(child->words + kept, bytes, size);
  child->said = kept + size;
}

/* Reads what is there; closes what has ended. */
static void hear(rpp_child *child) {
  char bytes[4096];
  ssize_t size = 0;
  while (child->speech >= 0 && ((size = read(child->speech, bytes, sizeof bytes)) > 0 || (size < 0 && errno == EINTR)))
    if (size > 0) note(child, bytes, (size_t)size);
  if (size == 0) close_end(&child->speech);
}

void rpp_child_words(const rpp_child *child, int lines, rpp_message *words) {
  char text[RPP_CHILD_SAID + 1];
  size_t used = 0;
  for (size_t i = 0; i < child->said; i++)
    if (child->words[i] != '\0') text[used++] = child->words[i] == '\r' ? '\n' : child->words[i];
  text[used] = '\0';
  rpp_last_words(text, lines, words);
}

/* ---- Asking ------------------------------------------------------------------------------------------------------------- */

/* Reads what is there of its output, a line and a byte at most. */
static void read_answer(rpp_child *child) {
  ssize_t size = 0;
  while (child->output >= 0 && child->answered < sizeof child->answer &&
         ((size = read(child->output, child->answer + child->answered, sizeof child->answer - child->answered)) > 0 ||
          (size < 0 && errno == EINTR)))
    if (size > 0) child->answered += (size_t)size;
  if (size == 0 && child->answered < sizeof child->answer) close_end(&child->output);
}

/* Waits until there is something to read, or the end. True at the end, when everything is read. */
static bool attend(rpp_child *child) {
  struct pollfd polled[] = {{child->pidfd, POLLIN, 0}, {child->speech, POLLIN, 0}, {child->output, POLLIN, 0}};
  while (poll(polled, 3, -1) < 0 && errno == EINTR) {
  }
  hear(child);
  read_answer(child);
  return polled[0].revents != 0;
}

/* True once it is known what the answer is. */
static bool look(rpp_child *child, rpp_child_result *result) {
  char *end = memchr(child->answer, '\n', child->answered);
  if (end == NULL) {
    *result = RPP_CHILD_TOO_LONG;
    return child->answered > RPP_CHILD_LINE;
  }
  const size_t length = (size_t)(end - child->answer);
  *result = end + 1 < child->answer + child->answered ? RPP_CHILD_UNASKED : RPP_CHILD_ANSWERED;
  if (length > RPP_CHILD_LINE || memchr(child->answer, '\0', length) != NULL) *result = RPP_CHILD_TOO_LONG;
  *end = '\0';
  child->answered = 0;
  return true;
}

/* Whether all of it was written. A child that has ended must not end us by SIGPIPE. */
static void tell(const rpp_child *child, const char *line) {
  struct sigaction old, ignore = {.sa_handler = SIG_IGN};
  char text[RPP_CHILD_LINE + 2];
  const int length = snprintf(text, sizeof text, "%s\n", line);
  sigemptyset(&ignore.sa_mask);
  sigaction(SIGPIPE, &ignore, &old);
  for (int done = 0; done < length;) {
    const ssize_t size = write(child->input, text + done, (size_t)(length - done));
    if (size < 0 && errno != EINTR) break;
    if (size > 0) done += (int)size;
  }
  sigaction(SIGPIPE, &old, NULL);
}

rpp_child_result rpp_child_ask(rpp_child *child, const char *line) {
  rpp_child_result result;
  child->echoed = child->said = 0;
  read_answer(child);
  if (look(child, &result)) return result == RPP_CHILD_ANSWERED ? RPP_CHILD_UNASKED : result;
  tell(child, line);
  for (bool ended = false; !ended;) {
    ended = attend(child);
    if (look(child, &result)) return result;
  }
  return RPP_CHILD_ENDED;
}

/* ---- Ending ------------------------------------------------------------------------------------------------------------- */

static int bury(rpp_child *child) {
  int status = 0;
  while (child->pid > 0 && waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  child->pid = 0;
  close_end(&child->pidfd);
  close_end(&child->input);
  close_end(&child->output);
  close_end(&child->speech);
  return status;
}

int rpp_child_wait(rpp_child *child) {
  while (!attend(child)) {
    if (child->answered == sizeof child->answer) child->answered = 0; /* nobody asks for it any more */
  }
  return bury(child);
}

void rpp_child_end(rpp_child *child) {
  if (child->pid > 0) kill(child->pid, SIGKILL);
  bury(child);
}
