/* config_fields.h: typed fields of a JSON file that nobody vouches for. Each refusal is one line that names the field and its value. */
#ifndef RPP_CONFIG_FIELDS_H
#define RPP_CONFIG_FIELDS_H
#include <jansson.h>
#include <stdint.h>

#include "program/message.h"

typedef struct {
  json_t *root;        /* the whole file, an object */
  json_t *fields;      /* its text_config, or the root itself */
  bool whole_as_reals; /* an integer in the file is too large for 64 bits: all of them were read as reals */
} rpp_config;

enum { RPP_CONFIG_LARGEST = 16 << 20 }; /* bytes of a file */

/* Reads and parses a file of at most RPP_CONFIG_LARGEST bytes, refusing keys that occur twice. False, with a message. */
bool rpp_config_load(const char *path, rpp_config *config, rpp_message *error);

/* The same of bytes in memory. */
bool rpp_config_parse(const char *bytes, size_t size, rpp_config *config, rpp_message *error);

void rpp_config_free(rpp_config *config);

/* A field of fields, or else of the root; *value is null when neither has it, or has null there. False, with a message, when the two
 * differ. */
bool rpp_config_get(const rpp_config *config, const char *field, json_t **value, rpp_message *error);

/* Typed: an integer from least, a finite number above low, true or false, text. *value stays as it is when there is no such field, unless
 * it is required. False, with a message. The text lives as long as the configuration. */
bool rpp_config_integer(const rpp_config *config, const char *field, bool required, int64_t least, int64_t *value,
                        rpp_message *error);
bool rpp_config_boolean(const rpp_config *config, const char *field, bool *value, rpp_message *error);
bool rpp_config_text(const rpp_config *config, const char *field, const char **value, rpp_message *error);

/* Of an object inside it. */
bool rpp_config_number_of(const json_t *object, const char *field, double low, double *value, rpp_message *error);

/* "field = value: what", the value as JSON, cut when it is long. Returns false. */
bool rpp_config_refuse(const char *field, const json_t *value, const char *what, rpp_message *error);

#endif
