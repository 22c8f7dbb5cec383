/* table.h: data as CSV: comment lines that say what each column is and how it was made, a header, rows. */
#ifndef RPP_TABLE_H
#define RPP_TABLE_H
#include "program/aside.h"

typedef struct {
  FILE *file;
  rpp_aside aside; /* used with a folder */
  bool started;    /* the row has a field */
} rpp_table;

/* FOLDER/NAME, written aside; standard output when folder is null. False, with a message, when it cannot be written. */
bool rpp_table_open(rpp_table *table, const char *folder, const char *name, rpp_message *error);

/* "# ..." and a line's end. Before the header. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void rpp_table_comment(rpp_table *table, const char *format, ...);

/* One field of the row (header or data). Numbers are printed with %.17g; text as it is, and has no comma, quote or line's end in it. */
void rpp_table_text(rpp_table *table, const char *text);
void rpp_table_number(rpp_table *table, double x);
void rpp_table_integer(rpp_table *table, long long x);
void rpp_table_end_row(rpp_table *table);

/* Puts it in place. False, with a message, when anything could not be written. */
bool rpp_table_close(rpp_table *table, rpp_message *error);

/* Forgets it, when something else has failed. */
void rpp_table_drop(rpp_table *table);

#endif
