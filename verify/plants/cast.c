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

static int plants_of(const rpp_plant *plants) {
  int n = 0;
  while (plants[n].kernel.name) n++;
  return n;
}

static void join_plants(rpp_cast *c, const rpp_plant *plants) {
  for (; plants->kernel.name; plants++) {
    c->planted[c->plants++] = plants;
    join(c, &plants->kernel, plants->kernel.name);
  }
}

bool rpp_cast_gather(rpp_cast *c, bool cuda, bool twins) {
  const int plants = plants_of(rpp_plants) + (cuda ? plants_of(rpp_cuda_plants()) : 0);
  int clean = 0, emulated = 0;
  *c = (rpp_cast){0};
  while (rpp_kernels[clean]) clean++;
  while (rpp_emulated_kernels[emulated]) emulated++;
  const size_t most = (size_t)(2 * plants + clean + emulated);
  c->planted = calloc((size_t)plants, sizeof(rpp_plant *));
  c->kernels = calloc(most, sizeof *c->kernels);
  c->names = calloc(most, sizeof *c->names);
  c->labels = calloc(most, sizeof *c->labels);
  c->twins = twins ? calloc((size_t)plants, sizeof *c->twins) : NULL;
  if (!c->planted || !c->kernels || !c->names || !c->labels || (twins && !c->twins)) {
    rpp_cast_free(c);
    return false;
  }
  join_plants(c, rpp_plants);
  if (cuda) join_plants(c, rpp_cuda_plants());
  for (int i = 0; i < clean; i++)
    if (rpp_kernel_on_host(rpp_kernels[i])) join(c, rpp_kernels[i], rpp_kernels[i]->name);
  for (int i = 0; i < emulated; i++) join(c, rpp_emulated_kernels[i], rpp_emulated_kernels[i]->name);
  for (int i = 0; twins && i < plants; i++) c->twins[i] = find_twin(c, c->planted[i]);
  return true;
}

void rpp_cast_free(rpp_cast *c) {
  free(c->planted);
  free(c->kernels);
  free(c->names);
  free(c->labels);
  free(c->twins);
  *c = (rpp_cast){0};
}
