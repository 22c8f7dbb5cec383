#include "cases/dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cases/spec_keys.h"
#include "cases/tokens.h"
#include "files/answer_shape.h"

/* The options as they were given. */
typedef struct {
  rpp_spec spec;
  const char *keys[RPP_SPEC_KEYS];
} options;

static bool is_given(const options *o, const char *key) {
  for (const char *const *k = o->keys; *k != NULL; k++)
    if (strcmp(*k, key) == 0) return true;
  return false;
}

/* ---- Options ------------------------------------------------------------------------------------------------------------- */

static bool read_options(const char *text, options *o, rpp_message *error) {
  rpp_message why;
  *o = (options){.spec = rpp_spec_default(RPP_MODE_ROPE)};
  if (text == NULL || *text == '\0') return true;
  return rpp_spec_parse_only(text, &o->spec, o->keys, &why) || rpp_message_set(error, "--case: %s", why.text);
}

/* Keys that say how a case would be drawn, or what arrays say. */
static bool refuse_options(const options *o, const rpp_dump *d, rpp_message *error) {
  static const char *const drawn[] = {"dtype", "packed", "batched", "layout", "inplace"}, *const placed[] = {"position", "reset"};
  for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
    if (is_given(o, drawn[i]))
      return rpp_message_set(error, "--case: %s: is not an option of arrays that are there already", drawn[i]);
  for (size_t i = 0; i < sizeof placed / sizeof *placed; i++)
    if (is_given(o, placed[i]) && d->input[RPP_CASE_POS_Q].ndim > 0)
      return rpp_message_set(error, "--case: %s: given, though there is pos_q", placed[i]);
  return true;
}

/* ---- Arrays -------------------------------------------------------------------------------------------------------------- */

static const rpp_tensor *find(const rpp_dump *d, const char *name) {
  for (size_t i = 0; i < rpp_named_tensors_count(&d->set); i++) {
    const char *found;
    const rpp_tensor *t = rpp_named_tensors_at(&d->set, i, &found);
    if (strcmp(found, name) == 0) return t;
  }
  return NULL;
}

/* q, k or v in our order. */
static bool take_wide(const rpp_tensor *t, const char *name, rpp_axes axes, rpp_tensor *view, rpp_message *error) {
  char shape[RPP_SHAPE_TEXT];
  rpp_shape_print(t->ndim, t->shape, shape);
  if (t->ndim != 4) return rpp_message_set(error, "%s is %s: expected batch, length, heads, width", name, shape);
  if (t->dtype == RPP_I64) return rpp_message_set(error, "%s holds integers: expected F64, F32, F16 or BF16", name);
  *view = *t;
  if (axes == RPP_AXES_BLHD) return true;
  view->shape[1] = t->shape[2], view->shape[2] = t->shape[1];
  view->strides[1] = t->strides[2], view->strides[2] = t->strides[1];
  return true;
}

static bool take_inputs(rpp_dump *d, rpp_axes axes, rpp_message *error) {
  for (rpp_case_tensor which = RPP_CASE_Q; which < RPP_CASE_EXPECTED; which++) {
    const char *name = rpp_case_tensor_name(which);
    const rpp_tensor *t = find(d, name);
    if (t == NULL && which <= RPP_CASE_V) return rpp_message_set(error, "%s: missing", name);
    if (t == NULL) continue;
    if (which > RPP_CASE_V && which < RPP_CASE_POS_Q)
      return rpp_message_set(error, "%s: a layer's: only attention is judged", name);
    if (which > RPP_CASE_V)
      d->input[which] = *t;
    else if (!take_wide(t, name, axes, &d->input[which], error))
      return false;
  }
  return true;
}

static bool check_pairs(const rpp_dump *d, const rpp_attention *a, rpp_message *error) {
  static const rpp_case_tensor pairs[][2] = {
      {RPP_CASE_POS_Q, RPP_CASE_POS_K}, {RPP_CASE_CU_Q, RPP_CASE_CU_K}, {RPP_CASE_COS, RPP_CASE_SIN}};
  for (size_t i = a->k_rotated ? 1 : 0; i < sizeof pairs / sizeof *pairs; i++)
    for (int side = 0; side < 2; side++)
      if (d->input[pairs[i][side]].ndim > 0 && d->input[pairs[i][1 - side]].ndim == 0)
        return rpp_message_set(error, "%s: missing, though %s is there", rpp_case_tensor_name(pairs[i][1 - side]),
                               rpp_case_tensor_name(pairs[i][side]));
  if (d->input[RPP_CASE_CU_Q].ndim > 0 && d->input[RPP_CASE_POS_Q].ndim == 0 && !a->q_rotated)
    return rpp_message_set(error, "pos_q: missing, which packed sequences need");
  if (d->input[RPP_CASE_INV_FREQ].ndim > 0 && d->input[RPP_CASE_COS].ndim > 0)
    return rpp_message_set(error, "inv_freq: given together with cos and sin");
  return true;
}

/* ---- What the case is ---------------------------------------------------------------------------------------------------- */

/* The heads of the out among the arrays; 0: there is none that has any. */
static int64_t out_heads_of(const rpp_dump *d, rpp_axes axes) {
  const rpp_tensor *out = find(d, rpp_case_tensor_name(RPP_CASE_OUT));
  return out == NULL || out->ndim != 4 ? 0 : out->shape[axes == RPP_AXES_BHLD ? 1 : 2];
}

/* Raw queries have the projected heads, rotated ones all; where out has twice as many heads as there are queries, half are imaginary. */
static rpp_mode find_mode(const rpp_dump *d, const options *o, int64_t out_heads) {
  if (is_given(o, "mode")) return o->spec.attention.mode;
  return !o->spec.attention.q_rotated && out_heads == 2 * d->input[RPP_CASE_Q].shape[2] ? RPP_MODE_EC : RPP_MODE_ROPE;
}

/* The sizes that the arrays have, and the nominal counts of heads that the mode makes of them. */
static void find_sizes(const rpp_dump *d, rpp_spec *spec) {
  const rpp_tensor *q = &d->input[RPP_CASE_Q], *k = &d->input[RPP_CASE_K], *v = &d->input[RPP_CASE_V];
  rpp_attention *a = &spec->attention;
  const bool halved = a->mode == RPP_MODE_EH, rotated = a->q_rotated;
  spec->batch = q->shape[0];
  spec->q_len = q->shape[1];
  spec->k_len = k->shape[1];
  spec->head_dim = q->shape[3];
  spec->v_dim = v->shape[3];
  spec->dtype = q->dtype;
  spec->packed = d->input[RPP_CASE_CU_Q].ndim == 1 ? d->input[RPP_CASE_CU_Q].shape[0] - 1 : 0;
  a->heads = rotated && a->mode == RPP_MODE_EC ? q->shape[2] / 2 : !rotated && halved ? 2 * q->shape[2] : q->shape[2];
  a->kv_heads = halved ? 2 * k->shape[2] : k->shape[2];
}

/* Given sizes must be those of the arrays. */
static bool check_given(const options *o, const rpp_spec *found, rpp_message *error) {
  static const char *const sizes[] = {"h", "kv", "b", "lq", "lk", "d", "dv"};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const rpp_spec_key *key = rpp_spec_key_find(sizes[i]);
    char given[RPP_SPEC_TEXT], is[RPP_SPEC_TEXT];
    if (!is_given(o, sizes[i]) || rpp_spec_key_same(key, &o->spec, found)) continue;
    rpp_spec_key_print(key, &o->spec, given);
    rpp_spec_key_print(key, found, is);
    return rpp_message_set(error, "--case: %s = %s, but by the arrays it is %s", sizes[i], given, is);
  }
  return true;
}

/* Of arrays in the other order the given counts of heads stand where the length should: that is worth saying. */
static bool check_axes(const rpp_dump *d, const options *o, const rpp_spec *found, rpp_axes axes, rpp_message *error) {
  rpp_attention asked = found->attention;
  rpp_head_counts counts;
  rpp_tensor view, file = d->input[RPP_CASE_Q];
  if (!is_given(o, "h")) return true;
  asked.heads = asked.kv_heads = o->spec.attention.heads;          /* q's heads are all that is asked for */
  if (rpp_attention_heads(&asked, &counts) != RPP_OK) return true; /* said elsewhere */
  const int64_t heads = asked.q_rotated ? counts.output : counts.projected;
  if (file.shape[2] == heads || file.shape[1] != heads) return true;
  const rpp_answer_want want = {"q", 4, {file.shape[0], file.shape[2], heads, file.shape[3]}, -1, -1, axes};
  if (axes == RPP_AXES_BHLD) file.shape[1] = d->input[RPP_CASE_Q].shape[2], file.shape[2] = d->input[RPP_CASE_Q].shape[1];
  return rpp_answer_shape(&file, &want, &view, error);
}

/* Every key: by the arrays, as given, or at its default, which may follow from those before it. */
static bool settle(rpp_dump *d, const options *o, rpp_axes axes, int64_t out_heads, rpp_message *error) {
  rpp_spec found = rpp_spec_default(find_mode(d, o, out_heads));
  rpp_spec *spec = &d->spec;
  found.attention.q_rotated = o->spec.attention.q_rotated, found.attention.k_rotated = o->spec.attention.k_rotated;
  find_sizes(d, &found);
  if (!check_axes(d, o, &found, axes, error) || !check_given(o, &found, error)) return false;
  *spec = found;
  for (const rpp_spec_key *key = rpp_spec_keys; key->name != NULL; key++) {
    static const char *const by_arrays[] = {"h", "kv", "b", "lq", "lk", "d", "dv", "dtype", "packed"};
    bool of_array = false;
    for (size_t i = 0; i < sizeof by_arrays / sizeof *by_arrays; i++) of_array |= strcmp(key->name, by_arrays[i]) == 0;
    if (of_array) continue;
    if (is_given(o, key->name))
      rpp_spec_key_copy(key, &o->spec, spec);
    else
      rpp_spec_key_default(key, spec);
  }
  return rpp_spec_check(spec, error);
}

static bool check_shape(const rpp_dump *d, rpp_case_tensor which, int64_t length, int64_t heads, int64_t width, rpp_axes axes,
                        rpp_message *error) {
  rpp_tensor view, file = d->input[which];
  const rpp_answer_want want = {rpp_case_tensor_name(which), 4, {d->spec.batch, length, heads, width}, -1, -1, axes};
  if (axes == RPP_AXES_BHLD) file.shape[1] = d->input[which].shape[2], file.shape[2] = d->input[which].shape[1];
  return rpp_answer_shape(&file, &want, &view, error);
}

/* ---- The case ------------------------------------------------------------------------------------------------------------ */

static bool place(rpp_dump *d, rpp_message *error) {
  const rpp_spec *s = &d->spec;
  rpp_tensor *pos_q = &d->input[RPP_CASE_POS_Q], *pos_k = &d->input[RPP_CASE_POS_K];
  if (pos_q->ndim > 0 || s->attention.q_rotated) return true;
  d->positions = calloc((size_t)(s->q_len + s->k_len) + 1, sizeof *d->positions);
  if (d->positions == NULL) return rpp_message_set(error, "out of memory for positions");
  rpp_token_positions(s, NULL, NULL, 0, d->positions, d->positions + s->q_len);
  rpp_tensor_contiguous(d->positions, RPP_I64, 1, &s->q_len, pos_q);
  if (!s->attention.k_rotated) rpp_tensor_contiguous(d->positions + s->q_len, RPP_I64, 1, &s->k_len, pos_k);
  return true;
}

static const rpp_tensor *present(const rpp_dump *d, rpp_case_tensor which) {
  return d->input[which].ndim > 0 ? &d->input[which] : NULL;
}

static void wire(rpp_dump *d) {
  rpp_case *c = &d->c;
  *c = (rpp_case){.op = RPP_OP_ATTENTION, .attention = d->spec.attention, .head_dim = d->spec.head_dim};
  rpp_attention_heads(&c->attention, &c->counts);
  c->inputs = (rpp_attention_inputs){present(d, RPP_CASE_Q),     present(d, RPP_CASE_K),     present(d, RPP_CASE_V),
                                     present(d, RPP_CASE_POS_Q), present(d, RPP_CASE_POS_K), present(d, RPP_CASE_CU_Q),
                                     present(d, RPP_CASE_CU_K)};
  c->attention.rotary.inv_freq = present(d, RPP_CASE_INV_FREQ);
  c->attention.rotary.cos = present(d, RPP_CASE_COS);
  c->attention.rotary.sin = present(d, RPP_CASE_SIN);
  for (rpp_case_tensor which = RPP_CASE_Q; which < RPP_CASE_EXPECTED; which++) c->tensor[which] = present(d, which);
}

static bool make(rpp_dump *d, const char *text, rpp_axes axes, int64_t out_heads, rpp_message *error) {
  options o;
  if (out_heads == 0) out_heads = out_heads_of(d, axes);
  if (!read_options(text, &o, error) || !take_inputs(d, axes, error) || !refuse_options(&o, d, error) ||
      !check_pairs(d, &o.spec.attention, error) || !settle(d, &o, axes, out_heads, error))
    return false;
  const rpp_tensor *k = &d->input[RPP_CASE_K];
  d->family_given = is_given(&o, "family");
  if (!check_shape(d, RPP_CASE_K, k->shape[1], k->shape[2], d->spec.head_dim, axes, error) ||
      !check_shape(d, RPP_CASE_V, k->shape[1], k->shape[2], d->spec.v_dim, axes, error) || !place(d, error))
    return false;
  wire(d);
  return true;
}

bool rpp_dump_load(const char *path, const char *options, rpp_axes axes, int64_t out_heads, rpp_dump *dump, rpp_message *error) {
  *dump = (rpp_dump){.positions = NULL};
  const bool good =
      rpp_named_tensors_load(path, "q", rpp_case_tensor_known, &dump->set, error) && make(dump, options, axes, out_heads, error);
  if (!good) rpp_dump_free(dump);
  return good;
}

void rpp_dump_free(rpp_dump *dump) {
  rpp_named_tensors_free(&dump->set);
  free(dump->positions);
  *dump = (rpp_dump){.positions = NULL};
}
