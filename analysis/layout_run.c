/* layout_run.c: `ropepp-analysis layout`. */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "head_map.h"
#include "layout_figure.h"
#include "model_options.h"
#include "options.h"
#include "program/names.h"
#include "program/parse.h"
#include "table.h"

enum { KEY_MODE = 0x100 };
enum { MOST_HEADS = 1024 }; /* a mistake, past this: not worth listing */

typedef struct {
  rpp_model_options model;
  const char *folder;
  int mode; /* the only one; -1: all that are possible */
  rpp_mode modes[3];
  rpp_head_counts heads[3]; /* of each */
  int count;
  rpp_message eh_why_not;
  bool no_eh; /* though it was to be shown among the others */
} run;

static bool choose_modes(run *r, rpp_message *error) {
  if (r->model.model.heads > MOST_HEADS)
    return rpp_message_set(error, "num_attention_heads = %" PRId64 ": at most %d are laid out", r->model.model.heads, MOST_HEADS);
  for (int mode = RPP_MODE_ROPE; mode <= RPP_MODE_EH; mode++) {
    if (r->mode >= 0 && r->mode != mode) continue;
    rpp_message why_not;
    r->modes[r->count] = (rpp_mode)mode;
    if (rpp_model_heads(&r->model.model, (rpp_mode)mode, r->heads + r->count, &why_not))
      r->count++;
    else if (r->mode == mode)
      return rpp_message_set(error, "--mode = %s: not possible: %s", rpp_names_get(rpp_names_mode, mode), why_not.text);
    else
      r->no_eh = true, r->eh_why_not = why_not;
  }
  return true;
}

static bool write_csv(const run *r, rpp_message *error) {
  char model[RPP_MODEL_TEXT];
  rpp_table t;
  if (!rpp_table_open(&t, r->folder, "layout.csv", error)) return false;
  rpp_model_options_print(&r->model, model);
  rpp_table_comment(&t, "ropepp-analysis layout %s%s%s", model,
                    r->mode < 0 ? "" : " --mode=", r->mode < 0 ? "" : rpp_names_get(rpp_names_mode, r->mode));
  rpp_table_comment(&t, "output_head: in the order in which outputs are concatenated into Wo");
  rpp_table_comment(
      &t, "query_head: the projected query head (Wq) that it comes from; part: real, or imaginary (its query turned by -pi/2)");
  rpp_table_comment(&t, "kv_head: the projected KV head (Wk, Wv) that it reads");
  if (r->no_eh) rpp_table_comment(&t, "eh: not possible: %s", r->eh_why_not.text);
  static const char *const header[] = {"mode", "output_head", "query_head", "part", "kv_head"};
  for (int i = 0; i < 5; i++) rpp_table_text(&t, header[i]);
  rpp_table_end_row(&t);
  for (int m = 0; m < r->count; m++)
    for (int64_t o = 0; o < r->heads[m].output; o++) {
      const rpp_head_source from = rpp_head_map(r->heads + m, o);
      rpp_table_text(&t, rpp_names_get(rpp_names_mode, (int)r->modes[m]));
      rpp_table_integer(&t, o);
      rpp_table_integer(&t, from.query);
      rpp_table_text(&t, from.imaginary ? "imaginary" : "real");
      rpp_table_integer(&t, from.kv);
      rpp_table_end_row(&t);
    }
  return rpp_table_close(&t, error);
}

/* A line for each KV head: "  kv0: q0 -> 0 re, 1 im; q1 -> 2 re, 3 im". */
static void print_mode(rpp_mode mode, const rpp_head_counts *n) {
  printf("\n%s: %" PRId64 " query heads make %" PRId64 " output heads, which read %" PRId64 " KV heads\n", rpp_mode_title(mode),
         n->projected, n->output, n->kv);
  int64_t kv = -1, query = -1;
  for (int64_t o = 0; o < n->output; o++) {
    const rpp_head_source from = rpp_head_map(n, o);
    if (from.kv != kv)
      printf("%s  kv%" PRId64 ": q%" PRId64 " -> ", kv < 0 ? "" : "\n", from.kv, from.query);
    else if (from.query != query)
      printf("; q%" PRId64 " -> ", from.query);
    else
      printf(", ");
    printf("%" PRId64 " %s", o, from.imaginary ? "im" : "re");
    kv = from.kv, query = from.query;
  }
  putchar('\n');
}

static void print_all(const run *r) {
  char line[RPP_MODEL_LINE];
  rpp_model_print(&r->model.model, line);
  puts(line);
  for (int m = 0; m < r->count; m++) print_mode(r->modes[m], r->heads + m);
  if (r->no_eh) printf("\nEH is not possible: %s\n", r->eh_why_not.text);
}

static error_t parse(int key, char *value, struct argp_state *state) {
  run *r = state->input;
  rpp_message error;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &r->model;
    return 0;
  case KEY_MODE:
    if (!rpp_parse_name("--mode", value, rpp_names_mode, &r->mode, &error)) rpp_refuse(state, "%s", error.text);
    return 0;
  case 'o':
    r->folder = value;
    return 0;
  case ARGP_KEY_ARG:
    rpp_refuse(state, "%s: no argument is expected", value);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int rpp_main_layout(int argc, char **argv) {
  static const struct argp_option table[] = {{"mode", KEY_MODE, "MODE", 0, "only this one: rope, ec or eh (default: all)", 0},
                                             {"output", 'o', "DIR", 0, "write DIR/layout.csv and .svg, too", 0},
                                             {0}};
  static const struct argp_child children[] = {{&rpp_model_argp, 0, NULL, 0}, {0}};
  run r = {.mode = -1};
  rpp_message error;
  rpp_options_parse(NULL, "Which output head comes from which query head, real or imaginary, and which KV head it reads.", table,
                    parse, children, argc, argv, &r);
  const bool done =
      choose_modes(&r, &error) &&
      (r.folder == NULL || (write_csv(&r, &error) && rpp_layout_draw(&r.model.model, r.modes, r.count, r.folder, &error)));
  if (done) print_all(&r);
  return done ? 0 : rpp_complain("layout", &error);
}
