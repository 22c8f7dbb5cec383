#include "program/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/names.h"

void rpp_print_number(double x, char *text) {
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, RPP_PRINT_TEXT, "%.*g", digits, x);
    if (strtod(text, NULL) == x) break;
  }
  char *comma = strchr(text, ','); /* of a locale */
  if (comma != NULL) *comma = '.';
}

static void append(char *text, const char *name, double value) {
  char number[RPP_PRINT_TEXT];
  const size_t used = strlen(text);
  rpp_print_number(value, number);
  snprintf(text + used, RPP_PRINT_TEXT - used, "%s%s=%.30s", strchr(text, ':') == NULL ? ":" : ",", name, number);
}

void rpp_print_scaling(const rpp_scaling *scaling, char *text) {
  const rpp_scaling_kind kind = scaling->kind;
  snprintf(text, RPP_PRINT_TEXT, "%s", rpp_names_get(rpp_names_scaling, (int)kind));
  if (kind == RPP_SCALING_NONE) return;
  append(text, "factor", scaling->factor);
  if (kind >= RPP_SCALING_YARN) append(text, "orig", scaling->orig);
  if (kind != RPP_SCALING_LLAMA3) return;
  append(text, "low", scaling->low);
  append(text, "high", scaling->high);
}

void rpp_print_mask(rpp_mask mask, int64_t window, char *text) {
  const char *name = rpp_names_get(rpp_names_mask, (int)mask);
  if (mask == RPP_MASK_WINDOW)
    snprintf(text, RPP_PRINT_TEXT, "%s:%" PRId64, name, window);
  else
    snprintf(text, RPP_PRINT_TEXT, "%s", name);
}
