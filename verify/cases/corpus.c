#define _GNU_SOURCE /* getline */
#include "cases/corpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 4096 }; /* of a corpus, which may be a pipe that never ends one */

bool rpp_corpus_add(rpp_corpus *corpus, const rpp_corpus_case *one) {
  if (corpus->count == corpus->room) {
    const int64_t room = 2 * corpus->room + 16;
    rpp_corpus_case *grown = realloc(corpus->cases, (size_t)room * sizeof *grown);
    if (grown == NULL) return false;
    corpus->cases = grown;
    corpus->room = room;
  }
  corpus->cases[corpus->count++] = *one;
  return true;
}

void rpp_corpus_free(rpp_corpus *corpus) {
  free(corpus->cases);
  *corpus = (rpp_corpus){0};
}

/* Ends a line where its comment or its blanks begin; the spec in it, "" when there is none. */
static char *trim(char *line) {
  line += strspn(line, " \t");
  line[strcspn(line, "#\r\n")] = '\0';
  size_t length = strlen(line);
  while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t')) line[--length] = '\0';
  return line;
}

static bool read_lines(FILE *file, rpp_corpus *corpus, rpp_message *error) {
  char line[LINE];
  bool good = true;
  for (int number = 1; good && fgets(line, sizeof line, file) != NULL; number++) {
    rpp_corpus_case one = {.index = corpus->count};
    rpp_message why;
    const bool whole = strchr(line, '\n') != NULL || feof(file);
    const char *text = trim(line);
    if (whole && *text == '\0') continue;
    if (!whole)
      good = rpp_message_set(error, "line %d: is too long", number);
    else if (!rpp_spec_parse(text, &one.spec, &why))
      good = rpp_message_set(error, "line %d: %s", number, why.text);
    else if (!rpp_corpus_add(corpus, &one))
      good = rpp_message_set(error, "memory is out");
  }
  if (good && ferror(file)) good = rpp_message_set(error, "%s", strerror(errno));
  return good;
}

bool rpp_corpus_read(const char *path, rpp_corpus *corpus, rpp_message *error) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return rpp_message_set(error, "%s", strerror(errno));
  const bool good = read_lines(file, corpus, error);
  fclose(file);
  return good;
}

/* ---- Appending ---------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The specs of a file as sorted texts. */
static char **texts_of(FILE *file, size_t *count) {
  char *line = NULL, **texts = NULL;
  size_t room = 0, used = 0, texts_room = 0;
  while (getline(&line, &room, file) >= 0) {
    if (used == texts_room) {
      char **grown = realloc(texts, (texts_room = 2 * texts_room + 64) * sizeof *texts);
      if (grown == NULL) break;
      texts = grown;
    }
    texts[used] = strdup(trim(line));
    if (texts[used] == NULL) break;
    used++;
  }
  free(line);
  if (used > 0) qsort(texts, used, sizeof *texts, compare);
  *count = used;
  return texts;
}

bool rpp_corpus_append(const rpp_corpus *corpus, const char *path, const char *const *kernels, rpp_message *error) {
  FILE *file = fopen(path, "a+");
  size_t known;
  if (file == NULL) return rpp_message_set(error, "%.200s: %s", path, strerror(errno));
  char **texts = texts_of(file, &known);
  fseek(file, 0, SEEK_END);
  const off_t size = ftello(file);
  /* A line that a killed program left half must not swallow ours. */
  if (fseek(file, -1, SEEK_END) == 0 && fgetc(file) != '\n') fputc('\n', file);
  fseek(file, 0, SEEK_END);
  char before[RPP_SPEC_TEXT] = "";
  for (int64_t i = 0; i < corpus->count; i++) {
    char text[RPP_SPEC_TEXT];
    const char *key = text;
    rpp_spec_print(&corpus->cases[i].spec, text);
    const bool again = strcmp(text, before) == 0 || (known > 0 && bsearch(&key, texts, known, sizeof *texts, compare) != NULL);
    if (!again) fprintf(file, "%s # %s\n", text, kernels[corpus->cases[i].kernel]);
    strcpy(before, text);
  }
  const bool good = fflush(file) == 0 && !ferror(file);
  if (!good) rpp_message_set(error, "%.200s: %s", path, strerror(errno));
  fclose(file);
  /* Nothing of it, where not all of it could be written. */
  if (!good && size >= 0 && truncate(path, size) != 0) rpp_message_set(error, "%.200s: its last line is not whole", path);
  for (size_t i = 0; i < known; i++) free(texts[i]);
  free(texts);
  return good;
}
