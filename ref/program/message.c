#include "program/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool rpp_message_set(rpp_message *m, const char *format, ...) {
  char text[sizeof m->text] = "";
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof text) strcpy(text + sizeof text - 4, "...");
  for (char *c = text; *c != '\0'; c++)
    if (*c < ' ' || *c > '~') *c = '?';
  memcpy(m->text, text, sizeof text);
  return false;
}
