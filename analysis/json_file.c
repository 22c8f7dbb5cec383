#include "json_file.h"

#include <math.h>

#include "table.h"

bool rpp_json_file_write(json_t *all, bool shown, const char *folder, const char *name, rpp_message *error) {
  rpp_table file;
  if (!rpp_table_open(&file, folder, name, error)) {
    json_decref(all);
    return false;
  }
  bool good = all != NULL && json_dumpf(all, file.file, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) == 0;
  if (!good && !ferror(file.file)) {
    rpp_table_drop(&file);
    json_decref(all);
    return rpp_message_set(error, "%.150s: out of memory", name);
  }
  fputc('\n', file.file);
  good = rpp_table_close(&file, error);
  if (good && shown) {
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
    putchar('\n');
  }
  json_decref(all);
  return good;
}

json_t *rpp_json_or_null(double x) {
  return isnan(x) ? json_null() : json_real(x);
}
