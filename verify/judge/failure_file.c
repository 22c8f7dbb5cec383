#include "judge/failure_file.h"

#include <math.h>

#include "base/arithmetic.h"
#include "cases/generate.h"
#include "contract_text.h"
#include "files/case_write.h"
#include "judge/gates.h"

enum { ENTRIES = 24 };

typedef struct {
  const rpp_kernel *kernel;
  rpp_generated data;  /* what is written */
  rpp_generated given; /* what the kernel gets, and may spoil */
  rpp_scratch scratch;
  rpp_judged_truth truth;
  rpp_tensor rotated[3][3]; /* q_real, q_imag, k_rot: the truth, its bound, what the kernel gave */
  rpp_safetensors_entry entry[ENTRIES];
  size_t count;
} failure;

static void add(failure *f, const char *name, const rpp_tensor *t) {
  f->entry[f->count++] = (rpp_safetensors_entry){name, t};
}

/* ---- Rotation ------------------------------------------------------------------------------------------------------------ */

static const struct {
  const char *name, *bound, *got;
  rpp_part part;
  bool of_q;
} rotations[3] = {{"q_real", "q_real_bound", "q_real_got", RPP_PART_REAL, true},
                  {"q_imag", "q_imag_bound", "q_imag_got", RPP_PART_IMAG, true},
                  {"k_rot", "k_rot_bound", "k_rot_got", RPP_PART_REAL, false}};

/* The kernel's rotation into y, NaN where nothing is written. */
static bool run_rotation(failure *f, int which, rpp_tensor *y) {
  rpp_generated *g = &f->given;
  const rpp_tensor *x = rotations[which].of_q ? &g->q : &g->k, *pos = rotations[which].of_q ? &g->pos_q : &g->pos_k;
  const char *reason;
  rpp_message error;
  if (!rpp_generated_room(g, "rotated", x, x->dtype, g->spec.in_place, y, &error)) return false;
  const int status =
      f->kernel->rotate(f->kernel, &g->attention.rotary, rotations[which].part, g->spec.in_place ? y : x, pos, y, &reason);
  rpp_arithmetic_restore_team();
  return status == 0;
}

static bool rotate(failure *f, bool run, rpp_message *error) {
  const rpp_generated *g = &f->data;
  if (!f->kernel->rotate || g->attention.q_rotated) return true;
  for (int i = 0; i < 3; i++) {
    rpp_tensor *t = f->rotated[i];
    if ((i == 1 && g->attention.mode == RPP_MODE_ROPE) || (!rotations[i].of_q && g->attention.k_rotated)) continue;
    if (!rpp_rotated_truth_make(&f->scratch, &g->attention.rotary, rotations[i].part, &f->kernel->contract,
                                rotations[i].of_q ? &g->q : &g->k, rotations[i].of_q ? &g->pos_q : &g->pos_k, &t[0], &t[1], error))
      return false;
    add(f, rotations[i].name, &t[0]);
    add(f, rotations[i].bound, &t[1]);
    if (run && run_rotation(f, i, &t[2])) add(f, rotations[i].got, &t[2]);
  }
  return true;
}

/* ---- Attention ----------------------------------------------------------------------------------------------------------- */

static void run_forward(failure *f) {
  rpp_generated *g = &f->given;
  const rpp_kernel_problem problem = {&g->attention, &g->inputs, &g->out, &g->lse};
  const size_t bytes = f->kernel->workspace ? f->kernel->workspace(f->kernel, &problem) : 0;
  void *workspace = bytes > 0 ? rpp_generated_workspace(g, bytes) : NULL;
  const char *reason;
  if (bytes > 0 && !workspace) return;
  const int status = f->kernel->forward(f->kernel, &g->attention, &g->inputs, &g->out, &g->lse, workspace, &reason);
  rpp_arithmetic_restore_team();
  if (status != 0) return;
  add(f, "out_got", &g->out);
  if (!f->kernel->lse_optional || !rpp_generated_untouched(&g->lse)) add(f, "lse_got", &g->lse);
}

static bool attend(failure *f, bool run, rpp_message *error) {
  const rpp_generated *g = &f->data;
  const rpp_tensor *rows = g->rows.data ? &g->rows : NULL;
  if (!f->kernel->forward) return true;
  if (!rpp_judged_truth_make(&f->scratch, &g->attention, &g->inputs, &f->kernel->contract, rows, &f->truth, error)) return false;
  if (rows) add(f, "rows", rows);
  add(f, "out", &f->truth.out);
  add(f, "out_bound", &f->truth.out_bound);
  add(f, "lse", &f->truth.lse);
  add(f, "lse_bound", &f->truth.lse_bound);
  if (run) run_forward(f);
  return true;
}

/* ---- The file ------------------------------------------------------------------------------------------------------------ */

static bool write(failure *f, const char *path, rpp_message *error) {
  char name[RPP_SPEC_TEXT], contract[RPP_CONTRACT_TEXT];
  rpp_message kernel; /* ASCII, as JSON wants it */
  rpp_spec_print(&f->data.spec, name);
  rpp_contract_print(&f->kernel->contract, contract);
  rpp_message_set(&kernel, "%s", f->kernel->name);
  const rpp_safetensors_pair pairs[] = {{"kernel", kernel.text}, {"contract", contract}};
  const rpp_case_more more = {"ropepp-failure/1", 2, pairs, f->count, f->entry};
  return rpp_case_write_more(path, name, &f->data.attention, &f->data.inputs, &more, error);
}

bool rpp_failure_file_write(const rpp_kernel *kernel, const rpp_spec *spec, bool run, const char *path, rpp_message *error) {
  failure f = {.kernel = kernel};
  const rpp_contract *c = &kernel->contract;
  const bool good = rpp_generate(spec, c->output, c->lse, &f.data, error) &&
                    (!run || rpp_generate(spec, c->output, c->lse, &f.given, error)) && rotate(&f, run, error) &&
                    attend(&f, run, error) && write(&f, path, error);
  rpp_scratch_free(&f.scratch);
  rpp_generated_free(&f.given);
  rpp_generated_free(&f.data);
  return good;
}
