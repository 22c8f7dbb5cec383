/* bench_builds.c: the fast CPU kernel of several builds, in turn, in one process and on one case, so that what slows a shared machine for a while
 * slows all of them: bench_builds SPEC old/libropepp.so new/libropepp.so ... Milliseconds, and ratios to the first build, pair by pair, as
 * medians and quartiles. BENCH_ROUNDS: how often each is run (default 30). */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/statistics.h"
#include "cases/generate.h"

enum { MOST = 8, ROUNDS = 1000, FLUSHED = 64 << 20 };

typedef rpp_status forward(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out, rpp_tensor *lse);

static double seconds[MOST][ROUNDS], ratio[ROUNDS];
static volatile char flushed[FLUSHED];

static void fail(const char *what, const char *why) {
  fprintf(stderr, "bench_builds: %s: %s\n", what, why);
  exit(2);
}

static forward *load(const char *path) {
  forward *function;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void *symbol = library ? dlsym(library, "rpp_attention_blocked") : NULL;
  if (!symbol) fail(path, dlerror());
  memcpy(&function, &symbol, sizeof function);
  return function;
}

static double time_of(forward *function, rpp_generated *g) {
  for (size_t i = 0; i < FLUSHED; i += 64) flushed[i]++;
  const double start = rpp_clock_seconds();
  if (function(&g->attention, &g->inputs, &g->out, &g->lse) != RPP_OK) fail("rpp_attention_blocked", "it refused the case");
  return rpp_clock_seconds() - start;
}

int main(int argc, char **argv) {
  const char *asked = getenv("BENCH_ROUNDS");
  const int builds = argc - 2, rounds = asked ? atoi(asked) : 30;
  forward *run[MOST];
  rpp_spec spec;
  rpp_generated g;
  rpp_message error;
  if (builds < 1 || builds > MOST || rounds < 4 || rounds > ROUNDS) fail("usage", "SPEC and 1 to 8 libraries; 4 to 1000 rounds");
  if (!rpp_spec_parse(argv[1], &spec, &error) || !rpp_generate(&spec, spec.dtype, RPP_F32, &g, &error)) fail(argv[1], error.text);
  for (int b = 0; b < builds; b++) run[b] = load(argv[2 + b]);
  for (int b = 0; b < builds; b++) time_of(run[b], &g);
  for (int r = 0; r < rounds; r++)
    for (int i = 0; i < builds; i++) {
      const int b = r % 2 == 0 ? i : builds - 1 - i;
      seconds[b][r] = time_of(run[b], &g);
    }
  for (int b = builds - 1; b >= 0; b--) { /* the first last, as a median sorts */
    for (int r = 0; r < rounds; r++) ratio[r] = seconds[b][r] / seconds[0][r];
    const double middle = rpp_median(ratio, rounds);
    printf("%10.3f ms  ratio %.3f (%.3f to %.3f)  %s\n", 1e3 * rpp_median(seconds[b], rounds), middle, ratio[rounds / 4],
           ratio[rounds * 3 / 4], argv[2 + b]);
  }
  rpp_generated_free(&g);
  return 0;
}
