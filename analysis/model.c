#include "model.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* The models of the paper, embeddings untied. */
static const rpp_model built_in[] = {
    {"376m", 1024, 3584, 8, 8, 4, 128, 128256, false, 0, {"the paper's 376M"}},
    {"776m", 1536, 5376, 12, 12, 6, 128, 128256, false, 0, {"the paper's 776M"}},
};

enum { BUILT_IN = sizeof built_in / sizeof *built_in };

bool rpp_model_find(const char *name, rpp_model *model) {
  for (int i = 0; i < BUILT_IN; i++)
    if (strcmp(built_in[i].name, name) == 0) {
      *model = built_in[i];
      return true;
    }
  return false;
}

const char *rpp_model_names(void) {
  static char names[BUILT_IN * (sizeof built_in->name + 2)];
  names[0] = '\0';
  for (int i = 0; i < BUILT_IN; i++) strcat(strcat(names, i == 0 ? "" : ", "), built_in[i].name);
  return names;
}

void rpp_model_name(const char *text, char name[64]) {
  const size_t length = strlen(text), room = sizeof((rpp_model *)0)->name - 1, skipped = length > room ? length - room : 0;
  strcpy(name, text + skipped);
  for (char *c = name; *c != '\0'; c++)
    if (!isascii((unsigned char)*c) || !(isalnum((unsigned char)*c) || strchr("._-/", *c) != NULL)) *c = '?';
}

bool rpp_model_check(const rpp_model *model, rpp_message *error) {
  const struct {
    const char *field;
    int64_t size;
  } sizes[] = {{"hidden_size", model->hidden},           {"intermediate_size", model->ffn},
               {"num_hidden_layers", model->layers},     {"num_attention_heads", model->heads},
               {"num_key_value_heads", model->kv_heads}, {"head_dim", model->head_dim},
               {"vocab_size", model->vocabulary}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].size < 1 || sizes[i].size > RPP_MODEL_LARGEST)
      return rpp_message_set(error, "%s = %" PRId64 ": must be from 1 to %d", sizes[i].field, sizes[i].size, RPP_MODEL_LARGEST);
  if (model->head_dim % 2 != 0) return rpp_message_set(error, "head_dim = %" PRId64 ": must be even", model->head_dim);
  if (model->heads % model->kv_heads != 0)
    return rpp_message_set(error, "num_attention_heads = %" PRId64 ": must be a multiple of num_key_value_heads = %" PRId64,
                           model->heads, model->kv_heads);
  if (model->window < 0) return rpp_message_set(error, "sliding_window = %" PRId64 ": must not be negative", model->window);
  return true;
}

bool rpp_model_heads(const rpp_model *model, rpp_mode mode, rpp_head_counts *counts, rpp_message *why_not) {
  const rpp_attention attention = {.mode = mode, .heads = model->heads, .kv_heads = model->kv_heads};
  return rpp_attention_heads(&attention, counts) == RPP_OK || rpp_message_set(why_not, "%s", rpp_error_message());
}

const char *rpp_mode_title(rpp_mode mode) {
  return mode == RPP_MODE_ROPE ? "RoPE" : mode == RPP_MODE_EC ? "EC" : "EH";
}
