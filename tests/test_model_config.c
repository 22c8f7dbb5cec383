/* config_fields.c, model_config.c: a Hugging Face config.json, and everything else that may be in its place. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model_config.h"
#include "support.h"

/* Llama 3.1 8B. */
static const char good[] =
    "{\"architectures\": [\"LlamaForCausalLM\"], \"attention_bias\": false, \"bos_token_id\": 128000,\n"
    "\"hidden_act\": \"silu\", \"hidden_size\": 4096, \"initializer_range\": 0.02, \"intermediate_size\": 14336,\n"
    "\"max_position_embeddings\": 131072, \"model_type\": \"llama\", \"num_attention_heads\": 32,\n"
    "\"num_hidden_layers\": 32, \"num_key_value_heads\": 8, \"pretraining_tp\": 1, \"rms_norm_eps\": 1e-05,\n"
    "\"rope_scaling\": {\"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0,\n"
    "\"original_max_position_embeddings\": 8192, \"rope_type\": \"llama3\"}, \"rope_theta\": 500000.0,\n"
    "\"tie_word_embeddings\": false, \"torch_dtype\": \"bfloat16\", \"use_cache\": true, \"vocab_size\": 128256}";

static rpp_message error;

static bool read_bytes(const char *bytes, size_t size, rpp_model *model) {
  rpp_config config;
  strcpy(error.text, "");
  if (!rpp_config_parse(bytes, size, &config, &error)) return false;
  const bool good_one = rpp_model_from_config(&config, model, &error);
  rpp_config_free(&config);
  return good_one;
}

/* The fields given stand for those of the same name in the smallest good file; a field given as "-name" is left out. */
static bool read_changed(rpp_model *model, const char *const *changes) {
  static const char *const least[][2] = {{"hidden_size", "64"},        {"intermediate_size", "96"},  {"num_hidden_layers", "3"},
                                         {"num_attention_heads", "8"}, {"num_key_value_heads", "4"}, {"vocab_size", "100"}};
  char text[4096] = "{\"x\": 0";
  bool replaced[6] = {false};
  for (int c = 0; changes[c] != NULL; c += 2) {
    const char *name = changes[c] + (changes[c][0] == '-');
    for (int i = 0; i < 6; i++) replaced[i] |= strcmp(name, least[i][0]) == 0;
    if (changes[c][0] != '-') snprintf(text + strlen(text), sizeof text - strlen(text), ", \"%s\": %s", name, changes[c + 1]);
  }
  for (int i = 0; i < 6; i++)
    if (!replaced[i]) snprintf(text + strlen(text), sizeof text - strlen(text), ", \"%s\": %s", least[i][0], least[i][1]);
  strcat(text, "}");
  return read_bytes(text, strlen(text), model);
}

#define changed(model, ...) read_changed((model), (const char *const[]){__VA_ARGS__, NULL, NULL})

/* Refused, by a message of one line with these two parts in it. */
#define refused(part, other, ...)                                                                                                  \
  do {                                                                                                                             \
    rpp_model m_;                                                                                                                  \
    ck_assert_msg(!changed(&m_, __VA_ARGS__), "%s %s: accepted", part, other);                                                     \
    ck_assert_msg(strstr(error.text, part) && strstr(error.text, other) && !strchr(error.text, '\n'), "\"%s\"", error.text);       \
  } while (0)

START_TEST(a_real_one) {
  rpp_model m;
  ck_assert_msg(read_bytes(good, strlen(good), &m), "%s", error.text);
  ck_assert(m.hidden == 4096 && m.ffn == 14336 && m.layers == 32 && m.heads == 32 && m.kv_heads == 8 && m.head_dim == 128);
  ck_assert(m.vocabulary == 128256 && !m.tied && m.window == 0);
  ck_assert_ptr_nonnull(strstr(m.about.text, "llama3 (factor 8)"));
  ck_assert_ptr_nonnull(strstr(m.about.text, "rope_theta 500000"));
  ck_assert_ptr_nonnull(strstr(m.about.text, "FFN with a gate"));
}
END_TEST

START_TEST(defaults) {
  rpp_model m;
  ck_assert(changed(&m, "x_y", "0") && m.head_dim == 8 && m.kv_heads == 4 && !m.tied);
  ck_assert(changed(&m, "-num_key_value_heads", "") && m.kv_heads == 8);
  ck_assert(changed(&m, "num_key_value_heads", "null", "head_dim", "null") && m.kv_heads == 8 && m.head_dim == 8);
  ck_assert(changed(&m, "head_dim", "128") && m.head_dim == 128 && m.hidden == 64);
  ck_assert(changed(&m, "tie_word_embeddings", "true") && m.tied);
  ck_assert(changed(&m, "model_type", "\"gemma\"", "hidden_act", "\"gelu\"") && m.tied);
  ck_assert(changed(&m, "model_type", "\"gemma\"", "hidden_act", "null", "tie_word_embeddings", "false") && !m.tied);
  ck_assert(changed(&m, "model_type", "\"mistral\"", "sliding_window", "null") && m.window == 0);
  ck_assert(changed(&m, "sliding_window", "4096") && m.window == 4096);
  ck_assert(changed(&m, "sliding_window", "4096", "use_sliding_window", "false") && m.window == 0);
  ck_assert(changed(&m, "num_local_experts", "0", "is_encoder_decoder", "false", "layer_types", "[\"full_attention\"]"));
  ck_assert(changed(&m, "rope_parameters", "{\"rope_theta\": 10000.0, \"rope_type\": \"default\"}"));
  ck_assert_ptr_nonnull(strstr(m.about.text, "rope_theta 10000"));
  ck_assert(changed(&m, "num_attention_heads", "7", "num_key_value_heads", "7", "head_dim", "2")); /* EH alone is ruled out */
}
END_TEST

START_TEST(nested) {
  rpp_model m;
  const char *inner = "{\"hidden_size\": 32, \"model_type\": \"llama\"}";
  ck_assert(changed(&m, "text_config", inner, "-hidden_size", "", "model_type", "\"llava\"", "tie_word_embeddings", "true"));
  ck_assert(m.hidden == 32 && m.ffn == 96 && m.tied);
  ck_assert_ptr_nonnull(strstr(m.about.text, "text_config"));
  ck_assert(changed(&m, "text_config", "{\"hidden_size\": 64}") && m.hidden == 64);
  refused("hidden_size = 64", "text_config", "text_config", inner);
  refused("text_config = 3", "object", "text_config", "3");
  refused("num_experts = 8", "experts", "text_config", "{\"num_experts\": 8}");
}
END_TEST

START_TEST(every_needed_field_is_held_to_its_kind) {
  static const char *const needed[] = {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                                       "vocab_size"};
  static const char *const sized[] = {"hidden_size",         "intermediate_size", "num_hidden_layers", "num_attention_heads",
                                      "num_key_value_heads", "vocab_size",        "head_dim",          "sliding_window"};
  static const char *const bad[][2] = {{"\"64\"", "= \"64\""},
                                       {"64.0", "= 64.0"},
                                       {"true", "= true"},
                                       {"[64]", "= [64]"},
                                       {"{\"a\": 1}", "= {\"a\":1}"},
                                       {"-64", "= -64"},
                                       {"0", "= 0"},
                                       {"2147483648", "= 2147483648"},
                                       {"9223372036854775807", "= 9223372036854775807"},
                                       {"100000000000000000000", "= 1e"},
                                       {"-100000000000000000000", "= -1e"}};
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    char absent[64];
    snprintf(absent, sizeof absent, "-%s", needed[i]);
    refused(needed[i], "missing", absent, "");
    refused(needed[i], "missing", needed[i], "null");
  }
  for (size_t i = 0; i < sizeof sized / sizeof *sized; i++)
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) refused(sized[i], bad[b][1], sized[i], bad[b][0]);
}
END_TEST

START_TEST(contradictions) {
  rpp_model m;
  ck_assert(changed(&m, "y", "0"));
  refused("not JSON", "duplicate", "x", "0"); /* each good file begins with x */
  refused("not JSON", "duplicate", "hidden_size", "64", "hidden_size", "64");
  refused("num_attention_heads = 8", "num_key_value_heads = 3", "num_key_value_heads", "3");
  refused("num_attention_heads = 8", "num_key_value_heads = 16", "num_key_value_heads", "16");
  refused("hidden_size = 65", "num_attention_heads = 8", "hidden_size", "65");
  refused("head_dim = 7", "even", "head_dim", "7");
  refused("head_dim = 7", "even", "hidden_size", "56"); /* of 8 heads */
  refused("rope_theta = 10000", "contradicts", "rope_theta", "500000", "rope_parameters", "{\"rope_theta\": 10000}");
}
END_TEST

START_TEST(other_architectures) {
  refused("num_local_experts = 8", "experts", "num_local_experts", "8");
  refused("n_experts = 2", "experts", "n_experts", "2");
  refused("n_routed_experts = \"many\"", "experts", "n_routed_experts", "\"many\"");
  refused("kv_lora_rank = 512", "compressed", "kv_lora_rank", "512");
  refused("is_encoder_decoder = true", "encoder", "is_encoder_decoder", "true");
  refused("hidden_act = \"gelu\"", "gate", "hidden_act", "\"gelu\"", "model_type", "\"bert\"");
  refused("hidden_activation = \"gelu\"", "gate", "hidden_activation", "\"gelu\"");
  refused("hidden_act = 3", "text", "hidden_act", "3");
  refused("layer_types = \"linear_attention\"", "full_attention", "layer_types", "[\"full_attention\", \"linear_attention\"]");
  refused("layer_types = 1", "full_attention", "layer_types", "[1]");
  refused("layer_types = {\"a\":1}", "list", "layer_types", "{\"a\": 1}");
  refused("model_type = 1", "text", "model_type", "1");
  refused("tie_word_embeddings = 1", "true or false", "tie_word_embeddings", "1");
  refused("rope_theta = -1", "above 1", "rope_theta", "-1");
  refused("rope_theta = \"big\"", "above 1", "rope_theta", "\"big\"");
  refused("rope_scaling = 3", "object", "rope_scaling", "3");
  refused("factor = -8", "above 0", "rope_scaling", "{\"factor\": -8, \"type\": \"linear\"}");
  refused("rope_type = 8", "text", "rope_scaling", "{\"rope_type\": 8}");
}
END_TEST

START_TEST(long_and_hostile_values_stay_one_short_line) {
  char longer[1200] = "\"";
  memset(longer + 1, 'a', 1000);
  strcpy(longer + 1001, "\"");
  refused("hidden_size = \"aaaa", "integer", "hidden_size", longer);
  refused("hidden_size = \"?[31m?\"", "integer", "hidden_size", "\"\\u001b[31m\\n\"");
  refused("hidden_size = [", "...", "hidden_size", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26]");
}
END_TEST

START_TEST(not_json) {
  rpp_model m;
  for (size_t size = 0; size < strlen(good); size++) {
    ck_assert_msg(!read_bytes(good, size, &m), "%zu bytes of %zu are accepted", size, strlen(good));
    ck_assert(strncmp(error.text, "not JSON", 8) == 0 && !strchr(error.text, '\n'));
  }
  const char *others[] = {"[]",
                          "3",
                          "null",
                          "{}x",
                          "{\"hidden_size\": NaN}",
                          "{\"hidden_size\": 1, \"hidden_size\": 1}",
                          "\"{}\"",
                          "{\"a\": 1e999}",
                          "\xff\xfe{}",
                          "{'a': 1}"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    ck_assert_msg(!read_bytes(others[i], strlen(others[i]), &m), "%s", others[i]);
  ck_assert(!read_bytes("{\"a\0\": 1}", 10, &m));
  static char deep[400000];
  memset(deep, '[', sizeof deep);
  ck_assert(!read_bytes(deep, sizeof deep, &m));
  for (size_t i = 0; i + 5 <= sizeof deep; i += 5) memcpy(deep + i, "{\"a\":", 5);
  ck_assert(!read_bytes(deep, sizeof deep, &m));
}
END_TEST

START_TEST(damaged_bytes_never_break_it) {
  uint64_t state = 7;
  rpp_model m;
  int accepted = 0;
  for (int i = 0; i < 20000; i++) {
    char bytes[sizeof good];
    memcpy(bytes, good, sizeof good);
    for (int k = 0; k < 1 + i % 3; k++) bytes[support_random(&state) % (sizeof good - 1)] = (char)support_random(&state);
    if (read_bytes(bytes, sizeof good - 1, &m)) {
      accepted++;
      ck_assert(rpp_model_check(&m, &error));
    } else
      ck_assert(error.text[0] != '\0' && !strchr(error.text, '\n'));
  }
  ck_assert_int_gt(accepted, 0);
}
END_TEST

START_TEST(files) {
  char folder[] = "/tmp/ropepp-config-XXXXXX", path[64];
  rpp_model m;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/config.json", folder);
  ck_assert(!rpp_model_load(path, &m, &error));
  ck_assert(strncmp(error.text, path, strlen(path)) == 0 && strstr(error.text, "No such file"));
  ck_assert(!rpp_model_load(folder, &m, &error) && strstr(error.text, "directory"));
  FILE *f = fopen(path, "w");
  ck_assert(f != NULL && fputs(good, f) >= 0 && fclose(f) == 0);
  ck_assert(rpp_model_load(path, &m, &error) && m.hidden == 4096);
  ck_assert_str_eq(m.name, path);
  f = fopen(path, "a"); /* good, and then blanks to the largest size, and past it */
  ck_assert_ptr_nonnull(f);
  for (size_t i = strlen(good); i < RPP_CONFIG_LARGEST; i++) putc(' ', f);
  ck_assert_int_eq(fclose(f), 0);
  ck_assert(rpp_model_load(path, &m, &error));
  f = fopen(path, "a");
  ck_assert(f != NULL && putc(' ', f) == ' ' && fclose(f) == 0);
  ck_assert(!rpp_model_load(path, &m, &error) && strstr(error.text, "16 MiB"));
  ck_assert(!rpp_model_load("/dev/zero", &m, &error) && strstr(error.text, "16 MiB"));
  ck_assert(!rpp_model_load("/dev/null", &m, &error));
  unlink(path);
  rmdir(folder);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("model_config");
  TCase *tests = tcase_create("model_config");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, a_real_one);
  tcase_add_test(tests, defaults);
  tcase_add_test(tests, nested);
  tcase_add_test(tests, every_needed_field_is_held_to_its_kind);
  tcase_add_test(tests, contradictions);
  tcase_add_test(tests, other_architectures);
  tcase_add_test(tests, long_and_hostile_values_stay_one_short_line);
  tcase_add_test(tests, not_json);
  tcase_add_test(tests, damaged_bytes_never_break_it);
  tcase_add_test(tests, files);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
