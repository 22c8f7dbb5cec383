#include "model_options.h"

#include <inttypes.h>
#include <stdio.h>

#include "model_config.h"
#include "program/commands.h"

enum { KEY_MODEL = 0x300, KEY_CONFIG };

static void load(rpp_model_options *options, struct argp_state *state) {
  rpp_message error;
  if (options->name != NULL && options->config != NULL)
    rpp_refuse(state, "--model = %s, --config = %s: one of them is expected", options->name, options->config);
  if (options->config != NULL) {
    if (!rpp_model_load(options->config, &options->model, &error)) rpp_refuse(state, "%s", error.text);
    return;
  }
  if (options->name == NULL) options->name = "376m";
  if (!rpp_model_find(options->name, &options->model))
    rpp_refuse(state, "--model = %s: expected one of %s, or --config FILE", options->name, rpp_model_names());
}

static error_t parse(int key, char *value, struct argp_state *state) {
  rpp_model_options *options = state->input;
  switch (key) {
  case KEY_MODEL:
    options->name = value;
    return 0;
  case KEY_CONFIG:
    options->config = value;
    return 0;
  case ARGP_KEY_END:
    load(options, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option table[] = {
    {"model", KEY_MODEL, "NAME", 0, "a model of the paper: 376m (default), 776m", 1},
    {"config", KEY_CONFIG, "FILE", 0, "the model of a Hugging Face config.json: a decoder of Llama's kind", 1},
    {0}};

const struct argp rpp_model_argp = {table, parse, NULL, NULL, NULL, NULL, NULL};

void rpp_model_options_print(const rpp_model_options *options, char text[RPP_MODEL_TEXT]) {
  snprintf(text, RPP_MODEL_TEXT, "--%s=%s", options->config != NULL ? "config" : "model", options->model.name);
}

void rpp_model_print(const rpp_model *m, char text[RPP_MODEL_LINE]) {
  int used = snprintf(text, RPP_MODEL_LINE,
                      "%s (%s): hidden %" PRId64 ", FFN %" PRId64 ", %" PRId64 " layers, %" PRId64 " query heads and %" PRId64
                      " KV heads of width %" PRId64 ", vocabulary %" PRId64 ", embeddings %s",
                      m->name, m->about.text, m->hidden, m->ffn, m->layers, m->heads, m->kv_heads, m->head_dim, m->vocabulary,
                      m->tied ? "tied" : "untied");
  if (m->window > 0 && used < RPP_MODEL_LINE)
    snprintf(text + used, (size_t)(RPP_MODEL_LINE - used), ", window %" PRId64, m->window);
}
