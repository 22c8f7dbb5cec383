#include "coverage_figure.h"

#include <inttypes.h>
#include <math.h>

#define SEEN "#7fbde6"
#define UNSEEN RPP_FIGURE_RED
#define NEITHER "#ececec"

/* Columns of a map; samples of a wave. */
enum { COLUMNS = 256, SAMPLES = 320 };
enum { WIDTH = 1000 }; /* of the picture */

typedef struct {
  const rpp_coverage_lengths *lengths;
  rpp_criterion values; /* union or hull */
  int64_t pairs;
  const double *hi, *lo;
  FILE *script;
} picture;

static rpp_dd turns_of_pair(const picture *p, int64_t n) {
  return rpp_turns_of_theta(p->hi[n], p->lo[n]);
}

static rpp_coverage coverage_of_pair(const picture *p, int64_t n, rpp_dimension_class c, rpp_method m, rpp_criterion k,
                                     bool target) {
  const rpp_coverage_lengths *l = p->lengths;
  const rpp_interval angles = rpp_angles_of_length(turns_of_pair(p, n), target ? l->target : l->length, !target && l->packed);
  return rpp_coverage_of_angles(c, m, k, angles);
}

/* ---- A pair's multipliers by distance ------------------------------------------------------------------------------------- */

/* How much of what the target asks for, or, without a target, of everything, q even of a pair has not seen. */
static double unseen_of_pair(const picture *p, int64_t n, rpp_method m) {
  const rpp_coverage seen = coverage_of_pair(p, n, RPP_Q_EVEN, m, p->values, false);
  if (p->lengths->target == 0) return seen.full ? 0 : 1 - seen.covered;
  const rpp_coverage needed = coverage_of_pair(p, n, RPP_Q_EVEN, m, p->values, true);
  return rpp_coverage_unseen(p->values, &seen, &needed);
}

/* The pair whose even dimension RoPE++ spares the most; better where it leaves nothing. */
static int64_t choose_pair(const picture *p) {
  int64_t best = p->pairs - 1;
  double most = 0;
  for (int64_t n = 0; n < p->pairs; n++) {
    const double rope = unseen_of_pair(p, n, RPP_METHOD_ROPE), both = unseen_of_pair(p, n, RPP_METHOD_ROPEPP);
    const double spared = (rope - both) * (both > 0 ? 0.5 : 1);
    if (spared > most) most = spared, best = n;
  }
  return best;
}

static double first_distance(const rpp_coverage_lengths *l) {
  return l->packed ? -(double)(l->length - 1) : 0;
}
static double last_distance(const rpp_coverage_lengths *l) {
  return (double)((l->target > 0 ? l->target : l->length) - 1);
}

/* Blocks of (t, value): in training; past it and seen; past it and unseen. A line ends where its block does. */
static void write_waves(const picture *p, int64_t n, rpp_method m) {
  const rpp_coverage_lengths *l = p->lengths;
  const double first = first_distance(l), last = last_distance(l);
  const rpp_coverage seen = coverage_of_pair(p, n, RPP_Q_EVEN, m, p->values, false);
  const rpp_interval_set known = rpp_coverage_set(p->values, &seen, 0);
  const unsigned multipliers = rpp_multipliers(RPP_Q_EVEN, m);
  const rpp_dd turns = turns_of_pair(p, n);
  static const char *const kinds[] = {"trained", "known", "unknown"};
  for (int kind = 0; kind < 3; kind++) {
    fprintf(p->script, "$%s%d << END\nnan nan\n", kinds[kind], m);
    for (int i = 0; i < RPP_MULTIPLIERS; i++) {
      if ((multipliers >> i & 1) == 0) continue;
      for (int s = 0; s <= SAMPLES; s++) {
        const double t = first + (last - first) * s / SAMPLES, angle = 2 * M_PI * rpp_dd_scale(turns, t).hi;
        const double value = (i % 2 == 0 ? 1 : -1) * (i < 2 ? cos(angle) : sin(angle));
        const int is = t <= (double)(l->length - 1) ? 0 : rpp_intervals_contain(&known, value) ? 1 : 2;
        if (is == kind)
          fprintf(p->script, "%.9g %.6f\n", t, value);
        else
          fputs("\n", p->script);
      }
      fputs("\n", p->script);
    }
    fputs("END\n", p->script);
  }
}

static void draw_waves(const picture *p, int64_t n, rpp_method m) {
  const rpp_coverage_lengths *l = p->lengths;
  const double first = first_distance(l), last = last_distance(l);
  fprintf(p->script,
          "set title \"%s: %s multiply q even of pair %" PRId64
          "\"\nset xrange [%.9g:%.9g]\nset xlabel 'distance t' offset 0,0.8\nset ylabel 'multiplier' offset 1.2,0\n"
          "set arrow 1 from %.9g,-1.15 to %.9g,1.15 nohead dt 3 lw 1.2 lc rgb '#202020'\n",
          m == RPP_METHOD_ROPE ? "RoPE" : "RoPE++", m == RPP_METHOD_ROPE ? "cos, sin" : "cos, sin, -cos", n, first, fmax(last, 1),
          (double)(l->length - 1), (double)(l->length - 1));
  fprintf(p->script,
          "plot $trained%d u 1:2 w l lw 2.4 lc rgb '" RPP_FIGURE_BLUE "' notitle, $known%d u 1:2 w l lw 1.4 lc rgb '" SEEN
          "' notitle, $unknown%d u 1:2 w l lw 2.4 lc rgb '" UNSEEN "' notitle\nunset arrow 1\n",
          m, m, m);
}

/* ---- Maps by pair --------------------------------------------------------------------------------------------------------- */

typedef struct {
  rpp_dimension_class dimension;
  bool phase;
  const char *name, *label;
  double low, high;
} map;

static const map maps[] = {
    {RPP_Q_EVEN, false, "even", "q even, k odd: values", -1, 1},
    {RPP_Q_ODD, false, "odd", "q odd, k even: values", -1, 1},
    {RPP_Q_EVEN, true, "phase", "phase (turns)", 0, 1},
};
enum { MAPS = sizeof maps / sizeof *maps };

static rpp_criterion criterion_of(const picture *p, const map *map) {
  return map->phase ? RPP_PHASE : p->values;
}

static void write_boxes(const picture *p, const rpp_interval_set *set, double from, double to) {
  for (int i = 0; i < set->count; i++)
    if (set->at[i].low < set->at[i].high)
      fprintf(p->script, "%.9g %.9g %.9g %.9g %.9g %.9g\n", (from + to) / 2, (set->at[i].low + set->at[i].high) / 2, from, to,
              set->at[i].low, set->at[i].high);
}

/* Boxes of a map: of every pair, or of every so many. */
static void write_map(const picture *p, const map *map, rpp_method m) {
  const int64_t step = (p->pairs + COLUMNS - 1) / COLUMNS;
  for (int unseen = 0; unseen < 2; unseen++) {
    fprintf(p->script, "$%s_%s%d << END\nnan nan nan nan nan nan\n", map->name, unseen ? "unseen" : "seen", m);
    for (int64_t n = 0; n < p->pairs && (!unseen || p->lengths->target > 0); n += step) {
      const double from = (double)n - 0.5, to = fmin((double)(n + step), (double)p->pairs) - 0.5;
      const rpp_coverage seen = coverage_of_pair(p, n, map->dimension, m, criterion_of(p, map), false);
      rpp_interval_set set = rpp_coverage_set(criterion_of(p, map), &seen, 0);
      if (unseen) {
        const rpp_coverage needed = coverage_of_pair(p, n, map->dimension, m, criterion_of(p, map), true);
        set = rpp_coverage_unseen_set(criterion_of(p, map), &seen, &needed, 0);
      }
      write_boxes(p, &set, from, to);
    }
    fputs("END\n", p->script);
  }
}

static void draw_map(const picture *p, const map *map, rpp_method m) {
  const char *method = m == RPP_METHOD_ROPE ? "RoPE" : "RoPE++";
  int64_t full = 0, other = 0; /* by the criterion shown, by the other one for values */
  for (int64_t n = 0; n < p->pairs; n++) {
    full += coverage_of_pair(p, n, map->dimension, m, criterion_of(p, map), false).full;
    other += coverage_of_pair(p, n, map->dimension, m, p->values == RPP_HULL ? RPP_UNION : RPP_HULL, false).full;
  }
  fprintf(p->script, "set title \"%s: %s covers %" PRId64 " of %" PRId64 " pairs", method, rpp_criterion_name(criterion_of(p, map)),
          full, p->pairs);
  if (!map->phase) fprintf(p->script, "; %s: %" PRId64, p->values == RPP_HULL ? "union" : "hull", other);
  fprintf(p->script,
          "\"\nset xrange [-0.5:%.9g]\nset yrange [%g:%g]\n"
          "set xlabel 'pair n' offset 0,0.8\nset ylabel '%s' offset 1.2,0\n",
          (double)p->pairs - 0.5, map->low, map->high, map->label);
  fprintf(p->script,
          "set object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '" NEITHER "' fs solid noborder\n"
          "plot $%s_seen%d w boxxyerror lc rgb '" SEEN "' notitle, $%s_unseen%d w boxxyerror lc rgb '" UNSEEN "' notitle\n"
          "unset object 1\n",
          map->name, m, map->name, m);
}

/* ---- The whole ------------------------------------------------------------------------------------------------------------ */

static void write_key(const picture *p) {
  const bool target = p->lengths->target > 0;
  const struct {
    const char *colour, *text;
  } entries[] = {{SEEN, "seen in training"},
                 {target ? UNSEEN : NEITHER, target ? "needed at the target, never seen" : "never seen"},
                 {RPP_FIGURE_BLUE, "the trained distances"},
                 {NEITHER, "neither"}};
  static const double at[] = {0.05, 0.25, 0.57, 0.83};
  for (int i = 0; i < (target ? 4 : 3); i++)
    fprintf(p->script,
            "set object %d rectangle from screen %g,0.943 to screen %g,0.955 fc rgb '%s' fs solid border lc rgb '#808080'\n"
            "set label %d \"%s\" at screen %g,0.949 left\n",
            i + 10, at[i], at[i] + 0.02, entries[i].colour, i + 10, entries[i].text, at[i] + 0.027);
}

bool rpp_coverage_draw(const rpp_coverage_lengths *lengths, rpp_criterion values, int64_t pairs, const double *hi, const double *lo,
                       const char *title, const char *folder, rpp_message *error) {
  rpp_figure figure;
  if (!rpp_figure_open(&figure, WIDTH, 1280, error)) return false;
  const picture p = {lengths, values, pairs, hi, lo, figure.script};
  const int64_t shown = choose_pair(&p);
  for (int m = 0; m < RPP_METHODS; m++) {
    write_waves(&p, shown, m);
    for (int i = 0; i < MAPS; i++) write_map(&p, &maps[i], m);
  }
  fprintf(p.script,
          "set multiplot title \"%s\" font ',%d' layout 4,2 margins 0.085,0.985,0.055,0.895 spacing 0.1,0.085\n"
          "set style fill solid 1.0 noborder\nset yrange [-1.15:1.15]\nset ytics -1,0.5,1\n"
          "set xtics offset 0,0.3\nset title offset 0,-0.6\n",
          title, rpp_figure_title_size(title, WIDTH));
  write_key(&p);
  for (int m = 0; m < RPP_METHODS; m++) {
    draw_waves(&p, shown, m);
    if (m == 0) fputs("unset for [i=10:13] object i\nunset for [i=10:13] label i\n", p.script);
  }
  fputs("unset grid\n", p.script);
  for (int i = 0; i < MAPS; i++) {
    if (maps[i].phase) fputs("set ytics 0,0.25,1\n", p.script);
    for (int m = 0; m < RPP_METHODS; m++) draw_map(&p, &maps[i], m);
  }
  fputs("unset multiplot\n", p.script);
  return rpp_figure_draw(&figure, folder, "coverage.svg", error);
}
