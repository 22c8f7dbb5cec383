#include "program/names.h"

#include <string.h>

const rpp_name rpp_names_mode[] = {{"rope", RPP_MODE_ROPE}, {"ec", RPP_MODE_EC}, {"eh", RPP_MODE_EH}, {NULL, 0}};

const rpp_name rpp_names_pairing[] = {{"interleaved", RPP_PAIRING_INTERLEAVED}, {"half", RPP_PAIRING_HALF}, {NULL, 0}};

const rpp_name rpp_names_mask[] = {{"causal", RPP_MASK_CAUSAL}, {"full", RPP_MASK_FULL}, {"window", RPP_MASK_WINDOW}, {NULL, 0}};

const rpp_name rpp_names_scaling[] = {{"none", RPP_SCALING_NONE},     {"linear", RPP_SCALING_LINEAR},
                                      {"ntk", RPP_SCALING_NTK},       {"ntk-aware", RPP_SCALING_NTK_AWARE},
                                      {"yarn", RPP_SCALING_YARN},     {"yarn-hf", RPP_SCALING_YARN_HF},
                                      {"llama3", RPP_SCALING_LLAMA3}, {NULL, 0}};

const rpp_name rpp_names_angles[] = {{"exact", RPP_ANGLES_EXACT}, {"hf-f32", RPP_ANGLES_HF_F32}, {NULL, 0}};

enum { RAW, ROTATED, ROTATED_K };
const rpp_name rpp_names_inputs[] = {{"raw", RAW}, {"rotated", ROTATED}, {"rotated-k", ROTATED_K}, {NULL, 0}};

int rpp_inputs_of(const rpp_attention *attention) {
  if (attention->q_rotated) return attention->k_rotated ? ROTATED : -1;
  return attention->k_rotated ? ROTATED_K : RAW;
}

void rpp_inputs_set(int inputs, rpp_attention *attention) {
  attention->q_rotated = inputs == ROTATED;
  attention->k_rotated = inputs != RAW;
}

const rpp_name rpp_names_dtype[] = {{"f64", RPP_F64}, {"f32", RPP_F32}, {"f16", RPP_F16}, {"bf16", RPP_BF16}, {NULL, 0}};

bool rpp_names_find(const rpp_name *table, const char *text, size_t length, int *value) {
  for (; table->name != NULL; table++) {
    if (strlen(table->name) == length && memcmp(table->name, text, length) == 0) {
      *value = table->value;
      return true;
    }
  }
  return false;
}

const char *rpp_names_get(const rpp_name *table, int value) {
  for (; table->name != NULL; table++)
    if (table->value == value) return table->name;
  return "?";
}
