/* layout_figure.h: the picture of heads (Figure 2 of the paper: RoPE, EC and EH side by side). */
#ifndef RPP_LAYOUT_FIGURE_H
#define RPP_LAYOUT_FIGURE_H
#include "model.h"

/* FOLDER/layout.svg: count modes, each of which is possible for the model. False, with a message. */
bool rpp_layout_draw(const rpp_model *model, const rpp_mode *modes, int count, const char *folder, rpp_message *error);

#endif
