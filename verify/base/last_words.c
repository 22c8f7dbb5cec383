#include "base/last_words.h"

#include <string.h>

static const char joint[] = " | ";

/* Copies a line without blanks before it and without what differs from run to run: the process's number, before it or as (pid=1), and
 * addresses in it. */
static void copy_line(const char *line, rpp_message *message) {
  char text[sizeof message->text];
  size_t used = 0;
  if (strncmp(line, "==", 2) == 0) line += strspn(line, "=0123456789");
  line += strspn(line, " \t");
  while (*line != '\0' && used + 1 < sizeof text) {
    text[used++] = *line++;
    if (used >= 2 && text[used - 2] == '0' && text[used - 1] == 'x') line += strspn(line, "0123456789abcdefABCDEF");
    if (used >= 4 && memcmp(text + used - 4, "pid=", 4) == 0) line += strspn(line, "0123456789");
  }
  text[used] = '\0';
  rpp_message_set(message, "%s", text);
}

static bool is_sanitizers(const char *line) {
  return strstr(line, "ERROR: ") != NULL || strstr(line, "runtime error: ") != NULL ||
         strstr(line, "WARNING: ThreadSanitizer") != NULL;
}

/* The last line of a text that has a letter, cut off it; null when there is none. */
static char *take_last(char *text) {
  for (;;) {
    char *end = strrchr(text, '\n'), *line = end == NULL ? text : end + 1;
    if (line[strcspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] != '\0') {
      if (end != NULL) *end = '\0';
      return line;
    }
    if (end == NULL) return NULL;
    *end = '\0';
  }
}

void rpp_last_words(char *text, int lines, rpp_message *words) {
  rpp_message line;
  words->text[0] = '\0';
  for (char *at = text; *at != '\0'; at += strspn(at, "\n")) {
    const size_t length = strcspn(at, "\n");
    const char kept = at[length];
    at[length] = '\0';
    const bool found = is_sanitizers(at);
    if (found) copy_line(at, words);
    at[length] = kept;
    if (found) return;
    at += length;
  }
  for (int taken = 0; taken < lines; taken++) {
    char *last = take_last(text);
    if (last == NULL) return;
    copy_line(last, &line);
    if (taken > 0 && strlen(line.text) + strlen(joint) + strlen(words->text) >= sizeof words->text) return;
    rpp_message_set(words, "%s%s%s", line.text, taken > 0 ? joint : "", words->text);
    if (last == text) return;
  }
}
