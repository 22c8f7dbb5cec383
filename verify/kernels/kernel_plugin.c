#include "kernels/kernel_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernel_cuda.h"
#include "kernels/plugin_load.h"

/* The plug-in's numbers are the library's, so that a cast converts them. */
#define SAME(a, b) _Static_assert((int)(a) == (int)(b), #a)
SAME(RPP_PLUGIN_F64, RPP_F64);
SAME(RPP_PLUGIN_F32, RPP_F32);
SAME(RPP_PLUGIN_F16, RPP_F16);
SAME(RPP_PLUGIN_BF16, RPP_BF16);
SAME(RPP_PLUGIN_I64, RPP_I64);
SAME(RPP_PLUGIN_INTERLEAVED, RPP_PAIRING_INTERLEAVED);
SAME(RPP_PLUGIN_HALF, RPP_PAIRING_HALF);
SAME(RPP_PLUGIN_EXACT, RPP_ANGLES_EXACT);
SAME(RPP_PLUGIN_HF_F32, RPP_ANGLES_HF_F32);
SAME(RPP_PLUGIN_REAL, RPP_PART_REAL);
SAME(RPP_PLUGIN_IMAG, RPP_PART_IMAG);
SAME(RPP_PLUGIN_NONE, RPP_SCALING_NONE);
SAME(RPP_PLUGIN_LINEAR, RPP_SCALING_LINEAR);
SAME(RPP_PLUGIN_NTK, RPP_SCALING_NTK);
SAME(RPP_PLUGIN_NTK_AWARE, RPP_SCALING_NTK_AWARE);
SAME(RPP_PLUGIN_YARN, RPP_SCALING_YARN);
SAME(RPP_PLUGIN_YARN_HF, RPP_SCALING_YARN_HF);
SAME(RPP_PLUGIN_LLAMA3, RPP_SCALING_LLAMA3);
SAME(RPP_PLUGIN_ROPE, RPP_MODE_ROPE);
SAME(RPP_PLUGIN_EC, RPP_MODE_EC);
SAME(RPP_PLUGIN_EH, RPP_MODE_EH);
SAME(RPP_PLUGIN_CAUSAL, RPP_MASK_CAUSAL);
SAME(RPP_PLUGIN_FULL, RPP_MASK_FULL);
SAME(RPP_PLUGIN_WINDOW, RPP_MASK_WINDOW);
_Static_assert(sizeof((rpp_plugin_tensor){0}.shape) == sizeof((rpp_tensor){0}.shape), "as many dimensions");

enum { PAIRS = 2048, LIMIT_S = 10 }; /* PAIRS: of the widest head that a spec has */

typedef struct {
  char path[RPP_PLUGIN_PATH];
  rpp_plugin_facts facts;
  rpp_kernel inner, outer;         /* outer: on device memory, around inner; else inner again */
  const rpp_plugin_kernel *loaded; /* in this process; null: not yet */
} plugin;

static plugin plugins[RPP_PLUGINS];
static int plugin_count;

/* ---- Loading ------------------------------------------------------------------------------------------------------------ */

static bool same_facts(const rpp_plugin_facts *a, const rpp_plugin_facts *b) {
  char x[RPP_CONTRACT_TEXT], y[RPP_CONTRACT_TEXT];
  rpp_contract_print(&a->contract, x);
  rpp_contract_print(&b->contract, y);
  return strcmp(a->name, b->name) == 0 && strcmp(x, y) == 0 && a->on_device == b->on_device && a->rotates == b->rotates &&
         a->attends == b->attends && a->wants_workspace == b->wants_workspace;
}

/* It was loaded once, in the probe: where that cannot be done again the process ends, with the reason as its last words. */
static const rpp_plugin_kernel *loaded(const rpp_kernel *kernel) {
  plugin *p = (plugin *)kernel->data;
  rpp_plugin_facts facts;
  rpp_message error;
  if (p->loaded != NULL) return p->loaded;
  p->loaded = rpp_plugin_load(p->path, &facts, &error);
  if (p->loaded != NULL && !same_facts(&facts, &p->facts)) {
    p->loaded = NULL;
    rpp_message_set(&error, "says otherwise of itself than it did when the program started");
  }
  if (p->loaded != NULL) return p->loaded;
  fprintf(stderr, "%s: %s\n", p->path, error.text);
  abort();
}

/* ---- Conversion, field by field ----------------------------------------------------------------------------------------- */

/* A problem as the plug-in sees it; the pointers of its problem point into the rest. */
typedef struct {
  rpp_plugin_problem problem;
  rpp_plugin_tensor q, k, v, pos_q, pos_k, cu_q, cu_k, out, lse;
  double inv_freq[PAIRS];
} converted;

/* Null where there is none. */
static const rpp_plugin_tensor *convert_tensor(const rpp_tensor *from, rpp_plugin_tensor *to) {
  if (from == NULL) return NULL;
  *to = (rpp_plugin_tensor){.data = from->data == NULL ? NULL : (char *)from->data + from->byte_offset,
                            .dtype = (int32_t)from->dtype,
                            .ndim = from->ndim};
  for (int d = 0; d < from->ndim; d++) {
    to->shape[d] = from->shape[d];
    to->strides[d] = from->strides[d];
  }
  return to;
}

static rpp_plugin_rotary convert_rotary(const rpp_rotary *from) {
  return (rpp_plugin_rotary){.pairing = (int32_t)from->pairing,
                             .angles = (int32_t)from->angles,
                             .rotary_dim = from->rotary_dim,
                             .base = from->base,
                             .scaling = (int32_t)from->scaling.kind,
                             .factor = from->scaling.factor,
                             .orig = from->scaling.orig,
                             .low = from->scaling.low,
                             .high = from->scaling.high,
                             .magnitude = 1};
}

/* Frequencies, where there is room for them: supports has seen to that. */
static bool give_frequencies(const rpp_rotary *from, double *inv_freq, rpp_plugin_rotary *to, const char **reason) {
  *reason = rpp_error_message();
  if (rpp_frequencies(from, inv_freq, NULL, &to->magnitude) != RPP_OK) return false;
  to->inv_freq = inv_freq;
  return true;
}

static void convert(const rpp_attention *a, const rpp_attention_inputs *in, const rpp_tensor *out, const rpp_tensor *lse,
                    converted *c) {
  c->problem = (rpp_plugin_problem){.mode = (int32_t)a->mode,
                                    .mask = (int32_t)a->mask,
                                    .heads = a->heads,
                                    .kv_heads = a->kv_heads,
                                    .causal_offset = a->causal_offset,
                                    .window = a->window,
                                    .scale = a->scale,
                                    .q_rotated = a->q_rotated,
                                    .k_rotated = a->k_rotated,
                                    .rotary = convert_rotary(&a->rotary),
                                    .q = convert_tensor(in->q, &c->q),
                                    .k = convert_tensor(in->k, &c->k),
                                    .v = convert_tensor(in->v, &c->v),
                                    .pos_q = convert_tensor(in->pos_q, &c->pos_q),
                                    .pos_k = convert_tensor(in->pos_k, &c->pos_k),
                                    .cu_q = convert_tensor(in->cu_q, &c->cu_q),
                                    .cu_k = convert_tensor(in->cu_k, &c->cu_k),
                                    .out = convert_tensor(out, &c->out),
                                    .lse = convert_tensor(lse, &c->lse)};
}

/* ---- The kernel --------------------------------------------------------------------------------------------------------- */

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_rotary *r = &problem->attention->rotary;
  converted c;
  if (r->rotary_dim > 2 * PAIRS) return "a rotary width above 4096 is not handed to plug-ins";
  if (r->inv_freq != NULL || r->cos != NULL || r->table_dtype != RPP_F64) return "given angles are not handed to plug-ins";
  convert(problem->attention, problem->inputs, problem->out, problem->lse, &c);
  return loaded(kernel)->supports(&c.problem);
}

static size_t workspace(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  converted c;
  convert(problem->attention, problem->inputs, problem->out, problem->lse, &c);
  return loaded(kernel)->workspace(&c.problem);
}

static int rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                  rpp_tensor *y, const char **reason) {
  double inv_freq[PAIRS];
  rpp_plugin_rotary there = convert_rotary(rotary);
  rpp_plugin_tensor from, positions, to;
  if (!give_frequencies(rotary, inv_freq, &there, reason)) return 1;
  const rpp_plugin_rotation rotation = {&there, (int32_t)part, convert_tensor(x, &from), convert_tensor(pos, &positions),
                                        convert_tensor(y, &to)};
  *reason = loaded(kernel)->rotate(&rotation);
  return *reason != NULL;
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *room, const char **reason) {
  converted c;
  convert(attention, inputs, out, lse, &c);
  const bool turns = !attention->q_rotated || !attention->k_rotated;
  if (turns && !give_frequencies(&attention->rotary, c.inv_freq, &c.problem.rotary, reason)) return 1;
  *reason = loaded(kernel)->forward(&c.problem, room);
  return *reason != NULL;
}

/* ---- By path ------------------------------------------------------------------------------------------------------------ */

static bool open(plugin *p, const char *path, rpp_message *error) {
  memset(p, 0, sizeof *p);
  if (strlen(path) >= sizeof p->path) return rpp_message_set(error, "is longer a path than %d characters", RPP_PLUGIN_PATH - 1);
  strcpy(p->path, path);
  if (!rpp_plugin_probe(path, LIMIT_S, &p->facts, error)) return false;
  p->inner = (rpp_kernel){.version = RPP_KERNEL_VERSION,
                          .name = p->facts.name,
                          .description = p->facts.description,
                          .contract = p->facts.contract,
                          .data = p,
                          .supports = supports,
                          .workspace = p->facts.wants_workspace ? workspace : NULL,
                          .rotate = p->facts.rotates ? rotate : NULL,
                          .forward = p->facts.attends ? forward : NULL};
  p->outer = p->inner;
  return !p->facts.on_device || rpp_kernel_cuda_around(&p->inner, &p->outer, error);
}

const rpp_kernel *rpp_kernel_plugin(const char *path, rpp_message *error) {
  for (int i = 0; i < plugin_count; i++)
    if (strcmp(plugins[i].path, path) == 0) return &plugins[i].outer;
  if (plugin_count == RPP_PLUGINS) {
    rpp_message_set(error, "more than %d plug-ins", RPP_PLUGINS);
    return NULL;
  }
  if (!open(&plugins[plugin_count], path, error)) return NULL;
  return &plugins[plugin_count++].outer;
}

const char *rpp_kernel_plugin_path(const rpp_kernel *kernel) {
  for (int i = 0; i < plugin_count; i++)
    if (kernel == &plugins[i].outer) return plugins[i].path;
  return NULL;
}
