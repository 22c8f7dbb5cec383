#include "base/shell.h"

#include <string.h>

/* Inside single quotes a shell reads everything but a single quote as it is. */
void rpp_shell_append(const char *argument, char *line) {
  const size_t plain = strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+,=@%");
  char *at = line + strlen(line);
  if (argument[plain] == '\0' && plain > 0) {
    strcpy(at, argument);
    return;
  }
  *at++ = '\'';
  for (; *argument != '\0'; argument++) at = *argument == '\'' ? stpcpy(at, "'\\''") : (*at = *argument, at + 1);
  strcpy(at, "'");
}
