/* last_words.h: of all that a process has said on its standard error, what tells why it ended. */
#ifndef RPP_LAST_WORDS_H
#define RPP_LAST_WORDS_H
#include "program/message.h"

/* The line in which a sanitizer says what was wrong; else the last lines that have a letter in them, at most so many, as far as the
 * message has room for them, joined by " | ". What differs from run to run is left out: the process's number and addresses. The text is
 * taken apart. */
void rpp_last_words(char *text, int lines, rpp_message *words);

#endif
