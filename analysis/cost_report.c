#include "cost_report.h"

#include <inttypes.h>
#include <string.h>

#include "json_file.h"
#include "model_options.h"
#include "program/names.h"
#include "table.h"

/* ---- CSV ------------------------------------------------------------------------------------------------------------------ */

static void write_comments(const rpp_sweep *s, const char *command, rpp_table *t) {
  char line[RPP_MODEL_LINE];
  rpp_model_print(&s->model, line);
  rpp_table_comment(t, "ropepp-analysis cost %s", command);
  rpp_table_comment(t, "%s", line);
  rpp_table_comment(
      t, "mode: rope, ec, eh; ec-twice: EC by a kernel that reads K and V once for the real and once for the imaginary heads");
  for (int v = 0; v < RPP_SWEEP_VARIANTS; v++)
    if (!s->of[v].possible) rpp_table_comment(t, "%s: not possible: %s", rpp_sweep_variants[v].key, s->of[v].why_not.text);
  rpp_table_comment(t, "context: tokens of each of the %" PRId64 " sequences; every count below is of the whole batch", s->batch);
  rpp_table_comment(t, "embedding .. output_head, parameters: elements over all layers and their sum; no norms, no biases%s",
                    s->model.tied ? "; the output head is the embedding table" : "");
  rpp_table_comment(t, "kv_token_bytes: KV cache of one token; kv_bytes: of the batch at this context; elements are %s",
                    rpp_names_get(rpp_names_dtype, (int)s->machine.dtype));
  rpp_table_comment(
      t,
      "prefill_*, decode_*: FLOPs of matrix products; prefill is causal, with logits of the last tokens only; decode is one token "
      "of each sequence");
  rpp_table_comment(
      t, "step_weight_bytes, step_kv_bytes: read by a decode step: all weights but the input embedding table, and the cache");
  rpp_table_comment(
      t, "memory_ms: these bytes / %.17g bytes/s; compute_ms: decode_flops / %.17g FLOP/s; ms: the larger, of an output token",
      s->machine.bandwidth, s->machine.flops);
}

static void write_header(rpp_table *t) {
  static const char *const first[] = {"mode", "context"}, *const rest[] = {
                                                              "parameters",          "kv_token_bytes",    "kv_bytes",
                                                              "prefill_projections", "prefill_attention", "prefill_ffn",
                                                              "prefill_output_head", "prefill_flops",     "decode_projections",
                                                              "decode_attention",    "decode_ffn",        "decode_output_head",
                                                              "decode_flops",        "step_weight_bytes", "step_kv_bytes",
                                                              "memory_ms",           "compute_ms",        "ms"};
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) rpp_table_text(t, first[i]);
  for (int i = 0; i < RPP_MATRICES; i++) rpp_table_text(t, rpp_matrix_name((rpp_matrix)i));
  for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) rpp_table_text(t, rest[i]);
  rpp_table_end_row(t);
}

static void write_row(const rpp_sweep *s, int v, int c, rpp_table *t) {
  const rpp_sweep_result *of = s->of + v;
  const rpp_sweep_row *r = of->rows + c;
  const rpp_flops *const flops[] = {&r->prefill, &r->decode};
  rpp_table_text(t, rpp_sweep_variants[v].key);
  rpp_table_integer(t, s->contexts[c]);
  for (int i = 0; i < RPP_MATRICES; i++) rpp_table_integer(t, of->parameters.of[i]);
  rpp_table_integer(t, of->parameters.total);
  rpp_table_integer(t, of->token_bytes);
  rpp_table_integer(t, r->cache_bytes);
  for (int i = 0; i < 2; i++) {
    rpp_table_number(t, flops[i]->projections);
    rpp_table_number(t, flops[i]->attention);
    rpp_table_number(t, flops[i]->ffn);
    rpp_table_number(t, flops[i]->output_head);
    rpp_table_number(t, flops[i]->total);
  }
  rpp_table_integer(t, r->step.weight_bytes);
  rpp_table_integer(t, r->step.cache_bytes);
  rpp_table_number(t, r->step.memory_ms);
  rpp_table_number(t, r->step.compute_ms);
  rpp_table_number(t, r->step.ms);
  rpp_table_end_row(t);
}

bool rpp_cost_write_csv(const rpp_sweep *s, const char *command, const char *folder, rpp_message *error) {
  rpp_table table;
  if (!rpp_table_open(&table, folder, "cost.csv", error)) return false;
  write_comments(s, command, &table);
  write_header(&table);
  for (int v = 0; v < RPP_SWEEP_VARIANTS; v++)
    for (int c = 0; c < s->count && s->of[v].possible; c++) write_row(s, v, c, &table);
  return rpp_table_close(&table, error);
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------- */

static json_t *summary_of(const rpp_sweep *s, int v) {
  const rpp_sweep_result *of = s->of + v;
  if (!of->possible) return json_pack("{s:b, s:s}", "possible", 0, "reason", of->why_not.text);
  json_t *parameters = json_object(), *times = json_array();
  for (int i = 0; i < RPP_MATRICES; i++)
    json_object_set_new(parameters, rpp_matrix_name((rpp_matrix)i), json_integer(of->parameters.of[i]));
  json_object_set_new(parameters, "total", json_integer(of->parameters.total));
  for (int c = 0; c < s->count; c++) {
    const rpp_sweep_row *r = of->rows + c;
    json_array_append_new(times,
                          json_pack("{s:I, s:I, s:f, s:f, s:f, s:s}", "context", (json_int_t)s->contexts[c], "kv_bytes",
                                    (json_int_t)r->cache_bytes, "prefill_flops", r->prefill.total, "decode_flops", r->decode.total,
                                    "ms", r->step.ms, "bound", r->step.memory_ms >= r->step.compute_ms ? "memory" : "compute"));
  }
  return json_pack("{s:b, s:o, s:I, s:o}", "possible", 1, "parameters", parameters, "kv_token_bytes", (json_int_t)of->token_bytes,
                   "contexts", times);
}

bool rpp_cost_write_json(const rpp_sweep *s, const char *command, const char *folder, rpp_message *error) {
  const rpp_model *m = &s->model;
  json_t *all = json_pack(
      "{s:s, s:{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}, s:I, s:s, s:f, s:f}", "command", command, "model", "name",
      m->name, "about", m->about.text, "hidden", (json_int_t)m->hidden, "ffn", (json_int_t)m->ffn, "layers", (json_int_t)m->layers,
      "heads", (json_int_t)m->heads, "kv_heads", (json_int_t)m->kv_heads, "head_dim", (json_int_t)m->head_dim, "vocabulary",
      (json_int_t)m->vocabulary, "tied", (int)m->tied, "batch", (json_int_t)s->batch, "dtype",
      rpp_names_get(rpp_names_dtype, (int)s->machine.dtype), "bandwidth", s->machine.bandwidth, "flop_rate", s->machine.flops);
  for (int v = 0; v < RPP_SWEEP_VARIANTS; v++) json_object_set_new(all, rpp_sweep_variants[v].key, summary_of(s, v));
  return rpp_json_file_write(all, false, folder, "cost.json", error);
}

/* ---- Tables for people ---------------------------------------------------------------------------------------------------- */

/* "%16s" for each mode: its number, or a dash. */
static void print_counts(const rpp_sweep *s, const char *name, const int64_t *(*of)(const rpp_sweep_result *, int), int which) {
  printf("%-24s", name);
  for (int v = 0; v <= RPP_SWEEP_EH; v++) {
    if (s->of[v].possible)
      printf(" %14" PRId64, *of(s->of + v, which));
    else
      printf(" %14s", "-");
  }
  putchar('\n');
}

static const int64_t *matrix_of(const rpp_sweep_result *r, int which) {
  return &r->parameters.of[which];
}
static const int64_t *total_of(const rpp_sweep_result *r, int which) {
  return which == 0 ? &r->parameters.total : &r->token_bytes;
}

static void print_parameters(const rpp_sweep *s) {
  printf("%-24s", "parameters");
  for (int v = 0; v <= RPP_SWEEP_EH; v++) printf(" %14s", rpp_sweep_variants[v].title);
  putchar('\n');
  for (int i = 0; i < RPP_MATRICES; i++) print_counts(s, rpp_matrix_name((rpp_matrix)i), matrix_of, i);
  print_counts(s, "total", total_of, 0);
  print_counts(s, "KV cache, bytes a token", total_of, 1);
}

/* One group of columns: what of each mode, over unit. */
static void print_cell(const rpp_sweep *s, int v, double value, int width, int digits) {
  if (s->of[v].possible)
    printf("%*.*f", width, digits, value);
  else
    printf("%*s", width, "-");
}

static void print_contexts(const rpp_sweep *s) {
  printf("\n%9s |%24s |%27s |%24s |%32s\n%9s", "", "KV cache, GB", "prefill, TFLOP", "decode step, GFLOP", "ms an output token",
         "context");
  static const int widths[] = {8, 9, 8, 8};
  for (int g = 0; g < 4; g++) {
    printf(" |");
    for (int v = 0; v <= RPP_SWEEP_EH; v++) printf("%*s", widths[g], rpp_sweep_variants[v].title);
  }
  printf("%8s\n", "EC, 2x");
  for (int c = 0; c < s->count; c++) {
    printf("%9" PRId64, s->contexts[c]);
    for (int g = 0; g < 4; g++) {
      printf(" |");
      for (int v = 0; v <= (g == 3 ? RPP_SWEEP_EC_TWICE : RPP_SWEEP_EH); v++) {
        const rpp_sweep_row *r = s->of[v].rows + c;
        const double cells[] = {(double)r->cache_bytes / 1e9, r->prefill.total / 1e12, r->decode.total / 1e9, r->step.ms};
        static const int digits[] = {3, 2, 2, 3};
        print_cell(s, v, cells[g], widths[g], digits[g]);
      }
    }
    putchar('\n');
  }
}

void rpp_cost_print(const rpp_sweep *s) {
  char line[RPP_MODEL_LINE];
  rpp_model_print(&s->model, line);
  printf("%s\nbatch %" PRId64 ", %s, %g bytes/s, %g FLOP/s\n", line, s->batch,
         rpp_names_get(rpp_names_dtype, (int)s->machine.dtype), s->machine.bandwidth, s->machine.flops);
  for (int v = 0; v <= RPP_SWEEP_EH; v++)
    if (!s->of[v].possible) printf("%s is not possible: %s\n", rpp_sweep_variants[v].title, s->of[v].why_not.text);
  putchar('\n');
  print_parameters(s);
  print_contexts(s);
  puts("\nEC, 2x: by a kernel that reads K and V once for the real and once for the imaginary heads.");
}
