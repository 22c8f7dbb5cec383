#define _GNU_SOURCE /* pipe2, sigabbrev_np */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "kernels/plugin_load.h"

typedef struct {
  bool good;
  rpp_plugin_facts facts;
  rpp_message error;
} answer;

/* In the child: what the library prints goes nowhere, and the pipe stands where one that writes or closes at random does not find it. */
static _Noreturn void ask(const char *path, int pipe, pid_t parent) {
  const struct rlimit none = {0, 0};
  const int nowhere = open("/dev/null", O_RDWR), out = fcntl(pipe, F_DUPFD_CLOEXEC, 100);
  answer a;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  setrlimit(RLIMIT_CORE, &none);
  for (int fd = 0; fd <= 2; fd++) dup2(nowhere, fd);
  close(pipe);
  memset(&a, 0, sizeof a);
  a.good = rpp_plugin_load(path, &a.facts, &a.error) != NULL;
  _exit(write(out, &a, sizeof a) == sizeof a ? 0 : 1); /* without what the library registered for the end */
}

/* What the child says before the deadline; the bytes of it. More than an answer in one piece there is never: a pipe takes it whole. */
static size_t listen_to(int pipe, double deadline, answer *a) {
  struct pollfd polled = {.fd = pipe, .events = POLLIN};
  for (double left; (left = deadline - rpp_clock_seconds()) > 0;) {
    const int ready = poll(&polled, 1, (int)(1e3 * left) + 1);
    if (ready < 0 && errno != EINTR) return 0;
    if (ready > 0) {
      const ssize_t size = read(pipe, a, sizeof *a);
      return size > 0 ? (size_t)size : 0;
    }
  }
  return 0;
}

static bool died(int status, double limit_s, bool late, rpp_message *error) {
  const char *signal = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
  if (late) return rpp_message_set(error, "hangs: it was not loaded after %.3g s", limit_s);
  if (WIFSIGNALED(status)) return rpp_message_set(error, "crashes when it is loaded: SIG%s", signal == NULL ? "?" : signal);
  return rpp_message_set(error, "ends the process when it is loaded: exit, status %d", WEXITSTATUS(status));
}

bool rpp_plugin_probe(const char *path, double limit_s, rpp_plugin_facts *facts, rpp_message *error) {
  int ends[2], status = 0;
  answer a;
  _Static_assert(sizeof a <= 4096, "goes through a pipe in one piece");
  struct stat file;
  if (stat(path, &file) != 0) return rpp_message_set(error, "%s", strerror(errno));
  if (!S_ISREG(file.st_mode)) return rpp_message_set(error, "is no regular file");
  if (pipe2(ends, O_CLOEXEC) != 0) return rpp_message_set(error, "pipe: %s", strerror(errno));
  const double deadline = rpp_clock_seconds() + limit_s;
  const pid_t parent = getpid(), child = fork();
  if (child == 0) ask(path, ends[1], parent);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return rpp_message_set(error, "fork: %s", strerror(errno));
  }
  setpgid(child, child); /* here too, so that it holds whichever runs first */
  const size_t size = listen_to(ends[0], deadline, &a);
  const bool late = size == 0 && rpp_clock_seconds() >= deadline;
  close(ends[0]);
  kill(-child, SIGKILL); /* what it started, too. One that is dead already keeps the status it died with */
  kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (size != sizeof a) return died(status, limit_s, late, error);
  *facts = a.facts;
  *error = a.error;
  return a.good;
}
