#include "plants/cast.h"

#include "kernels/emulate.h"

#include <stdio.h>
#include <stdlib.h>

static void join(rpp_cast *c, const rpp_kernel *kernel, const char *name) {
  c->kernels[c->count] = kernel;
  c->names[c->count++] = name;
}

static bool same(const rpp_contract *a, const rpp_contract *b) {
  return a->input == b->input && a->rotated == b->rotated && a->rotate_each == b->rotate_each && a->value == b->value &&
         a->probability == b->probability && a->output == b->output && a->lse == b->lse && a->sums == b->sums &&
         a->sum_depth == b->sum_depth && a->key_tile == b->key_tile && a->max_splits == b->max_splits && a->angles == b->angles &&
         a->angle_error == b->angle_error && a->deterministic == b->deterministic;
}

static int find_twin(rpp_cast *c, const rpp_plant *plant) {
  for (int i = c->plants; i < c->count; i++)
    if (same(&c->kernels[i]->contract, &plant->kernel.contract)) return i;
  char *label = c->labels[c->count - c->plants];
  snprintf(label, sizeof *c->labels, "without %s", plant->kernel.name);
  join(c, &plant->clean, label);
  return c->count - 1;
}

bool rpp_cast_gather(rpp_cast *c, bool twins) {
  int clean = 0, emulated = 0;
  *c = (rpp_cast){0};
  while (rpp_plants[c->plants].kernel.name) c->plants++;
  while (rpp_kernels[clean]) clean++;
  while (rpp_emulated_kernels[emulated]) emulated++;
  const size_t most = (size_t)(2 * c->plants + clean + emulated);
  c->kernels = calloc(most, sizeof *c->kernels);
  c->names = calloc(most, sizeof *c->names);
  c->labels = calloc(most, sizeof *c->labels);
  c->twins = twins ? calloc((size_t)c->plants, sizeof *c->twins) : NULL;
  if (!c->kernels || !c->names || !c->labels || (twins && !c->twins)) {
    rpp_cast_free(c);
    return false;
  }
  for (int i = 0; i < c->plants; i++) join(c, &rpp_plants[i].kernel, rpp_plants[i].kernel.name);
  for (int i = 0; i < clean; i++)
    if (rpp_kernel_on_host(rpp_kernels[i])) join(c, rpp_kernels[i], rpp_kernels[i]->name);
  for (int i = 0; i < emulated; i++) join(c, rpp_emulated_kernels[i], rpp_emulated_kernels[i]->name);
  for (int i = 0; twins && i < c->plants; i++) c->twins[i] = find_twin(c, &rpp_plants[i]);
  return true;
}

void rpp_cast_free(rpp_cast *c) {
  free(c->kernels);
  free(c->names);
  free(c->labels);
  free(c->twins);
  *c = (rpp_cast){0};
}
