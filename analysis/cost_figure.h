/* cost_figure.h: the picture of a sweep (Figure 4 of the paper: context against time of an output token and memory). */
#ifndef RPP_COST_FIGURE_H
#define RPP_COST_FIGURE_H
#include "cost_sweep.h"

/* FOLDER/cost.svg. False, with a message. */
bool rpp_cost_draw(const rpp_sweep *sweep, const char *folder, rpp_message *error);

#endif
