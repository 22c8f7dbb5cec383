#include "check_answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cases/dump.h"
#include "cases/gen.h"
#include "cases/tokens.h"
#include "explain/explain.h"
#include "files/answer_shape.h"
#include "judge/results.h"

/* A case, its answer, and what is known of both. */
typedef struct {
  const rpp_check_asked *asked;
  rpp_check_judged *judged;
  rpp_safetensors *file; /* of a case file; null: dump */
  rpp_case own;
  rpp_dump dump;
  const rpp_case *c; /* one of the two */
  rpp_attention attention;
  rpp_family family;
  rpp_spec spec; /* rows, seed */
  rpp_answer answer;
  rpp_named_tensors answer_set;
  rpp_scratch scratch;
  rpp_tensor rows;
} checking;

static bool fail_at(checking *k, const char *path) {
  k->judged->bad = path;
  return false;
}

/* ---- The case ------------------------------------------------------------------------------------------------------------ */

bool rpp_check_is_folder(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_case(const rpp_safetensors *file) {
  const char *format = rpp_safetensors_metadata(file, "format");
  return format != NULL && strncmp(format, "ropepp-case/", 12) == 0;
}

static bool open_case_file(checking *k, rpp_message *error) {
  if (k->asked->options != NULL) return rpp_message_set(error, "--case: the file is a case, and says itself what it is");
  if (!rpp_case_read(k->file, &k->own, error)) return false;
  if (k->own.op != RPP_OP_ATTENTION) return rpp_message_set(error, "op = layer: only attention is judged by a contract");
  if (k->asked->answer_path == NULL) return rpp_message_set(error, "an answer to it is expected: check CASE ANSWER");
  k->c = &k->own;
  snprintf(k->judged->taken, sizeof k->judged->taken, "%s", k->own.name.text);
  /* Only of a case that gen has written are the values known to be independent, and the rows that it wants checked. */
  k->family = rpp_gen_recall(&k->own, &k->spec) ? k->spec.family : RPP_FAMILIES;
  return true;
}

/* A dump's line, without the seed where it says nothing. */
static void describe_dump(checking *k) {
  char *text = k->judged->taken, line[RPP_SPEC_TEXT];
  rpp_spec_print(&k->dump.spec, line);
  char *seed = strstr(line, ",seed=");
  if (seed != NULL && k->dump.spec.rows == 0) *seed = '\0';
  snprintf(text, sizeof k->judged->taken, "%s; positions %s", line,
           k->dump.spec.attention.q_rotated ? "are in q and k"
           : k->dump.positions == NULL      ? "from pos_q and pos_k"
                                            : "counted");
}

static bool open_dump(checking *k, int64_t out_heads, rpp_message *error) {
  const rpp_check_asked *a = k->asked;
  if (!rpp_dump_load(a->case_path, a->options, a->axes, out_heads, &k->dump, error)) return false;
  k->c = &k->dump.c;
  k->spec = k->dump.spec;
  k->family = k->dump.family_given ? k->spec.family : RPP_FAMILIES;
  describe_dump(k);
  return true;
}

static int64_t heads_of_out(const rpp_named_tensors *set, rpp_axes axes) {
  for (size_t i = 0; i < rpp_named_tensors_count(set); i++) {
    const char *name;
    const rpp_tensor *t = rpp_named_tensors_at(set, i, &name);
    if (strcmp(name, "out") == 0 && t->ndim == 4) return t->shape[axes == RPP_AXES_BHLD ? 1 : 2];
  }
  return 0;
}

static bool open_case(checking *k, rpp_message *error) {
  const char *path = k->asked->case_path;
  if (rpp_check_is_folder(path)) return open_dump(k, heads_of_out(&k->answer_set, k->asked->axes), error);
  if (!rpp_safetensors_load(path, &k->file, error)) return false;
  if (is_case(k->file)) return open_case_file(k, error);
  rpp_safetensors_free(k->file);
  k->file = NULL;
  return open_dump(k, heads_of_out(&k->answer_set, k->asked->axes), error);
}

/* ---- The answer ---------------------------------------------------------------------------------------------------------- */

static bool take_answer(checking *k, rpp_message *error) {
  const bool own = k->asked->answer_path != NULL;
  return rpp_answer_take(own ? &k->answer_set : &k->dump.set, !own, &k->c->attention, &k->c->inputs, k->asked->axes, &k->answer,
                         error);
}

static void describe_answer(checking *k) {
  char *text = k->judged->arrays, shape[RPP_SHAPE_TEXT];
  size_t used = 0;
  for (int i = 0; i < RPP_ANSWER_TENSORS && used < sizeof k->judged->arrays; i++) {
    const rpp_tensor *t = &k->answer.tensor[i];
    if (t->ndim == 0) continue;
    rpp_shape_print(t->ndim, t->shape, shape);
    used += (size_t)snprintf(text + used, sizeof k->judged->arrays - used, "%s%s %s %s", used == 0 ? "" : ", ",
                             rpp_answer_name((rpp_answer_tensor)i), rpp_dtype_name(t->dtype), shape);
  }
}

/* ---- The contract -------------------------------------------------------------------------------------------------------- */

/* The angle model is the case's where the contract does not name one. */
static bool settle_contract(checking *k, rpp_message *error) {
  const char *text = k->asked->contract;
  rpp_contract *c = &k->judged->contract;
  char whole[2 * RPP_CONTRACT_TEXT];
  rpp_message why;
  *c = rpp_contract_default(k->answer.tensor[RPP_ANSWER_OUT].dtype);
  c->input = k->c->inputs.q->dtype;
  if (k->answer.tensor[RPP_ANSWER_LSE].ndim > 0 && k->answer.tensor[RPP_ANSWER_LSE].dtype != RPP_F64)
    c->lse = k->answer.tensor[RPP_ANSWER_LSE].dtype;
  const bool other = k->c->attention.rotary.angles != RPP_ANGLES_EXACT && (text == NULL || strstr(text, "angles=") == NULL);
  if (text == NULL && !other) return true;
  if (text != NULL && strlen(text) >= RPP_CONTRACT_TEXT) return rpp_message_set(error, "--contract: is too long");
  snprintf(whole, sizeof whole, "%s%s%s", text == NULL ? "" : text, text == NULL || !other ? "" : ",",
           other ? "angles=hf-f32" : "");
  return rpp_contract_parse(whole, c, &why) || rpp_message_set(error, "--contract: %s", why.text);
}

/* The first element that a dtype does not hold. */
static bool holds(const rpp_tensor *t, const char *name, rpp_dtype dtype, rpp_message *error) {
  rpp_answer as_answer = {.tensor = {[RPP_ANSWER_OUT] = *t}};
  rpp_message why;
  if (t->dtype == dtype || rpp_answer_holds(&as_answer, RPP_ANSWER_OUT, dtype, &why)) return true;
  return rpp_message_set(error, "%s%s", name, why.text + strlen("out"));
}

static bool check_dtypes(checking *k, rpp_message *error) {
  const rpp_contract *c = &k->judged->contract;
  const rpp_attention_inputs *i = &k->c->inputs;
  if (!rpp_answer_holds(&k->answer, RPP_ANSWER_OUT, c->output, error))
    return fail_at(k, k->asked->answer_path ? k->asked->answer_path : k->asked->case_path);
  return (holds(i->q, "q", c->input, error) && holds(i->k, "k", c->input, error) && holds(i->v, "v", c->input, error)) ||
         fail_at(k, k->asked->case_path);
}

/* ---- The verdict --------------------------------------------------------------------------------------------------------- */

static const rpp_tensor *present(const checking *k, rpp_answer_tensor which) {
  return k->answer.tensor[which].ndim > 0 ? &k->answer.tensor[which] : NULL;
}

static bool choose_rows(checking *k, rpp_message *error) {
  k->judged->queries = k->judged->rows = k->c->inputs.q->shape[1];
  if (k->spec.rows == 0) return true;
  k->rows = rpp_scratch_positions(&k->scratch, k->spec.rows, 0, 1);
  if (k->rows.data == NULL) return rpp_message_set(error, "out of memory for the rows");
  rpp_token_rows(&k->spec, rpp_scratch_integers(&k->rows));
  k->judged->rows = k->spec.rows;
  return true;
}

static int64_t count_nan(const rpp_tensor *t) {
  int64_t index[RPP_MAX_DIMS] = {0}, elements = 0, nan = 0;
  if (t->ndim == 0 || rpp_tensor_extent(t, &elements, NULL) != RPP_OK) return 0;
  for (int64_t i = 0; i < elements; i++) {
    nan += isnan(rpp_tensor_get(t, index));
    for (int d = t->ndim - 1; d >= 0 && ++index[d] == t->shape[d]; d--) index[d] = 0;
  }
  return nan;
}

/* Where no contract was given: what else people's kernels promise, the likelier first. */
static bool passes_by_another(const checking *k, const rpp_results *results, rpp_message *explanation) {
  static const char *const others[] = {
      "rotated=f32", "rotate=each", "rotated=f32,p=f32", "rotated=f32,v=f32,p=f32", "angles=hf-f32", "rotate=each,angles=hf-f32"};
  for (size_t i = 0; k->asked->contract == NULL && i < sizeof others / sizeof *others; i++) {
    rpp_contract contract = *results->contract;
    rpp_attention attention = *results->attention;
    rpp_results other = *results;
    rpp_verdict verdict = rpp_verdict_none();
    rpp_gate_worsts worsts = {0};
    rpp_judged_truth truth;
    rpp_scratch scratch = {0};
    other.attention = &attention;
    other.contract = &contract;
    const bool passes =
        rpp_contract_parse(others[i], &contract, explanation) &&
        (attention.rotary.angles = contract.angles, rpp_results_judge(&other, &scratch, &truth, &verdict, &worsts)) &&
        verdict.outcome == RPP_OUTCOME_PASS;
    rpp_scratch_free(&scratch);
    if (!passes) continue;
    rpp_message_set(explanation, "passes by --contract %s,%s: is that what the kernel promises?",
                    rpp_names_get(rpp_names_dtype, (int)contract.output), others[i]);
    return true;
  }
  return false;
}

/* Hypotheses come first, since they say more; where the case is too large for them, another contract is tried all the same. */
static void explain(checking *k, const rpp_results *results) {
  rpp_check_judged *j = k->judged;
  rpp_message other;
  j->likely = rpp_explain_results(results, &j->verdict, &j->explanation);
  if (j->likely || !passes_by_another(k, results, &other)) return;
  j->explanation = other;
  j->likely = true;
}

static bool judge(checking *k, rpp_message *error) {
  rpp_check_judged *j = k->judged;
  rpp_gate_worsts worsts = {0};
  rpp_judged_truth truth;
  if (!choose_rows(k, error)) return false;
  const rpp_results results = {.attention = &k->attention,
                               .inputs = &k->c->inputs,
                               .contract = &j->contract,
                               .rows = k->rows.data ? &k->rows : NULL,
                               .family = k->family,
                               .out = present(k, RPP_ANSWER_OUT),
                               .lse = present(k, RPP_ANSWER_LSE),
                               .q_real = present(k, RPP_ANSWER_Q_REAL),
                               .q_imag = present(k, RPP_ANSWER_Q_IMAG),
                               .k_rot = present(k, RPP_ANSWER_K_ROT)};
  if (!rpp_results_judge(&results, &k->scratch, &truth, &j->verdict, &worsts)) {
    rpp_message_set(error, "%s", j->verdict.message.text);
    return fail_at(k, k->asked->case_path);
  }
  j->lse = results.lse != NULL;
  j->statistical = k->family == RPP_FAMILY_NORMAL || k->family == RPP_FAMILY_UNIFORM;
  j->pass = !rpp_verdict_fails(&j->verdict) && j->verdict.elements > 0;
  if (!rpp_verdict_fails(&j->verdict)) return true;
  for (int i = 0; i < RPP_ANSWER_TENSORS; i++) j->nan += count_nan(&k->answer.tensor[i]);
  explain(k, &results);
  return true;
}

static bool check(checking *k, rpp_message *error) {
  const char *answer = k->asked->answer_path;
  if (answer != NULL && !rpp_named_tensors_load(answer, "out", rpp_case_tensor_known, &k->answer_set, error))
    return fail_at(k, answer);
  if (!open_case(k, error)) return fail_at(k, k->asked->case_path);
  if (!take_answer(k, error)) return fail_at(k, answer != NULL ? answer : k->asked->case_path);
  if (!settle_contract(k, error)) return false;
  describe_answer(k);
  k->attention = k->c->attention;
  k->attention.rotary.angles = k->judged->contract.angles;
  return check_dtypes(k, error) && judge(k, error);
}

static bool check_once(const rpp_check_asked *asked, rpp_check_judged *judged, rpp_message *error) {
  checking k = {.asked = asked, .judged = judged, .family = RPP_FAMILIES};
  *judged = (rpp_check_judged){.verdict = rpp_verdict_none()};
  const bool good = check(&k, error);
  rpp_answer_free(&k.answer);
  rpp_named_tensors_free(&k.answer_set);
  rpp_dump_free(&k.dump);
  rpp_safetensors_free(k.file);
  rpp_scratch_free(&k.scratch);
  return good;
}

/* Arrays that are all in the other order make a case of other sizes, or none: only trying them tells. */
static bool fits_otherwise(const rpp_check_asked *asked, bool must_pass) {
  rpp_check_asked other = *asked;
  rpp_check_judged judged;
  rpp_message error;
  other.axes = RPP_AXES_BHLD;
  other.axes_given = true;
  return !asked->axes_given && rpp_check_is_folder(asked->case_path) && check_once(&other, &judged, &error) &&
         (judged.pass || !must_pass);
}

bool rpp_check_answer(const rpp_check_asked *asked, rpp_check_judged *judged, rpp_message *error) {
  static const char advice[] = "the arrays fit as batch, heads, length, width: use --axes bhld";
  if (!check_once(asked, judged, error)) {
    if (strstr(error->text, "--axes") == NULL && fits_otherwise(asked, false))
      rpp_message_set(error, "%.150s; %s", error->text, advice);
    return false;
  }
  if (!judged->pass && fits_otherwise(asked, true)) judged->likely = true, rpp_message_set(&judged->explanation, "%s", advice);
  return true;
}

/* ---- What a file is ------------------------------------------------------------------------------------------------------ */

static bool carries_expected(const rpp_safetensors *file) {
  for (size_t i = 0; i < rpp_safetensors_tensor_count(file); i++) {
    const char *name;
    rpp_safetensors_tensor_at(file, i, &name);
    for (rpp_case_tensor which = RPP_CASE_EXPECTED; which < RPP_CASE_TENSORS; which++)
      if (strcmp(name, rpp_case_tensor_name(which)) == 0) return true;
  }
  return false;
}

bool rpp_check_is_answer(const char *first, const char *second) {
  rpp_named_tensors set;
  rpp_safetensors *file;
  rpp_message error;
  const bool read = rpp_named_tensors_load(second, "out", rpp_case_tensor_known, &set, &error);
  const bool other = read && (set.file == NULL || !is_case(set.file));
  if (read) rpp_named_tensors_free(&set);
  if (other || rpp_check_is_folder(first)) return true;
  if (!rpp_safetensors_load(first, &file, &error)) return false;
  const bool bare = !carries_expected(file);
  rpp_safetensors_free(file);
  return bare;
}
