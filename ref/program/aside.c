#include "program/aside.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(rpp_message *error, int number) {
  return rpp_message_set(error, "cannot be written: %s", strerror(number != 0 ? number : EIO));
}

/* ---- What a signal must remove -------------------------------------------------------------------------------------------- */

enum { MOST_OPEN = 8 }; /* more are written, but not removed */
static const rpp_aside *volatile open_files[MOST_OPEN];

static void replace(const rpp_aside *old, const rpp_aside *new) {
  int i = 0;
  while (i < MOST_OPEN && open_files[i] != old) i++;
  if (i < MOST_OPEN) open_files[i] = new;
}

static void remove_all(int number) {
  for (int i = 0; i < MOST_OPEN; i++)
    if (open_files[i] != NULL) unlink(open_files[i]->aside);
  signal(number, SIG_DFL);
  raise(number);
}

void rpp_aside_clean_on_signals(void) {
  static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
  for (int i = 0; i < 3; i++)
    if (signal(numbers[i], remove_all) == SIG_IGN) signal(numbers[i], SIG_IGN);
}

/* ---- Files ---------------------------------------------------------------------------------------------------------------- */

/* The file that path stands for, links followed, and a name aside it. */
static bool choose_names(rpp_aside *a, const char *path, rpp_message *error) {
  struct stat status;
  if (*path == '\0' || path[strlen(path) - 1] == '/') return rpp_message_set(error, "cannot be written: not the name of a file");
  if (stat(path, &status) == 0) {
    if (!S_ISREG(status.st_mode)) return rpp_message_set(error, "cannot be written: not a regular file");
    if (realpath(path, a->target) == NULL) return fail(error, errno);
  } else if (errno != ENOENT)
    return fail(error, errno);
  else if (snprintf(a->target, sizeof a->target, "%s", path) >= (int)sizeof a->target)
    return fail(error, ENAMETOOLONG);
  return snprintf(a->aside, sizeof a->aside, "%s.XXXXXX", a->target) < (int)sizeof a->aside || fail(error, ENAMETOOLONG);
}

/* What a file made by open would have: mkstemp's is private. */
static void open_to_others(int fd) {
  const mode_t mask = umask(0);
  umask(mask);
  (void)fchmod(fd, 0666 & ~mask); /* else it stays private: no reason to fail */
}

bool rpp_aside_open(rpp_aside *aside, const char *path, rpp_message *error) {
  aside->file = NULL;
  if (!choose_names(aside, path, error)) return false;
  const int fd = mkstemp(aside->aside);
  aside->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
  if (aside->file == NULL) {
    fail(error, errno);
    if (fd >= 0) close(fd), unlink(aside->aside);
    return false;
  }
  replace(NULL, aside);
  open_to_others(fd);
  errno = 0; /* the first write that fails says why */
  return true;
}

bool rpp_aside_commit(rpp_aside *aside, rpp_message *error) {
  bool good = fflush(aside->file) == 0 && !ferror(aside->file) && fsync(fileno(aside->file)) == 0;
  int number = errno;
  if (fclose(aside->file) != 0 && good) good = false, number = errno;
  aside->file = NULL;
  if (good && rename(aside->aside, aside->target) != 0) good = false, number = errno;
  if (!good) unlink(aside->aside);
  replace(aside, NULL);
  if (good) return true;
  return fail(error, number);
}

void rpp_aside_drop(rpp_aside *aside) {
  if (aside->file == NULL) return;
  fclose(aside->file);
  aside->file = NULL;
  unlink(aside->aside);
  replace(aside, NULL);
}

bool rpp_folder_make(const char *folder, rpp_message *error) {
  char path[PATH_MAX];
  struct stat status;
  if (strlen(folder) >= sizeof path) return rpp_message_set(error, "%.100s...: %s", folder, strerror(ENAMETOOLONG));
  if (*folder == '\0') return rpp_message_set(error, "the name of a folder is empty");
  strcpy(path, folder);
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(path, 0777); /* whether it worked, the last one tells */
    *slash = '/';
  }
  if (mkdir(path, 0777) == 0 || errno == EEXIST) {
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
      errno = ENOTDIR;
    else if (access(path, W_OK | X_OK) == 0)
      return true;
  }
  return rpp_message_set(error, "%.200s: %s", folder, strerror(errno));
}
