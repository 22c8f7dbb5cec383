#include "curves_figure.h"

#include <math.h>
#include <stdlib.h>

/* Neighbours on a logarithmic axis of six decades and 900 points. */
#define STEP 1.004
enum { WIDTH = 900 }; /* of the picture */

bool rpp_curves_rows_add(rpp_curves_rows *rows, const rpp_curves_row *row) {
  if (!(row->t > 0) || (rows->count > 0 && row->t < rows->rows[rows->count - 1].t * STEP)) return true;
  if (rows->count == rows->room) {
    const long room = rows->room == 0 ? 1024 : rows->room * 2;
    rpp_curves_row *larger = realloc(rows->rows, (size_t)room * sizeof *larger);
    if (larger == NULL) return false;
    rows->rows = larger, rows->room = room;
  }
  rows->rows[rows->count++] = *row;
  return true;
}

void rpp_curves_rows_free(rpp_curves_rows *rows) {
  free(rows->rows);
  *rows = (rpp_curves_rows){0};
}

bool rpp_curves_draw(const rpp_curves_rows *rows, const char *title, const char *folder, rpp_message *error) {
  rpp_figure figure;
  if (!rpp_figure_open(&figure, WIDTH, 480, error)) return false;
  FILE *s = figure.script;
  const bool closed = rows->count > 0 && !isnan(rows->rows[0].closed_re);
  if (rows->count == 0) fputs("set xrange [1:10]\nset yrange [-1:1]\n", s); /* distance 0 alone: none on a logarithmic axis */
  fputs("$rows << END\n", s);
  for (long i = 0; i < rows->count; i++) {
    const rpp_curves_row *r = rows->rows + i;
    fprintf(s, "%.9g %.9g %.9g %.9g %.9g\n", r->t, r->re, r->im, r->closed_re, r->closed_im);
  }
  fprintf(s,
          "END\nset title \"%s\" font ',%d'\nset logscale x\nset format x '10^{%%T}'\nset xlabel 'distance t'\n"
          "set ylabel 'mean over pairs'\nset xzeroaxis lc rgb '#404040'\nset key top right\n"
          "plot NaN notitle, $rows u 1:2 w l lw 1 lc rgb '" RPP_FIGURE_BLUE "' t 'c_{re}: real head, mean cos', "
          "$rows u 1:3 w l lw 1 lc rgb '" RPP_FIGURE_RED "' t 'c_{im}: imaginary head, mean sin'",
          title, rpp_figure_title_size(title, WIDTH));
  if (closed)
    fputs(", $rows u 1:4 w l lw 2.5 lc rgb '#00334f' t 'closed form, Ci', "
          "$rows u 1:5 w l lw 2.5 lc rgb '#5c2800' t 'closed form, Si'",
          s);
  fputc('\n', s);
  return rpp_figure_draw(&figure, folder, "curves.svg", error);
}
