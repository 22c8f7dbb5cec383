#include "reports/report.h"

#include <limits.h>

#include "program/aside.h"

static bool save(const rpp_report *report, const char *folder, const char *name, rpp_format format, rpp_message *error) {
  char path[PATH_MAX];
  rpp_aside aside;
  rpp_message why;
  bool good =
      (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path || rpp_message_set(&why, "is too long a name")) &&
      rpp_aside_open(&aside, path, &why);
  if (good) {
    rpp_report_print(report, format, aside.file);
    good = rpp_aside_commit(&aside, &why);
  }
  return good || rpp_message_set(error, "%.150s/%s %s", folder, name, why.text);
}

bool rpp_report_save(const rpp_report *report, const char *folder, rpp_message *error) {
  return rpp_folder_make(folder, error) && save(report, folder, "report.json", RPP_FORMAT_JSON, error) &&
         save(report, folder, "report.tap", RPP_FORMAT_TAP, error) && save(report, folder, "report.xml", RPP_FORMAT_JUNIT, error);
}
