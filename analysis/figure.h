/* figure.h: pictures as SVG, drawn by gnuplot from a script that carries its data, on a white ground, so that they read the same on
 * paper and on a dark page. */
#ifndef RPP_FIGURE_H
#define RPP_FIGURE_H
#include "program/aside.h"

/* Line colours that differ in print and to the colour-blind (Okabe and Ito), as gnuplot's rgb strings. */
#define RPP_FIGURE_BLUE "#0072b2"
#define RPP_FIGURE_RED "#d55e00"
#define RPP_FIGURE_GREEN "#009e73"
#define RPP_FIGURE_PURPLE "#cc79a7"
#define RPP_FIGURE_YELLOW "#e69f00"
#define RPP_FIGURE_SKY "#56b4e9"
#define RPP_FIGURE_GREY "#7f7f7f"

typedef struct {
  FILE *script; /* gnuplot's commands go here */
} rpp_figure;

/* Begins a script: terminal, font, grid. width and height in points. False, with a message, when there is no room for it. */
bool rpp_figure_open(rpp_figure *figure, int width, int height, rpp_message *error);

/* The size of type, 14 at most, in which a line of text fits a picture of that width. */
int rpp_figure_title_size(const char *text, int width);

/* Runs gnuplot and puts FOLDER/NAME in place; the figure is gone then, whatever comes of it. False, with a message, when gnuplot is
 * missing or complains, and when the file cannot be written. */
bool rpp_figure_draw(rpp_figure *figure, const char *folder, const char *name, rpp_message *error);

#endif
