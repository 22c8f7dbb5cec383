#include "model_config.h"

#include <inttypes.h>
#include <string.h>

#include "program/print.h"

/* ---- What is refused ------------------------------------------------------------------------------------------------------ */

/* Fields of other architectures. One is there when it is neither null, false, 0, "" nor empty. */
static const struct {
  const char *field, *why;
} foreign[] = {
    {"is_encoder_decoder", "an encoder and a decoder: only decoders are counted"},
    {"n_experts", "experts are not counted"},
    {"num_experts", "experts are not counted"},
    {"num_local_experts", "experts are not counted"},
    {"n_routed_experts", "experts are not counted"},
    {"moe_intermediate_size", "experts are not counted"},
    {"kv_lora_rank", "a compressed KV cache is not counted"},
    {"num_kv_shared_layers", "layers that share a KV cache are not counted"},
    {"cross_attention_layers", "cross-attention is not counted"},
    {"attention_chunk_size", "chunked attention is not counted"},
    {"linear_num_value_heads", "linear attention is not counted"},
    {"full_attention_interval", "layers without attention are not counted"},
    {"hybrid_override_pattern", "layers without attention are not counted"},
    {"block_configs", "layers that differ are not counted"},
    {"mamba_d_state", "state-space layers are not counted"},
    {"state_size", "state-space layers are not counted"},
    {"ssm_cfg", "state-space layers are not counted"},
    {"activation_function", "an FFN without a gate: only Llama's kind is counted"},
};

static bool is_there(const json_t *value) {
  return value != NULL && !json_is_null(value) && !json_is_false(value) &&
         !(json_is_number(value) && json_number_value(value) == 0) && !(json_is_string(value) && json_string_length(value) == 0) &&
         !(json_is_array(value) && json_array_size(value) == 0) && !(json_is_object(value) && json_object_size(value) == 0);
}

static bool check_foreign(const rpp_config *config, rpp_message *error) {
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    const json_t *places[] = {json_object_get(config->fields, foreign[i].field), json_object_get(config->root, foreign[i].field)};
    for (int p = 0; p < 2; p++)
      if (is_there(places[p])) return rpp_config_refuse(foreign[i].field, places[p], foreign[i].why, error);
  }
  return true;
}

static bool check_layer_types(const rpp_config *config, rpp_message *error) {
  json_t *types, *type;
  size_t i;
  if (!rpp_config_get(config, "layer_types", &types, error) || types == NULL) return types == NULL;
  if (!json_is_array(types)) return rpp_config_refuse("layer_types", types, "must be a list", error);
  json_array_foreach(types, i, type) {
    const char *name = json_is_string(type) ? json_string_value(type) : "";
    if (strcmp(name, "full_attention") != 0 && strcmp(name, "sliding_attention") != 0)
      return rpp_config_refuse("layer_types", type, "only full_attention and sliding_attention are counted", error);
  }
  return true;
}

/* ---- Families ------------------------------------------------------------------------------------------------------------- */

/* What a file need not say, by the beginning of its model_type: whether embeddings are tied, and whether gelu is a gate's activation. */
static const struct {
  const char *model_type;
  bool tied, gelu_gates;
} families[] = {{"gemma", true, true}, {"cohere", true, false}, {"", false, false}};

static bool read_family(const rpp_config *config, rpp_model *model, const char **type, rpp_message *error) {
  const json_t *named = json_object_get(config->fields, "model_type");
  if (named != NULL && !json_is_string(named)) return rpp_config_refuse("model_type", named, "must be text", error);
  *type = named != NULL ? json_string_value(named) : "";
  int f = 0;
  while (strncmp(*type, families[f].model_type, strlen(families[f].model_type)) != 0) f++;
  model->tied = families[f].tied;
  static const char *const fields[] = {"hidden_act", "hidden_activation"};
  for (int i = 0; i < 2; i++) {
    const char *act = "silu";
    if (!rpp_config_text(config, fields[i], &act, error)) return false;
    const bool gated = strcmp(act, "silu") == 0 || strcmp(act, "swish") == 0;
    if (!gated && !(families[f].gelu_gates && strncmp(act, "gelu", 4) == 0))
      return rpp_message_set(error, "%s = \"%.40s\": silu is expected: only FFNs with a gate (gate, up, down) are counted",
                             fields[i], act);
  }
  return rpp_config_boolean(config, "tie_word_embeddings", &model->tied, error);
}

/* ---- Rotary position embedding: checked and shown ------------------------------------------------------------------------- */

/* "llama3 (factor 8)" at the end of about. */
static bool read_scaling(const char *field, const json_t *scaling, double *theta, rpp_message *about, rpp_message *error) {
  double factor = 0, inner = 0;
  char number[RPP_PRINT_TEXT];
  if (!json_is_object(scaling)) return rpp_config_refuse(field, scaling, "must be an object", error);
  const json_t *type = json_object_get(scaling, "rope_type");
  if (type == NULL) type = json_object_get(scaling, "type");
  if (type != NULL && !json_is_string(type)) return rpp_config_refuse("rope_type", type, "must be text", error);
  if (!rpp_config_number_of(scaling, "factor", 0, &factor, error) || !rpp_config_number_of(scaling, "rope_theta", 1, &inner, error))
    return false;
  if (inner > 0 && *theta > 0 && inner != *theta)
    return rpp_config_refuse("rope_theta", json_object_get(scaling, "rope_theta"), "contradicts the one outside", error);
  if (inner > 0) *theta = inner;
  if (type != NULL) rpp_message_set(about, "%s, %s %.40s", about->text, field, json_string_value(type));
  rpp_print_number(factor, number);
  if (factor > 0) rpp_message_set(about, "%s (factor %s)", about->text, number);
  return true;
}

static bool read_rope(const rpp_config *config, rpp_message *about, rpp_message *error) {
  static const char *const fields[] = {"rope_scaling", "rope_parameters"};
  double theta = 0;
  char number[RPP_PRINT_TEXT];
  json_t *value;
  if (!rpp_config_get(config, "rope_theta", &value, error)) return false;
  if (value != NULL && !rpp_config_number_of(json_object_get(config->fields, "rope_theta") == value ? config->fields : config->root,
                                             "rope_theta", 1, &theta, error))
    return false;
  for (int i = 0; i < 2; i++) {
    if (!rpp_config_get(config, fields[i], &value, error)) return false;
    if (value != NULL && !read_scaling(fields[i], value, &theta, about, error)) return false;
  }
  rpp_print_number(theta, number);
  if (theta > 0) rpp_message_set(about, "%s, rope_theta %s", about->text, number);
  return true;
}

/* ---- Sizes ---------------------------------------------------------------------------------------------------------------- */

static bool read_sizes(const rpp_config *config, rpp_model *model, rpp_message *error) {
  if (!rpp_config_integer(config, "hidden_size", true, 1, &model->hidden, error) ||
      !rpp_config_integer(config, "intermediate_size", true, 1, &model->ffn, error) ||
      !rpp_config_integer(config, "num_hidden_layers", true, 1, &model->layers, error) ||
      !rpp_config_integer(config, "num_attention_heads", true, 1, &model->heads, error) ||
      !rpp_config_integer(config, "vocab_size", true, 1, &model->vocabulary, error))
    return false;
  model->kv_heads = model->heads;
  if (!rpp_config_integer(config, "num_key_value_heads", false, 1, &model->kv_heads, error) ||
      !rpp_config_integer(config, "head_dim", false, 1, &model->head_dim, error))
    return false;
  if (model->head_dim > 0) return true;
  model->head_dim = model->hidden / model->heads;
  return model->hidden % model->heads == 0 ||
         rpp_message_set(
             error, "hidden_size = %" PRId64 ": must be a multiple of num_attention_heads = %" PRId64 ", as there is no head_dim",
             model->hidden, model->heads);
}

/* A window is one only where it is used. */
static bool read_window(const rpp_config *config, rpp_model *model, rpp_message *error) {
  bool used = true;
  return rpp_config_boolean(config, "use_sliding_window", &used, error) &&
         (!used || rpp_config_integer(config, "sliding_window", false, 1, &model->window, error));
}

bool rpp_model_from_config(const rpp_config *config, rpp_model *model, rpp_message *error) {
  const char *type = "";
  *model = (rpp_model){.name = "config"};
  if (!check_foreign(config, error) || !check_layer_types(config, error) || !read_family(config, model, &type, error)) return false;
  rpp_message_set(&model->about, "model_type %.40s%s, FFN with a gate", *type != '\0' ? type : "not given",
                  config->fields != config->root ? " (its text_config)" : "");
  return read_sizes(config, model, error) && read_window(config, model, error) && read_rope(config, &model->about, error) &&
         rpp_model_check(model, error);
}

bool rpp_model_load(const char *path, rpp_model *model, rpp_message *error) {
  rpp_config config;
  rpp_message why;
  if (!rpp_config_load(path, &config, &why)) return rpp_message_set(error, "%.100s: %s", path, why.text);
  const bool good = rpp_model_from_config(&config, model, &why);
  rpp_config_free(&config);
  rpp_model_name(path, model->name);
  return good || rpp_message_set(error, "%.100s: %s", path, why.text);
}
