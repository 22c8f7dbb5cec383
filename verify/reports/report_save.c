#include "reports/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

/* Makes a folder and those above it. */
static bool make_folder(const char *folder) {
  char path[PATH];
  if (strlen(folder) >= sizeof path) {
    errno = ENAMETOOLONG;
    return false;
  }
  strcpy(path, folder);
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(path, 0777); /* whether it worked, the last one tells */
    *slash = '/';
  }
  struct stat status;
  if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))) return true;
  if (errno == EEXIST) errno = ENOTDIR;
  return false;
}

static bool save(const rpp_report *report, const char *folder, const char *name, rpp_format format) {
  char path[PATH + 64], aside[PATH + 96];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  snprintf(aside, sizeof aside, "%s.%ld", path, (long)getpid());
  FILE *file = fopen(aside, "w");
  if (file == NULL) return false;
  rpp_report_print(report, format, file);
  bool good = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
  int failed = errno;
  if (fclose(file) != 0 && good) good = false, failed = errno;
  if (good && rename(aside, path) != 0) good = false, failed = errno;
  if (!good) unlink(aside);
  errno = failed;
  return good;
}

bool rpp_report_folder(const char *folder, rpp_message *error) {
  if (make_folder(folder) && access(folder, W_OK | X_OK) == 0) return true;
  return rpp_message_set(error, "%.200s: %s", folder, strerror(errno));
}

bool rpp_report_save(const rpp_report *report, const char *folder, rpp_message *error) {
  if (!make_folder(folder) || !save(report, folder, "report.json", RPP_FORMAT_JSON) ||
      !save(report, folder, "report.tap", RPP_FORMAT_TAP) || !save(report, folder, "report.xml", RPP_FORMAT_JUNIT))
    return rpp_message_set(error, "%.200s: %s", folder, strerror(errno));
  return true;
}
