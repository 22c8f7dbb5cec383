#include "files/case.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "files/case_metadata.h"
#include "program/names.h"

const rpp_name rpp_names_op[] = {{"attention", RPP_OP_ATTENTION}, {"layer", RPP_OP_LAYER}, {NULL, 0}};

enum { REQUIRED = 1, INTEGER = 2 };

/* A shape is one letter for each dimension: B batch, M query length, N key length, P, K, O counts of heads, Q those of q, D head
 * width, V value width, H hidden, p, k, o a layer's rows P D, K D, O D, W half the rotary width, T positions of a table, S
 * sequences plus one; b is a batch that may be left out. */
typedef struct {
  const char *name;
  const char *shape[2]; /* by rpp_op; null: no tensor of that op */
  int flags;
} description;

static const description tensors[RPP_CASE_TENSORS] = {
    [RPP_CASE_Q] = {"q", {"BMQD", NULL}, REQUIRED},
    [RPP_CASE_K] = {"k", {"BNKD", NULL}, REQUIRED},
    [RPP_CASE_V] = {"v", {"BNKV", NULL}, REQUIRED},
    [RPP_CASE_X] = {"x", {NULL, "BMH"}, REQUIRED},
    [RPP_CASE_WQ] = {"wq", {NULL, "pH"}, REQUIRED},
    [RPP_CASE_WK] = {"wk", {NULL, "kH"}, REQUIRED},
    [RPP_CASE_WV] = {"wv", {NULL, "kH"}, REQUIRED},
    [RPP_CASE_WO] = {"wo", {NULL, "Ho"}, REQUIRED},
    [RPP_CASE_POS_Q] = {"pos_q", {"bM", "bM"}, REQUIRED | INTEGER},
    [RPP_CASE_POS_K] = {"pos_k", {"bN", NULL}, REQUIRED | INTEGER},
    [RPP_CASE_CU_Q] = {"cu_q", {"S", NULL}, INTEGER},
    [RPP_CASE_CU_K] = {"cu_k", {"S", NULL}, INTEGER},
    [RPP_CASE_INV_FREQ] = {"inv_freq", {"W", "W"}, 0},
    [RPP_CASE_COS] = {"cos", {"TW", "TW"}, 0},
    [RPP_CASE_SIN] = {"sin", {"TW", "TW"}, 0},
    [RPP_CASE_Q_REAL] = {"q_real", {"BMPD", NULL}, 0},
    [RPP_CASE_Q_IMAG] = {"q_imag", {"BMPD", NULL}, 0},
    [RPP_CASE_K_ROT] = {"k_rot", {"BNKD", NULL}, 0},
    [RPP_CASE_SCORES_REAL] = {"scores_real", {"BPMN", NULL}, 0},
    [RPP_CASE_SCORES_IMAG] = {"scores_imag", {"BPMN", NULL}, 0},
    [RPP_CASE_K_CACHE] = {"k_cache", {NULL, "BMKD"}, 0},
    [RPP_CASE_V_CACHE] = {"v_cache", {NULL, "BMKD"}, 0},
    [RPP_CASE_OUT] = {"out", {"BMOV", "BMOD"}, 0},
    [RPP_CASE_LSE] = {"lse", {"BOM", NULL}, 0},
    [RPP_CASE_Y] = {"y", {NULL, "BMH"}, 0},
};

const char *rpp_case_tensor_name(rpp_case_tensor which) {
  return tensors[which].name;
}

bool rpp_case_tensor_known(const char *name) {
  for (int which = 0; which < RPP_CASE_TENSORS; which++)
    if (strcmp(name, tensors[which].name) == 0) return true;
  return false;
}

const char *rpp_case_tensor_letters(rpp_case_tensor which, rpp_op op) {
  static const struct {
    const char *shape, *letters;
  } table[] = {{"BMPD", "bthd"}, {"BMOV", "bthd"}, {"BMOD", "bthd"}, {"BMKD", "bthd"},
               {"BNKD", "bshd"}, {"BPMN", "bhts"}, {"BOM", "bht"},   {"BMH", "btc"}};
  const char *shape = tensors[which].shape[op];
  for (size_t i = 0; shape != NULL && i < sizeof table / sizeof *table; i++)
    if (strcmp(shape, table[i].shape) == 0) return table[i].letters;
  return "ijkl";
}

/* ---- Which tensors there are -------------------------------------------------------------------------------------------- */

static bool find_tensors(const rpp_safetensors *file, rpp_case *c, rpp_message *error) {
  for (size_t i = 0; i < rpp_safetensors_tensor_count(file); i++) {
    const char *name;
    const rpp_tensor *tensor = rpp_safetensors_tensor_at(file, i, &name);
    int which = 0;
    while (which < RPP_CASE_TENSORS && strcmp(name, tensors[which].name) != 0) which++;
    if (which == RPP_CASE_TENSORS) return rpp_message_set(error, "%.60s: unknown tensor", name);
    if (tensors[which].shape[c->op] == NULL)
      return rpp_message_set(error, "%s: not a tensor of op = %s", name, rpp_names_get(rpp_names_op, c->op));
    c->tensor[which] = tensor;
  }
  return true;
}

static bool check_together(const rpp_case *c, rpp_case_tensor a, rpp_case_tensor b, rpp_message *error) {
  if ((c->tensor[a] == NULL) == (c->tensor[b] == NULL)) return true;
  const rpp_case_tensor missing = c->tensor[a] == NULL ? a : b, present = missing == a ? b : a;
  return rpp_message_set(error, "%s: missing, though %s is there", tensors[missing].name, tensors[present].name);
}

static bool check_presence(const rpp_case *c, rpp_message *error) {
  const bool q = c->attention.q_rotated, k = c->attention.k_rotated;
  for (rpp_case_tensor t = RPP_CASE_Q; t < RPP_CASE_TENSORS; t++) {
    const bool needless = (t == RPP_CASE_POS_Q && q) || (t == RPP_CASE_POS_K && k);
    if (c->tensor[t] == NULL && (tensors[t].flags & REQUIRED) && tensors[t].shape[c->op] != NULL && !needless)
      return rpp_message_set(error, "%s: missing", tensors[t].name);
    /* They follow from what comes before the rotation. */
    const bool of_q = t == RPP_CASE_Q_REAL || t == RPP_CASE_Q_IMAG, of_k = t == RPP_CASE_K_ROT,
               of_both = t == RPP_CASE_SCORES_REAL || t == RPP_CASE_SCORES_IMAG;
    if (c->tensor[t] != NULL && (((of_q || of_both) && q) || ((of_k || of_both) && k)))
      return rpp_message_set(error, "%s: cannot be judged when inputs = %s", tensors[t].name,
                             rpp_names_get(rpp_names_inputs, rpp_inputs_of(&c->attention)));
  }
  if (c->tensor[RPP_CASE_INV_FREQ] != NULL && c->tensor[RPP_CASE_COS] != NULL)
    return rpp_message_set(error, "inv_freq: given together with cos and sin");
  return check_together(c, RPP_CASE_CU_Q, RPP_CASE_CU_K, error) && check_together(c, RPP_CASE_COS, RPP_CASE_SIN, error);
}

/* ---- Their shapes ------------------------------------------------------------------------------------------------------- */

/* The size that each letter stands for; -1 until a tensor has settled it. */
typedef struct {
  int64_t of['z' + 1];
} sizes;

static bool settle_sizes(const rpp_case *c, sizes *s, rpp_message *error) {
  for (size_t i = 0; i < sizeof s->of / sizeof *s->of; i++) s->of[i] = -1;
  s->of['P'] = c->counts.projected;
  s->of['K'] = c->counts.kv;
  s->of['O'] = c->counts.output;
  s->of['Q'] = c->attention.q_rotated ? c->counts.output : c->counts.projected;
  s->of['D'] = c->head_dim;
  s->of['H'] = c->hidden;
  s->of['W'] = c->attention.rotary.rotary_dim / 2;
  if (__builtin_mul_overflow(c->counts.projected, c->head_dim, &s->of['p']) ||
      __builtin_mul_overflow(c->counts.kv, c->head_dim, &s->of['k']) ||
      __builtin_mul_overflow(c->counts.output, c->head_dim, &s->of['o']))
    return rpp_message_set(error, "head_dim = %" PRId64 ": heads times head_dim overflows", c->head_dim);
  return true;
}

/* What to call a letter whose size is not settled. */
static const char *free_name(char letter) {
  switch (letter) {
  case 'B':
    return "B";
  case 'M':
    return "Lq";
  case 'N':
    return "Lk";
  case 'V':
    return "Dv";
  case 'S':
    return "n+1";
  default:
    return "T";
  }
}

static bool refuse_shape(const char *name, const rpp_tensor *t, const char *shape, const sizes *s, rpp_message *error) {
  char got[96] = "", expected[96] = "";
  for (int i = 0, used = 0; i < t->ndim; i++)
    used += snprintf(got + used, sizeof got - (size_t)used, "%s%" PRId64, i == 0 ? "" : ", ", t->shape[i]);
  for (int used = 0; *shape != '\0'; shape++) {
    const char *comma = used == 0 ? "" : ", ";
    const int64_t size = s->of[(unsigned char)*shape];
    used += size >= 0 ? snprintf(expected + used, sizeof expected - (size_t)used, "%s%" PRId64, comma, size)
                      : snprintf(expected + used, sizeof expected - (size_t)used, "%s%s", comma, free_name(*shape));
  }
  return rpp_message_set(error, "%s: shape (%s), expected (%s)", name, got, expected);
}

static bool check_shape(const char *name, const rpp_tensor *t, const char *shape, sizes *s, rpp_message *error) {
  char letters[RPP_MAX_DIMS + 1];
  strcpy(letters, shape);
  if (*letters == 'b') *letters = 'B';
  if (*shape == 'b' && t->ndim == (int)strlen(shape) - 1) memmove(letters, letters + 1, strlen(letters));
  if (t->ndim != (int)strlen(letters)) return refuse_shape(name, t, letters, s, error);
  bool ok = true;
  for (int i = 0; i < t->ndim; i++) {
    int64_t *size = &s->of[(unsigned char)letters[i]];
    if (*size < 0) *size = t->shape[i];
    ok = ok && *size == t->shape[i];
  }
  return ok || refuse_shape(name, t, letters, s, error);
}

static bool check_tensors(const rpp_case *c, rpp_message *error) {
  sizes s;
  if (!settle_sizes(c, &s, error)) return false;
  for (rpp_case_tensor t = RPP_CASE_Q; t < RPP_CASE_TENSORS; t++) {
    const rpp_tensor *tensor = c->tensor[t];
    if (tensor == NULL) continue;
    const bool integer = tensors[t].flags & INTEGER;
    if ((tensor->dtype == RPP_I64) != integer)
      return rpp_message_set(error, "%s: dtype %s, expected %s", tensors[t].name, rpp_dtype_name(tensor->dtype),
                             integer ? "I64" : "F64, F32, F16 or BF16");
    if (!check_shape(tensors[t].name, tensor, tensors[t].shape[c->op], &s, error)) return false;
  }
  return true;
}

bool rpp_case_read(const rpp_safetensors *file, rpp_case *c, rpp_message *error) {
  *c = (rpp_case){0};
  if (!rpp_case_metadata(file, c, error) || !find_tensors(file, c, error) || !check_presence(c, error) || !check_tensors(c, error))
    return false;
  const rpp_tensor *const *t = c->tensor;
  rpp_rotary *r = &c->attention.rotary;
  r->inv_freq = t[RPP_CASE_INV_FREQ];
  r->cos = t[RPP_CASE_COS];
  r->sin = t[RPP_CASE_SIN];
  c->inputs = (rpp_attention_inputs){t[RPP_CASE_Q],     t[RPP_CASE_K],    t[RPP_CASE_V],   t[RPP_CASE_POS_Q],
                                     t[RPP_CASE_POS_K], t[RPP_CASE_CU_Q], t[RPP_CASE_CU_K]};
  c->layer = (rpp_layer_inputs){t[RPP_CASE_X], t[RPP_CASE_WQ], t[RPP_CASE_WK], t[RPP_CASE_WV], t[RPP_CASE_WO], t[RPP_CASE_POS_Q]};
  return true;
}
