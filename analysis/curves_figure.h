/* curves_figure.h: the picture of the curves (Figure 1 of the paper: c_re falls with the logarithm of distance, c_im stays). */
#ifndef RPP_CURVES_FIGURE_H
#define RPP_CURVES_FIGURE_H
#include "figure.h"

/* One row that may be drawn; NaN for what there is none of. */
typedef struct {
  double t, re, im, closed_re, closed_im;
} rpp_curves_row;

/* Thins rows that come in growing order to what a picture can show. */
typedef struct {
  rpp_curves_row *rows;
  long count, room;
} rpp_curves_rows;

/* False when memory is out. */
bool rpp_curves_rows_add(rpp_curves_rows *rows, const rpp_curves_row *row);
void rpp_curves_rows_free(rpp_curves_rows *rows);

/* FOLDER/curves.svg. title: one line without quotes. False, with a message. */
bool rpp_curves_draw(const rpp_curves_rows *rows, const char *title, const char *folder, rpp_message *error);

#endif
