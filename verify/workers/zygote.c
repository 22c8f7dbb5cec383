#define _GNU_SOURCE /* close_range */
#include "workers/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 1024, CONTROL = 3, PASSED = 2 };

/* To the zygote: pid 0 asks for a new child, and two descriptors come with it; any other ends that child. From it: the pid, or the
 * status; failed is an errno. */
typedef struct {
  pid_t pid;
} request;
typedef struct {
  int value, failed;
} answer;

/* ---- In the zygote ------------------------------------------------------------------------------------------------------ */

static pid_t children[CHILDREN];

static pid_t *find(pid_t pid) {
  for (int i = 0; i < CHILDREN; i++)
    if (children[i] == pid) return &children[i];
  return NULL;
}

static int end(pid_t pid) {
  int status = -1;
  pid_t *entry = find(pid);
  if (pid <= 0 || entry == NULL) return -1;
  kill(-pid, SIGKILL); /* before waitpid, so that the number is still ours */
  kill(pid, SIGKILL);  /* where it left its group */
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  *entry = 0;
  return status;
}

static _Noreturn void be_child(rpp_zygote_child *child, const void *context, const int *fds) {
  const pid_t zygote = getppid();
  const struct rlimit none = {0, 0};
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != zygote) _exit(1); /* it died in between */
  setrlimit(RLIMIT_CORE, &none);
  signal(SIGPIPE, SIG_DFL);
  /* The channel goes where a program that closes or writes to small numbers at random does not find it. */
  const int channel = fcntl(fds[0], F_DUPFD_CLOEXEC, 100);
  dup2(fds[1], STDERR_FILENO);
  close_range(CONTROL, 99, 0);
  if (channel < 0) _exit(1);
  _exit(child(context, channel));
}

static int spawn(rpp_zygote_child *child, const void *context, const int *fds, int *failed) {
  pid_t *entry = find(0);
  const pid_t pid = entry == NULL ? -1 : fork();
  if (pid == 0) be_child(child, context, fds);
  *failed = pid < 0 ? (entry == NULL ? EAGAIN : errno) : 0;
  if (pid > 0) {
    setpgid(pid, pid); /* here too, so that it holds whichever runs first */
    *entry = pid;
  }
  return pid;
}

/* Receives a request and what descriptors came with it; false at the end. */
static bool receive(request *r, int *fds) {
  union {
    char bytes[CMSG_SPACE(PASSED * sizeof(int))];
    struct cmsghdr align;
  } ancillary;
  struct iovec data = {r, sizeof *r};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary};
  ssize_t size;
  fds[0] = fds[1] = -1;
  while ((size = recvmsg(CONTROL, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head != NULL && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(PASSED * sizeof(int)))
    memcpy(fds, CMSG_DATA(head), PASSED * sizeof(int));
  return size == sizeof *r;
}

static _Noreturn void be_zygote(rpp_zygote_child *child, const void *context, int control) {
  request r;
  int fds[PASSED];
  setpgid(0, 0); /* a terminal's Ctrl-C is for the parent, which then ends us */
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN); /* schedulers send it to every process of a job: the parent still has to write its report */
  sigset_t all;
  sigemptyset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  const int nowhere = open("/dev/null", O_RDWR);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  dup2(control, CONTROL);
  fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
  close_range(CONTROL + 1, ~0U, 0); /* a pipe that the parent holds must end when the parent does */
  while (receive(&r, fds)) {
    answer a = {0};
    if (r.pid == 0)
      a.value = spawn(child, context, fds, &a.failed);
    else
      a.value = end(r.pid);
    for (int i = 0; i < PASSED; i++)
      if (fds[i] >= 0) close(fds[i]);
    if (send(CONTROL, &a, sizeof a, MSG_NOSIGNAL) != sizeof a) break;
  }
  for (int i = 0; i < CHILDREN; i++)
    if (children[i] > 0) end(children[i]);
  _exit(0);
}

/* ---- In the parent ------------------------------------------------------------------------------------------------------ */

bool rpp_zygote_start(rpp_zygote *zygote, rpp_zygote_child *child, const void *context, rpp_message *error) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return rpp_message_set(error, "socketpair: %s", strerror(errno));
  fflush(NULL); /* a kernel that calls exit() must not write our buffers a second time */
  zygote->pid = fork();
  if (zygote->pid == 0) {
    close(pair[0]);
    be_zygote(child, context, pair[1]);
  }
  close(pair[1]);
  zygote->control = pair[0];
  if (zygote->pid > 0) return true;
  close(pair[0]);
  return rpp_message_set(error, "fork: %s", strerror(errno));
}

static bool ask(rpp_zygote *zygote, const struct msghdr *message, answer *a) {
  ssize_t size;
  while ((size = sendmsg(zygote->control, message, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
  }
  if (size != sizeof(request)) return false;
  while ((size = recv(zygote->control, a, sizeof *a, 0)) < 0 && errno == EINTR) {
  }
  return size == sizeof *a;
}

bool rpp_zygote_spawn(rpp_zygote *zygote, int channel, int chatter, pid_t *pid, rpp_message *error) {
  union {
    char bytes[CMSG_SPACE(PASSED * sizeof(int))];
    struct cmsghdr align;
  } ancillary = {.bytes = {0}};
  request r = {0};
  const int fds[PASSED] = {channel, chatter};
  struct iovec data = {&r, sizeof r};
  const struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  answer a;
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fds);
  memcpy(CMSG_DATA(head), fds, sizeof fds);
  if (!ask(zygote, &message, &a)) return rpp_message_set(error, "the process that starts workers is gone");
  if (a.failed != 0) return rpp_message_set(error, "fork: %s", strerror(a.failed));
  *pid = a.value;
  return true;
}

int rpp_zygote_end(rpp_zygote *zygote, pid_t pid) {
  request r = {pid};
  struct iovec data = {&r, sizeof r};
  const struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  answer a;
  return ask(zygote, &message, &a) ? a.value : -1;
}

void rpp_zygote_stop(rpp_zygote *zygote) {
  close(zygote->control);
  while (waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR) {
  }
}
