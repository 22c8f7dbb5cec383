/* model_options.h: which model, as an argp child: --model, --config. */
#ifndef RPP_MODEL_OPTIONS_H
#define RPP_MODEL_OPTIONS_H
#include <argp.h>

#include "model.h"

/* Its input is one of these, which is loaded when the options end: the built-in 376m by default. */
typedef struct {
  const char *name, *config; /* as given */
  rpp_model model;
} rpp_model_options;
extern const struct argp rpp_model_argp;

/* "--model=376m" or "--config=FILE", FILE as a model's name. */
enum { RPP_MODEL_TEXT = 80 };
void rpp_model_options_print(const rpp_model_options *options, char text[RPP_MODEL_TEXT]);

/* "376m: hidden 1024, ...": the sizes as one line. */
enum { RPP_MODEL_LINE = 512 };
void rpp_model_print(const rpp_model *model, char text[RPP_MODEL_LINE]);

#endif
