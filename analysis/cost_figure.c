#include "cost_figure.h"

#include <inttypes.h>

#include "figure.h"
#include "program/names.h"

/* How a variant is drawn; EC's cache is RoPE's, so its line lies dashed over RoPE's, its points open around RoPE's. */
static const char *const styles[RPP_SWEEP_VARIANTS] = {
    [RPP_SWEEP_ROPE] = "w lp lw 2.5 pt 7 ps 0.7 lc rgb '" RPP_FIGURE_BLUE "'",
    [RPP_SWEEP_EC] = "w lp lw 2.5 dt (6,6) pt 4 ps 1.3 lc rgb '" RPP_FIGURE_RED "'",
    [RPP_SWEEP_EH] = "w lp lw 2.5 pt 9 ps 0.9 lc rgb '" RPP_FIGURE_GREEN "'",
    [RPP_SWEEP_EC_TWICE] = "w lp lw 1.2 dt 3 pt 1 ps 0.7 lc rgb '" RPP_FIGURE_GREY "'",
};

/* $v0 ...: context, milliseconds, GB of cache. */
static void write_data(const rpp_sweep *s, FILE *script) {
  for (int v = 0; v < RPP_SWEEP_VARIANTS; v++) {
    fprintf(script, "$v%d << END\n", v);
    for (int c = 0; c < s->count && s->of[v].possible; c++)
      fprintf(script, "%" PRId64 " %.9g %.9g\n", s->contexts[c], s->of[v].rows[c].step.ms,
              (double)s->of[v].rows[c].cache_bytes / 1e9);
    fputs("END\n", script);
  }
}

/* Ticks at the contexts, at most about nine of them; thousands as k = 1024. */
static void write_ticks(const rpp_sweep *s, FILE *script) {
  fputs("set xtics (", script);
  const int step = (s->count + 8) / 9;
  for (int c = 0; c < s->count; c += step) {
    const int64_t n = s->contexts[c];
    if (n % 1024 == 0)
      fprintf(script, "%s'%" PRId64 "k' %" PRId64, c == 0 ? "" : ", ", n / 1024, n);
    else
      fprintf(script, "%s'%" PRId64 "' %" PRId64, c == 0 ? "" : ", ", n, n);
  }
  fputs(")\n", script);
}

static void write_panel(const rpp_sweep *s, const char *title, const char *label, int column, int last, FILE *script) {
  fprintf(script, "set title '%s'\nset ylabel '%s'\nplot ", title, label);
  bool any = false;
  for (int v = 0; v <= last; v++) {
    if (!s->of[v].possible) continue;
    fprintf(script, "%s$v%d u 1:%d %s t '%s'", any ? ", " : "", v, column, styles[v], rpp_sweep_variants[v].title);
    any = true;
  }
  fputc('\n', script);
}

bool rpp_cost_draw(const rpp_sweep *s, const char *folder, rpp_message *error) {
  rpp_figure figure;
  if (!rpp_figure_open(&figure, 1000, 440, error)) return false;
  FILE *script = figure.script;
  write_data(s, script);
  write_ticks(s, script);
  fprintf(script,
          "set multiplot layout 1,2 title \"%s: batch %" PRId64
          ", %s, %.4g TB/s, %.4g TFLOP/s\" noenhanced font ',15' offset 0,-0.3\n"
          "set logscale x 2\nset xrange [%" PRId64 "/1.12:%" PRId64 "*1.12]\nset yrange [0:*<1e300]\nset xlabel 'context, tokens'\n"
          "set key top left reverse Left samplen 3\nset mxtics 1\nset border 3\n",
          s->model.name, s->batch, rpp_names_get(rpp_names_dtype, (int)s->machine.dtype), s->machine.bandwidth / 1e12,
          s->machine.flops / 1e12, s->contexts[0], s->contexts[s->count - 1]);
  write_panel(s, "Time of an output token (roofline)", "ms an output token", 2, RPP_SWEEP_EC_TWICE, script);
  write_panel(s, "KV cache of the batch", "GB", 3, RPP_SWEEP_EH, script);
  fputs("unset multiplot\n", script);
  return rpp_figure_draw(&figure, folder, "cost.svg", error);
}
