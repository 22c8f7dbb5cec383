/* bench_json.c: a bench as one JSON object: SI units; null for what was not measured. */
#include <jansson.h>
#include <math.h>

#include "base/json_number.h"
#include "bench/bench.h"

static json_t *number(double x) {
  return isnan(x) ? json_null() : rpp_json_number(x);
}

static json_t *json_spec(const rpp_spec *spec) {
  char text[RPP_SPEC_TEXT];
  rpp_spec_print(spec, text);
  return json_string(text);
}

/* JSON has no bytes outside UTF-8. */
static json_t *json_text(const char *text) {
  json_t *exact = json_string(text);
  return exact != NULL ? exact : json_null();
}

static json_t *json_row(const rpp_bench *b, const rpp_bench_row *r) {
  json_t *seconds = json_pack("{s:o, s:o, s:o}", "median", number(r->seconds.median), "low", number(r->seconds.low), "high",
                              number(r->seconds.high));
  json_t *probes = json_pack("{s:o, s:o, s:o}", "fma", number(r->fma), "read", number(r->read), "copy", number(r->copy));
  json_t *shares = json_pack("{s:o, s:o, s:o}", "fma", number(r->of_fma), "read", number(r->of_read), "copy", number(r->of_copy));
  json_t *vs = isnan(r->to_vs) ? json_null() : json_pack("{s:o, s:o}", "seconds", number(r->vs_seconds), "ratio", number(r->to_vs));
  return json_pack("{s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "case", json_spec(r->spec), "kernel",
                   json_text(r->kernel), "task", rpp_bench_task_names[r->task], "runs", r->runs, "seconds", seconds, "operations",
                   number(r->operations), "bytes", number(r->bytes), "probes", probes, "of_probe", shares, "to_rope",
                   number(r->to_rope), "speedup", number(r->speedup), "vs", vs, "peak_bytes", number(r->peak), "disturbed",
                   (int)rpp_bench_disturbed(b, r));
}

static json_t *json_skip(const rpp_bench_skip *s) {
  return json_pack("{s:o, s:o, s:o}", "case", json_spec(s->spec), "kernel", json_text(s->kernel), "reason",
                   json_text(s->reason.text));
}

static json_t *json_probes(const rpp_bench *b) {
  double fma, read, copy;
  rpp_bench_probes(b, &fma, &read, &copy);
  return json_pack("{s:{s:o, s:s}, s:{s:o, s:s, s:i, s:i}, s:{s:o}}", "fma", "operations_per_second", number(fma), "vectors",
                   b->probe.arithmetic->name, "read", "bytes_per_second", number(read), "vectors", b->probe.reading->name,
                   "streams", b->probe.streams, "buffer", RPP_PROBE_BUFFER, "copy", "bytes_per_second", number(copy));
}

bool rpp_bench_json(const rpp_bench *b, FILE *out) {
  json_t *rows = json_array(), *skips = json_array();
  for (int i = 0; i < b->row_count; i++) json_array_append_new(rows, json_row(b, &b->rows[i]));
  for (int i = 0; i < b->skip_count; i++) json_array_append_new(skips, json_skip(&b->skips[i]));
  json_t *all = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "program", "ropepp-verify", "version",
                          RPP_VERSION, "cpu", json_text(b->machine.cpu), "compiler", b->machine.compiler, "blas", b->machine.blas,
                          "date", b->machine.date, "threads", b->machine.threads, "seconds", number(b->plan->seconds), "vs",
                          b->plan->vs != NULL ? json_text(b->plan->vs->name) : json_null(), "probes", json_probes(b), "rows", rows,
                          "skipped", skips);
  json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  fputc('\n', out);
  json_decref(all);
  return true;
}
