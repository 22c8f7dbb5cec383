/* model_config.h: a model's sizes from a Hugging Face config.json. */
#ifndef RPP_MODEL_CONFIG_H
#define RPP_MODEL_CONFIG_H
#include "config_fields.h"
#include "model.h"

/* hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads (default: as many), head_dim (default:
 * hidden_size / num_attention_heads), vocab_size, tie_word_embeddings (default: the family's), sliding_window; of the file or, in a model
 * of several parts, of its text_config. rope_theta, rope_scaling and rope_parameters are checked and end up in model->about. Refused, with
 * one line that names the field: what is missing, of a wrong type or contradictory, and architectures that are not a decoder of Llama's
 * kind (experts, encoders, compressed caches, FFNs without a gate), whose cost would come out wrong. */
bool rpp_model_from_config(const rpp_config *config, rpp_model *model, rpp_message *error);

/* The same of a file, after which the model is named; messages begin with its name. */
bool rpp_model_load(const char *path, rpp_model *model, rpp_message *error);

#endif
