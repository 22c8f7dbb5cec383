#define _GNU_SOURCE /* close_range, nftw, pipe2 */
#include "base/private_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIFE = 3, TRIES = 50, PAUSE_US = 100000, OPEN_FOLDERS = 16 };

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)kind, (void)place;
  remove(path);
  return 0;
}

/* Waits for the end of the pipe, and removes the folder: more than once, since what still writes into it ends at the same time. */
static _Noreturn void keep(const char *path, int life) {
  char byte;
  setpgid(0, 0); /* a terminal's Ctrl-C is for others */
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  const int nowhere = open("/dev/null", O_RDWR); /* who reads our output must not wait for this process */
  for (int fd = 0; fd < LIFE; fd++) dup2(nowhere, fd);
  dup2(life, LIFE);
  close_range(LIFE + 1, ~0U, 0);
  while (read(LIFE, &byte, 1) < 0 && errno == EINTR) {
  }
  for (int i = 0; i < TRIES; i++) {
    nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    if (access(path, F_OK) != 0) break;
    usleep(PAUSE_US);
  }
  _exit(0);
}

static bool make_folder(rpp_private_folder *folder, rpp_message *error) {
  char path[RPP_PRIVATE_FOLDER];
  const char *parent = getenv("TMPDIR");
  if (parent == NULL || *parent == '\0') parent = "/tmp";
  char *absolute = realpath(parent, NULL);
  if (absolute == NULL) return rpp_message_set(error, "TMPDIR = %.150s: %s", parent, strerror(errno));
  const int length = snprintf(path, sizeof path, "%s/ropepp-XXXXXX", absolute);
  free(absolute);
  if (length >= (int)sizeof path) return rpp_message_set(error, "TMPDIR = %.150s: is too long", parent);
  if (strpbrk(path, "\r\n") != NULL) return rpp_message_set(error, "TMPDIR = %.150s: must have no line break", parent);
  if (mkdtemp(path) == NULL) return rpp_message_set(error, "TMPDIR = %.150s: %s", parent, strerror(errno));
  memcpy(folder->path, path, sizeof path);
  return true;
}

bool rpp_private_folder_make(rpp_private_folder *folder, rpp_message *error) {
  int ends[2];
  if (!make_folder(folder, error)) return false;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    rpp_message_set(error, "pipe: %s", strerror(errno));
    rmdir(folder->path);
    return false;
  }
  fflush(NULL);
  folder->life = ends[1];
  folder->keeper = fork();
  if (folder->keeper == 0) {
    close(ends[1]);
    keep(folder->path, ends[0]);
  }
  close(ends[0]);
  if (folder->keeper > 0) return true;
  rpp_message_set(error, "fork: %s", strerror(errno));
  close(ends[1]);
  rmdir(folder->path);
  return false;
}

void rpp_private_folder_remove(rpp_private_folder *folder) {
  close(folder->life);
  while (waitpid(folder->keeper, NULL, 0) < 0 && errno == EINTR) {
  }
}
