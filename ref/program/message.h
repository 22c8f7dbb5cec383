/* message.h: the one line that says why something was refused. */
#ifndef RPP_MESSAGE_H
#define RPP_MESSAGE_H

#include <stdbool.h>

typedef struct {
  char text[256];
} rpp_message;

/* Formats into m and returns false, so that a refusal reads `return rpp_message_set(...)`. Names and values often come from
 * hostile files, so every byte that is not printable ASCII becomes '?': the text is always one line, and cannot drive a
 * terminal. A text that is too long ends in "...". The arguments may point into m. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
bool rpp_message_set(rpp_message *m, const char *format, ...);

#endif
