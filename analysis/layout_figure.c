#include "layout_figure.h"

#include <inttypes.h>
#include <math.h>

#include "figure.h"
#include "head_map.h"

/* Points. A slot is an output head's; a panel is as wide as its output heads, so that EC shows twice as wide as RoPE. */
enum { LEFT = 110, RIGHT = 20, GAP = 44, WIDTH = 1200, HEIGHT = 456, LEAST_PANEL = 215, MOST_SLOT = 46 };
enum { MOST_OUTPUTS = 32 }; /* of EC; more are cut to whole KV heads */

/* Rows, from the ground up. */
enum { KV_Y = 120, QUERY_Y = 215, OUTPUT_Y = 305, WO_Y = 362, BOX = 30, WO_BOX = 20, TITLE_Y = 408, CAPTION_Y = 96, LEGEND_Y = 28 };

static const char ink[] = "#202020", query_fill[] = "#e4e4e4", kv_fill[] = "#b7e0cf",
                  imaginary_fill[] = "#f9c08a"; /* lighter than the real heads' blue in print, too */

/* The part of the model that is drawn: the first KV heads, an even number where there is one, and the queries that read them. */
static int64_t drawn_kv_heads(const rpp_model *m) {
  const int64_t group = 2 * m->heads / m->kv_heads, fit = MOST_OUTPUTS / group;
  if (fit >= m->kv_heads) return m->kv_heads;
  return m->kv_heads < 2 ? 1 : fit < 2 ? 2 : fit - fit % 2;
}

static void box(FILE *s, double x, double y, double width, double height, const char *fill) {
  fprintf(s, "set object rect from %.1f,%.1f to %.1f,%.1f fc rgb '%s' fs solid 1 border lc rgb '%s' lw 0.7\n", x, y, x + width,
          y + height, fill, ink);
}

/* The size of type in which the row of numbers 0 .. count - 1 fits boxes of this room: 12 at most; 0 for none that can be read. */
static int type_size(double room, int prefix, int64_t count) {
  const int length = prefix + snprintf(NULL, 0, "%" PRId64, count - 1);
  const double size = (room - 2) / (0.64 * length);
  return size >= 12 ? 12 : size >= 7 ? (int)size : 0;
}

static void write_number(FILE *s, double x, double y, int size, const char *prefix, int64_t number, const char *colour) {
  if (size > 0)
    fprintf(s, "set label '%s%" PRId64 "' at %.1f,%.1f center font ',%d' tc rgb '%s' front\n", prefix, number, x, y, size, colour);
}

static void line(FILE *s, double x, double y, double to_x, double to_y, const char *colour, bool arrow) {
  fprintf(s, "set arrow from %.1f,%.1f to %.1f,%.1f %s lw 1.3 lc rgb '%s' back\n", x, y, to_x, to_y,
          arrow ? "head filled size 7,18" : "nohead", colour);
}

/* Boxes and lines of one mode; left: where its first slot begins. */
static void draw_heads(FILE *s, const rpp_head_counts *n, double left, double slot) {
  const double query = slot * (double)(n->output / n->projected), kv = slot * (double)(n->output / n->kv), pad = slot * 0.1;
  const int kv_size = type_size(kv - 2 * pad, 2, n->kv), query_size = type_size(query - 2 * pad, 1, n->projected),
            output_size = type_size(slot - 2 * pad, 0, n->output);
  for (int64_t i = 0; i < n->kv; i++) {
    const double x = left + kv * (double)i;
    box(s, x + pad, KV_Y, kv - 2 * pad, BOX, kv_fill);
    write_number(s, x + kv / 2, KV_Y + BOX / 2, kv_size, "kv", i, ink);
  }
  for (int64_t o = 0; o < n->output; o++) {
    const rpp_head_source from = rpp_head_map(n, o);
    const double x = left + slot * ((double)o + 0.5), query_x = left + query * ((double)from.query + 0.5);
    const double kv_x = left + kv * ((double)from.kv + 0.5);
    const char *colour = from.imaginary ? RPP_FIGURE_RED : RPP_FIGURE_BLUE;
    line(s, query_x, QUERY_Y + BOX, x, OUTPUT_Y, colour, true);
    box(s, x - slot / 2 + pad, OUTPUT_Y, slot - 2 * pad, BOX, from.imaginary ? imaginary_fill : RPP_FIGURE_BLUE);
    write_number(s, x, OUTPUT_Y + BOX / 2, output_size, "", o, from.imaginary ? ink : "white");
    if (from.imaginary) continue;                  /* its query is drawn */
    const double spread = 0.35 * (query_x - kv_x); /* arrows of a group end apart */
    line(s, query_x, QUERY_Y, kv_x + spread, KV_Y + BOX, "#606060", true);
    box(s, query_x - query / 2 + pad, QUERY_Y, query - 2 * pad, BOX, query_fill);
    write_number(s, query_x, QUERY_Y + BOX / 2, query_size, "q", from.query, ink);
  }
}

static void draw_panel(FILE *s, const rpp_model *m, rpp_mode mode, const rpp_head_counts *all, const rpp_head_counts *n,
                       double left, double width, double slot) {
  static const char *const names[] = {"RoPE", "RoPE++ EC", "RoPE++ EH"}, *const notes[] = {"", ": equal cache", ": equal heads"};
  const double used = slot * (double)n->output, first = left + (width - used) / 2, middle = left + width / 2;
  fprintf(s, "set label \"{/:Bold %s}%s\" at %.1f,%d center font ',16' tc rgb '%s'\n", names[mode], notes[mode], middle, TITLE_Y,
          ink);
  draw_heads(s, n, first, slot);
  char wo[64];
  const int length = snprintf(wo, sizeof wo, "Wo: %" PRId64 " × %" PRId64, m->hidden, all->output * m->head_dim);
  const double wo_width = fmax(used - slot * 0.2, 7.5 * length + 8); /* of few heads the label is wider than they */
  box(s, middle - wo_width / 2, WO_Y, wo_width, WO_BOX, "#ffffff");
  for (int64_t o = 0; o < n->output; o++) {
    const double x = first + slot * ((double)o + 0.5);
    line(s, x, OUTPUT_Y + BOX, x, WO_Y, "#606060", false);
  }
  fprintf(s, "set label '%s' at %.1f,%d center font ',12' tc rgb '%s' front\n", wo, middle, WO_Y + WO_BOX / 2, ink);
  fprintf(s, "set label '%" PRId64 " query, %" PRId64 " output, %" PRId64 " KV heads' at %.1f,%d center font ',13' tc rgb '%s'\n",
          all->projected, all->output, all->kv, middle, CAPTION_Y, ink);
}

static void write_legend(FILE *s, double middle) {
  static const struct {
    const char *text, *fill;
    int width;
  } entries[] = {{"real head: its query as it is", RPP_FIGURE_BLUE, 225},
                 {"imaginary head: its query turned by −π/2", imaginary_fill, 305},
                 {"projected query head", query_fill, 175},
                 {"KV head, cached", kv_fill, 130}};
  double x = middle - (225 + 305 + 175 + 130) / 2.0;
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    box(s, x, LEGEND_Y - 7, 14, 14, entries[i].fill);
    fprintf(s, "set label '%s' at %.1f,%d left font ',13' tc rgb '%s'\n", entries[i].text, x + 20, LEGEND_Y, ink);
    x += entries[i].width;
  }
}

bool rpp_layout_draw(const rpp_model *model, const rpp_mode *modes, int count, const char *folder, rpp_message *error) {
  rpp_model part = *model;
  part.kv_heads = drawn_kv_heads(model);
  part.heads = part.kv_heads * (model->heads / model->kv_heads);
  rpp_head_counts all[3], n[3];
  double slots = 0;
  for (int i = 0; i < count; i++) {
    if (!rpp_model_heads(model, modes[i], all + i, error) || !rpp_model_heads(&part, modes[i], n + i, error)) return false;
    slots += (double)n[i].output;
  }
  double slot = (WIDTH - LEFT - RIGHT - GAP * (count - 1)) / slots, used = 0;
  if (slot > MOST_SLOT) slot = MOST_SLOT;
  for (int i = 0; i < count; i++) used += (slot * (double)n[i].output > LEAST_PANEL ? slot * (double)n[i].output : LEAST_PANEL);
  const int needed = (int)(LEFT + used + GAP * (count - 1) + RIGHT), width = needed > 900 ? needed : 900;
  rpp_figure figure;
  if (!rpp_figure_open(&figure, width, HEIGHT, error)) return false;
  FILE *s = figure.script;
  fprintf(s,
          "unset border\nunset tics\nunset grid\nunset key\nset margins 0,0,0,0\nset lmargin at screen 0\nset rmargin at screen 1\n"
          "set bmargin at screen 0\nset tmargin at screen 1\nset xrange [0:%d]\nset yrange [0:%d]\n"
          "set label \"%s: which head reads what\" at %d,%d center noenhanced font ',15' tc rgb '%s'\n",
          width, HEIGHT, model->name, width / 2, HEIGHT - 16, ink);
  if (part.kv_heads < model->kv_heads)
    fprintf(s,
            "set label 'drawn: what belongs to the first %" PRId64 " of RoPE’s %" PRId64
            " KV heads; the rest repeats it' at %d,%d center font ',13' tc rgb '%s'\n",
            part.kv_heads, model->kv_heads, width / 2, LEGEND_Y + 34, ink);
  static const struct {
    const char *text;
    int y;
  } rows[] = {{"output heads", OUTPUT_Y}, {"query heads", QUERY_Y}, {"KV heads", KV_Y}};
  for (int i = 0; i < 3; i++)
    fprintf(s, "set label '%s' at 14,%d left font ',13' tc rgb '%s'\n", rows[i].text, rows[i].y + BOX / 2, ink);
  double left = LEFT + (width - needed) / 2.0;
  for (int i = 0; i < count; i++) {
    const double own = slot * (double)n[i].output, panel = own > LEAST_PANEL ? own : LEAST_PANEL;
    draw_panel(s, model, modes[i], all + i, n + i, left, panel, slot);
    left += panel + GAP;
  }
  write_legend(s, width / 2.0);
  fputs("plot NaN notitle\n", s);
  return rpp_figure_draw(&figure, folder, "layout.svg", error);
}
