#include "files/case_write.h"

#include <inttypes.h>
#include <stdio.h>

#include "program/names.h"
#include "program/print.h"

enum { METADATA = 32, VALUE = 1024, INPUTS = 7, MORE_PAIRS = 8, MORE_ENTRIES = 24 }; /* a label is the longest: a printed spec */

typedef struct {
  char text[METADATA][VALUE];
  rpp_safetensors_pair pair[METADATA];
  size_t count;
} metadata;

/* Room for the value of one more key. */
static char *add(metadata *m, const char *key) {
  m->pair[m->count] = (rpp_safetensors_pair){key, m->text[m->count]};
  return m->text[m->count++];
}

static void add_text(metadata *m, const char *key, const char *value) {
  snprintf(add(m, key), VALUE, "%s", value);
}

static void add_integer(metadata *m, const char *key, int64_t value) {
  snprintf(add(m, key), VALUE, "%" PRId64, value);
}

static void describe(const char *format, const char *name, const rpp_attention *a, int64_t head_dim, metadata *m) {
  const rpp_rotary *r = &a->rotary;
  m->count = 0;
  add_text(m, "format", format);
  add_text(m, "op", "attention");
  if (name != NULL) add_text(m, "name", name);
  add_text(m, "mode", rpp_names_get(rpp_names_mode, a->mode));
  add_integer(m, "heads", a->heads);
  add_integer(m, "kv_heads", a->kv_heads);
  add_integer(m, "head_dim", head_dim);
  add_text(m, "inputs", rpp_names_get(rpp_names_inputs, rpp_inputs_of(a)));
  add_text(m, "pairing", rpp_names_get(rpp_names_pairing, r->pairing));
  add_integer(m, "rotary", r->rotary_dim);
  rpp_print_number(r->base, add(m, "base"));
  rpp_print_scaling(&r->scaling, add(m, "scaling"));
  if (r->angles != RPP_ANGLES_EXACT) add_text(m, "angles", rpp_names_get(rpp_names_angles, r->angles));
  rpp_print_mask(a->mask, a->window, add(m, "mask"));
  add_integer(m, "causal_offset", a->causal_offset);
  rpp_print_number(a->scale, add(m, "scale"));
}

bool rpp_case_write_more(const char *path, const char *name, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                         const rpp_case_more *more, rpp_message *error) {
  metadata m;
  if (more->pair_count > MORE_PAIRS || more->entry_count > MORE_ENTRIES)
    return rpp_message_set(error, "%zu pairs, %zu tensors: too many", more->pair_count, more->entry_count);
  describe(more->format, name, attention, inputs->q->shape[3], &m);
  for (size_t i = 0; i < more->pair_count; i++) add_text(&m, more->pairs[i].key, more->pairs[i].value);
  const rpp_safetensors_entry all[INPUTS] = {{"q", inputs->q},         {"k", inputs->k},         {"v", inputs->v},
                                             {"pos_q", inputs->pos_q}, {"pos_k", inputs->pos_k}, {"cu_q", inputs->cu_q},
                                             {"cu_k", inputs->cu_k}};
  rpp_safetensors_entry present[INPUTS + MORE_ENTRIES];
  size_t count = 0;
  for (size_t i = 0; i < INPUTS; i++)
    if (all[i].tensor != NULL) present[count++] = all[i];
  for (size_t i = 0; i < more->entry_count; i++) present[count++] = more->entries[i];
  return rpp_safetensors_write(path, m.count, m.pair, count, present, error);
}

bool rpp_case_write(const char *path, const char *name, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                    rpp_message *error) {
  const rpp_case_more nothing = {.format = "ropepp-case/1"};
  return rpp_case_write_more(path, name, attention, inputs, &nothing, error);
}
