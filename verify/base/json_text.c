#include "base/json_text.h"

#include "program/message.h"

json_t *rpp_json_text(const char *text) {
  json_t *exact = json_string(text);
  rpp_message ascii;
  if (exact != NULL) return exact;
  rpp_message_set(&ascii, "%s", text);
  return json_string(ascii.text);
}

json_t *rpp_json_text_or_null(const char *text) {
  return *text == '\0' ? json_null() : rpp_json_text(text);
}
