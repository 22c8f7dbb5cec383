#include "cost.h"

#include <inttypes.h>

const char *rpp_matrix_name(rpp_matrix matrix) {
  static const char *const names[RPP_MATRICES] = {"embedding", "wq",     "wk",       "wv",         "wo",
                                                  "ffn_gate",  "ffn_up", "ffn_down", "output_head"};
  return names[matrix];
}

/* ---- Products and sums that are exact, or known not to be ------------------------------------------------------------------ */

typedef struct {
  bool overflow;
} exact;

static int64_t multiply(exact *e, int64_t a, int64_t b) {
  int64_t product = 0;
  e->overflow |= __builtin_mul_overflow(a, b, &product);
  return product;
}

static int64_t add(exact *e, int64_t a, int64_t b) {
  int64_t sum = 0;
  e->overflow |= __builtin_add_overflow(a, b, &sum);
  return sum;
}

static bool fits(const exact *e, const char *what, const rpp_model *model, rpp_message *error) {
  return !e->overflow ||
         rpp_message_set(error, "%s of hidden_size = %" PRId64 ", num_hidden_layers = %" PRId64 ": more than 64 bits hold", what,
                         model->hidden, model->layers);
}

/* ---- Counts --------------------------------------------------------------------------------------------------------------- */

bool rpp_parameters_count(const rpp_model *m, rpp_mode mode, rpp_parameters *parameters, rpp_message *error) {
  rpp_head_counts heads;
  if (!rpp_model_heads(m, mode, &heads, error)) return false;
  exact e = {false};
  const int64_t q = multiply(&e, heads.projected, m->head_dim), kv = multiply(&e, heads.kv, m->head_dim),
                out = multiply(&e, heads.output, m->head_dim);
  const struct {
    int64_t rows, columns, copies;
  } shapes[RPP_MATRICES] = {
      [RPP_MATRIX_EMBEDDING] = {m->vocabulary, m->hidden, 1},
      [RPP_MATRIX_WQ] = {q, m->hidden, m->layers},
      [RPP_MATRIX_WK] = {kv, m->hidden, m->layers},
      [RPP_MATRIX_WV] = {kv, m->hidden, m->layers},
      [RPP_MATRIX_WO] = {m->hidden, out, m->layers},
      [RPP_MATRIX_FFN_GATE] = {m->ffn, m->hidden, m->layers},
      [RPP_MATRIX_FFN_UP] = {m->ffn, m->hidden, m->layers},
      [RPP_MATRIX_FFN_DOWN] = {m->hidden, m->ffn, m->layers},
      [RPP_MATRIX_OUTPUT_HEAD] = {m->vocabulary, m->hidden, m->tied ? 0 : 1},
  };
  rpp_parameters p = {.total = 0};
  for (int i = 0; i < RPP_MATRICES; i++) {
    p.of[i] = multiply(&e, multiply(&e, shapes[i].rows, shapes[i].columns), shapes[i].copies);
    p.total = add(&e, p.total, p.of[i]);
  }
  p.streamed = m->tied ? p.total : p.total - p.of[RPP_MATRIX_EMBEDDING];
  *parameters = p;
  return fits(&e, "parameters", m, error);
}

bool rpp_cache_bytes(const rpp_model *m, rpp_mode mode, rpp_dtype dtype, int64_t batch, int64_t tokens, int64_t *bytes,
                     rpp_message *error) {
  const rpp_attention attention = {.mode = mode, .heads = m->heads, .kv_heads = m->kv_heads};
  if (rpp_kv_cache_bytes(&attention, batch, tokens, m->head_dim, m->head_dim, dtype, bytes) != RPP_OK)
    return rpp_message_set(error, "%s", rpp_error_message());
  exact e = {false};
  *bytes = multiply(&e, *bytes, m->layers);
  return fits(&e, "KV-cache bytes", m, error);
}

/* tokens pass through every matrix of a layer, logits of them through the output head; pairs: of a query row and a key it sees. */
static bool count_flops(const rpp_model *m, rpp_mode mode, double tokens, double logits, double pairs, rpp_flops *flops,
                        rpp_message *error) {
  rpp_parameters p;
  rpp_head_counts heads;
  if (!rpp_model_heads(m, mode, &heads, error) || !rpp_parameters_count(m, mode, &p, error)) return false;
  rpp_flops f = {0};
  for (int i = RPP_MATRIX_WQ; i <= RPP_MATRIX_WO; i++) f.projections += 2 * tokens * (double)p.of[i];
  for (int i = RPP_MATRIX_FFN_GATE; i <= RPP_MATRIX_FFN_DOWN; i++) f.ffn += 2 * tokens * (double)p.of[i];
  f.output_head = 2 * logits * (double)m->vocabulary * (double)m->hidden;
  f.attention = 4 * (double)heads.output * (double)m->head_dim * (double)m->layers * pairs;
  f.total = f.projections + f.attention + f.ffn + f.output_head;
  *flops = f;
  return true;
}

static bool check_lengths(int64_t batch, int64_t context, rpp_message *error) {
  if (batch < 1 || batch > RPP_MODEL_LARGEST)
    return rpp_message_set(error, "batch = %" PRId64 ": must be from 1 to %d", batch, RPP_MODEL_LARGEST);
  return (context >= 1 && context <= RPP_MODEL_LARGEST) ||
         rpp_message_set(error, "context = %" PRId64 ": must be from 1 to %d", context, RPP_MODEL_LARGEST);
}

bool rpp_flops_prefill(const rpp_model *m, rpp_mode mode, int64_t batch, int64_t context, rpp_flops *flops, rpp_message *error) {
  if (!check_lengths(batch, context, error)) return false;
  const double b = (double)batch, pairs = b * (double)(context * (context + 1) / 2);
  return count_flops(m, mode, b * (double)context, b, pairs, flops, error);
}

bool rpp_flops_decode(const rpp_model *m, rpp_mode mode, int64_t batch, int64_t context, rpp_flops *flops, rpp_message *error) {
  if (!check_lengths(batch, context, error)) return false;
  const double b = (double)batch;
  return count_flops(m, mode, b, b, b * (double)context, flops, error);
}

/* ---- The roofline --------------------------------------------------------------------------------------------------------- */

bool rpp_step_cost(const rpp_model *m, rpp_mode mode, const rpp_machine *machine, int cache_reads, int64_t batch, int64_t context,
                   rpp_step *step, rpp_message *error) {
  rpp_parameters p;
  rpp_flops flops;
  rpp_step s = {0};
  exact e = {false};
  if (!rpp_parameters_count(m, mode, &p, error) || !rpp_flops_decode(m, mode, batch, context, &flops, error) ||
      !rpp_cache_bytes(m, mode, machine->dtype, batch, context, &s.cache_bytes, error))
    return false;
  s.weight_bytes = multiply(&e, p.streamed, (int64_t)rpp_dtype_size(machine->dtype));
  s.cache_bytes = multiply(&e, s.cache_bytes, cache_reads);
  s.bytes = add(&e, s.weight_bytes, s.cache_bytes);
  s.flops = flops.total;
  s.memory_ms = (double)s.bytes / machine->bandwidth * 1e3;
  s.compute_ms = s.flops / machine->flops * 1e3;
  s.ms = s.memory_ms > s.compute_ms ? s.memory_ms : s.compute_ms;
  *step = s;
  return fits(&e, "bytes of a decode step", m, error);
}
