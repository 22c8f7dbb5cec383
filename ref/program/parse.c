#include "program/parse.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values are cut to this many characters in messages, so that the reason always fits. */
#define SHOWN "%.80s"

/* The allowed characters rule out what strtoll and strtod would take beyond a decimal number: blanks, hexadecimal, nan, inf. */
static bool only(const char *text, const char *allowed) {
  return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

static bool number(const char *text, double *value) {
  if (!only(text, "0123456789+-.eE")) return false;
  char *end;
  const double parsed = strtod(text, &end);
  if (*end != '\0' || !isfinite(parsed)) return false;
  *value = parsed;
  return true;
}

bool rpp_parse_integer(const char *key, const char *text, int64_t least, int64_t *value, rpp_message *error) {
  char *end = NULL;
  errno = 0;
  const long long parsed = only(text, "0123456789-") ? strtoll(text, &end, 10) : 0;
  if (end == NULL || *end != '\0' || errno != 0)
    return rpp_message_set(error, "%s = " SHOWN ": must be a 64-bit integer", key, text);
  if (parsed < least) return rpp_message_set(error, "%s = %lld: must be at least %lld", key, parsed, (long long)least);
  *value = parsed;
  return true;
}

bool rpp_parse_unsigned(const char *key, const char *text, uint64_t *value, rpp_message *error) {
  errno = 0;
  const unsigned long long parsed = only(text, "0123456789") ? strtoull(text, NULL, 10) : (errno = EINVAL, 0);
  if (errno != 0) return rpp_message_set(error, "%s = " SHOWN ": must be an integer from 0 to 2^64 - 1", key, text);
  *value = parsed;
  return true;
}

bool rpp_parse_number(const char *key, const char *text, double *value, rpp_message *error) {
  return number(text, value) || rpp_message_set(error, "%s = " SHOWN ": must be a finite decimal number", key, text);
}

static bool find_name(const char *key, const char *text, size_t length, const rpp_name *table, int *value, rpp_message *error) {
  if (rpp_names_find(table, text, length, value)) return true;
  char names[160] = "";
  for (size_t used = 0; table->name != NULL && used < sizeof names; table++)
    used += (size_t)snprintf(names + used, sizeof names - used, used == 0 ? "%s" : ", %s", table->name);
  return rpp_message_set(error, "%s = " SHOWN ": must be one of %s", key, text, names);
}

bool rpp_parse_name(const char *key, const char *text, const rpp_name *table, int *value, rpp_message *error) {
  return find_name(key, text, strlen(text), table, value, error);
}

enum { FACTOR, ORIG, LOW, HIGH, OPTIONS };
static const char *const option_name[OPTIONS] = {"factor", "orig", "low", "high"};

/* The options that each kind takes, all of them required. */
static const bool takes[][OPTIONS] = {
    [RPP_SCALING_NONE] = {false},
    [RPP_SCALING_LINEAR] = {[FACTOR] = true},
    [RPP_SCALING_NTK] = {[FACTOR] = true},
    [RPP_SCALING_NTK_AWARE] = {[FACTOR] = true},
    [RPP_SCALING_YARN] = {[FACTOR] = true, [ORIG] = true},
    [RPP_SCALING_YARN_HF] = {[FACTOR] = true, [ORIG] = true},
    [RPP_SCALING_LLAMA3] = {[FACTOR] = true, [ORIG] = true, [LOW] = true, [HIGH] = true},
};

/* One `name=value` of length bytes: its option and its value; the index is OPTIONS when the name is unknown. */
static bool parse_option(const char *text, size_t length, int *option, double *value) {
  char copy[128];
  if (length >= sizeof copy) return false;
  memcpy(copy, text, length);
  copy[length] = '\0';
  char *equals = strchr(copy, '=');
  if (equals == NULL) return false;
  *equals = '\0';
  for (*option = 0; *option < OPTIONS && strcmp(copy, option_name[*option]) != 0;) ++*option;
  return number(equals + 1, value);
}

bool rpp_parse_scaling(const char *key, const char *text, rpp_scaling *scaling, rpp_message *error) {
  int kind;
  const size_t kind_length = strcspn(text, ":");
  if (!find_name(key, text, kind_length, rpp_names_scaling, &kind, error)) return false;

  double value[OPTIONS] = {0};
  bool given[OPTIONS] = {false};
  /* Every separator, a colon too, must be followed by an option: `linear:` and `linear:factor=8,` are refused. */
  for (const char *at = text + kind_length; *at != '\0';) {
    at++;
    const size_t length = strcspn(at, ",");
    int option = OPTIONS;
    double parsed;
    if (!parse_option(at, length, &option, &parsed))
      return rpp_message_set(error, "%s = " SHOWN ": '%.*s' must be name=number", key, text, length < 40 ? (int)length : 40, at);
    if (option == OPTIONS || !takes[kind][option])
      return rpp_message_set(error, "%s = " SHOWN ": '%.*s' is not an option of it", key, text, length < 40 ? (int)length : 40, at);
    if (given[option]) return rpp_message_set(error, "%s = " SHOWN ": %s is given twice", key, text, option_name[option]);
    given[option] = true;
    value[option] = parsed;
    at += length;
  }
  for (int option = 0; option < OPTIONS; option++)
    if (takes[kind][option] && !given[option])
      return rpp_message_set(error, "%s = " SHOWN ": %s is missing", key, text, option_name[option]);

  *scaling = (rpp_scaling){
      .kind = (rpp_scaling_kind)kind, .factor = value[FACTOR], .orig = value[ORIG], .low = value[LOW], .high = value[HIGH]};
  return true;
}

bool rpp_parse_mask(const char *key, const char *text, rpp_mask *mask, int64_t *window, rpp_message *error) {
  int kind;
  int64_t width = 0;
  const size_t length = strcspn(text, ":");
  if (!find_name(key, text, length, rpp_names_mask, &kind, error)) return false;
  if ((kind == RPP_MASK_WINDOW) != (text[length] == ':'))
    return rpp_message_set(error, "%s = " SHOWN ": must be causal, full or window:W", key, text);
  if (kind == RPP_MASK_WINDOW && !rpp_parse_integer("window", text + length + 1, 1, &width, error)) return false;
  *mask = (rpp_mask)kind;
  *window = width;
  return true;
}
