#include "table.h"

#include <stdarg.h>

bool rpp_table_open(rpp_table *table, const char *folder, const char *name, rpp_message *error) {
  char path[PATH_MAX];
  rpp_message why;
  *table = (rpp_table){.file = stdout};
  if (folder == NULL) return true;
  if (!rpp_folder_make(folder, error)) return false;
  const bool fits =
      snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path || rpp_message_set(&why, "is too long a name");
  if (!fits || !rpp_aside_open(&table->aside, path, &why)) return rpp_message_set(error, "%.150s/%s %s", folder, name, why.text);
  table->file = table->aside.file;
  return true;
}

void rpp_table_comment(rpp_table *table, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("# ", table->file);
  vfprintf(table->file, format, arguments);
  fputc('\n', table->file);
  va_end(arguments);
}

static void separate(rpp_table *table) {
  if (table->started) fputc(',', table->file);
  table->started = true;
}

void rpp_table_text(rpp_table *table, const char *text) {
  separate(table);
  fputs(text, table->file);
}

void rpp_table_number(rpp_table *table, double x) {
  separate(table);
  fprintf(table->file, "%.17g", x);
}

void rpp_table_integer(rpp_table *table, long long x) {
  separate(table);
  fprintf(table->file, "%lld", x);
}

void rpp_table_end_row(rpp_table *table) {
  fputc('\n', table->file);
  table->started = false;
}

bool rpp_table_close(rpp_table *table, rpp_message *error) {
  rpp_message why;
  if (table->file == stdout) return true; /* which is seen to at exit */
  return rpp_aside_commit(&table->aside, &why) || rpp_message_set(error, "%.150s %s", table->aside.target, why.text);
}

void rpp_table_drop(rpp_table *table) {
  if (table->file != stdout) rpp_aside_drop(&table->aside);
}
