#include "bench/subject.h"

#include <omp.h>
#include <string.h>

#include "base/clock.h"
#include "bench/case_work.h"
#include "kernels/takes.h"

const char *const rpp_bench_task_names[RPP_TASKS] = {"forward", "rotate", "rotate in place", "angles"};

bool rpp_subject_rotates(const rpp_spec *spec) {
  return spec->k_len == 0;
}

bool rpp_subject_offered(const rpp_kernel *kernel, rpp_bench_task task, const rpp_spec *spec, rpp_message *why) {
  rpp_generated g;
  rpp_generated_describe(spec, kernel->contract.output, kernel->contract.lse, &g);
  const rpp_kernel_problem problem = {&g.attention, &g.inputs, &g.out, &g.lse};
  if (task == RPP_TASK_FORWARD && kernel->forward == NULL) return rpp_message_set(why, "has no attention: it is timed where lk=0");
  if (task != RPP_TASK_FORWARD && kernel->rotate == NULL) return rpp_message_set(why, "has no rotation");
  if (task != RPP_TASK_FORWARD && g.attention.q_rotated) return rpp_message_set(why, "q is rotated already, and there are no keys");
  return rpp_kernel_takes(kernel, &problem, why);
}

/* ---- Outputs and workspace ---------------------------------------------------------------------------------------------- */

static bool make_forward(rpp_subject *s, rpp_message *error) {
  rpp_generated *g = s->data;
  const rpp_contract *c = &s->kernel->contract;
  s->out = g->out;
  s->lse = g->lse;
  if ((g->out.dtype != c->output && !rpp_generated_room(g, "out", &g->out, c->output, false, &s->out, error)) ||
      (g->lse.dtype != c->lse && !rpp_generated_room(g, "lse", &g->lse, c->lse, false, &s->lse, error)))
    return false;
  const rpp_kernel_problem problem = {&g->attention, &g->inputs, &s->out, &s->lse};
  const size_t bytes = s->kernel->workspace != NULL ? s->kernel->workspace(s->kernel, &problem) : 0;
  if (bytes > 0 && (s->workspace = rpp_generated_workspace(g, bytes)) == NULL)
    return rpp_message_set(error, "the workspace's %zu bytes: memory is out", bytes);
  s->operations = rpp_forward_operations(&g->attention, &g->inputs);
  s->bytes = rpp_tensor_bytes(&g->q) + rpp_tensor_bytes(&g->k) + rpp_tensor_bytes(&g->v) + rpp_tensor_bytes(&s->out) +
             rpp_tensor_bytes(&s->lse);
  return true;
}

static bool make_rotate(rpp_subject *s, rpp_message *error) {
  const bool in_place = s->task == RPP_TASK_ROTATE_IN_PLACE;
  s->copied = rpp_tensor_bytes(&s->data->q);
  s->bytes = 2 * s->copied;
  return rpp_generated_room(s->data, "rotated q", &s->data->q, s->data->q.dtype, in_place, &s->out, error);
}

static bool make_angles(rpp_subject *s, rpp_message *error) {
  const rpp_generated *g = s->data;
  const int64_t shape[] = {g->q.shape[1], g->attention.rotary.rotary_dim / 2};
  const size_t bytes = (size_t)shape[0] * (size_t)shape[1] * sizeof(float);
  void *cosine = rpp_generated_workspace(s->data, bytes), *sine = rpp_generated_workspace(s->data, bytes);
  if (cosine == NULL || sine == NULL) return rpp_message_set(error, "the tables' %zu bytes: memory is out", 2 * bytes);
  s->copied = s->bytes = 2 * (double)bytes;
  return (rpp_tensor_contiguous(cosine, RPP_F32, 2, shape, &s->out) == RPP_OK &&
          rpp_tensor_contiguous(sine, RPP_F32, 2, shape, &s->lse) == RPP_OK) ||
         rpp_message_set(error, "%s", rpp_error_message());
}

bool rpp_subject_make(const rpp_kernel *kernel, rpp_bench_task task, rpp_generated *data, rpp_subject *s, rpp_message *error) {
  *s = (rpp_subject){.kernel = kernel, .task = task, .data = data};
  return task == RPP_TASK_FORWARD  ? make_forward(s, error)
         : task == RPP_TASK_ANGLES ? make_angles(s, error)
                                   : make_rotate(s, error);
}

/* ---- A run -------------------------------------------------------------------------------------------------------------- */

static bool run_angles(rpp_subject *s, const char **reason) {
  *reason = rpp_error_message();
  return rpp_angles_blocked(&s->data->attention.rotary, &s->data->pos_q, &s->out, &s->lse) == RPP_OK;
}

static bool run_task(rpp_subject *s, const char **reason) {
  const rpp_kernel *k = s->kernel;
  rpp_generated *g = s->data;
  const rpp_tensor *x = s->task == RPP_TASK_ROTATE_IN_PLACE ? &s->out : &g->q;
  if (s->task == RPP_TASK_ANGLES) return run_angles(s, reason);
  if (s->task == RPP_TASK_FORWARD) return k->forward(k, &g->attention, &g->inputs, &s->out, &s->lse, s->workspace, reason) == 0;
  return k->rotate(k, &g->attention.rotary, RPP_PART_REAL, x, &g->pos_q, &s->out, reason) == 0;
}

bool rpp_subject_run(const rpp_subject *subject, double *took, rpp_message *error) {
  rpp_subject s = *subject;
  const char *reason = "no reason given";
  const int threads = omp_get_max_threads();
  if (s.threads > 0) omp_set_num_threads(s.threads);
  const double start = rpp_clock_seconds();
  const bool good = run_task(&s, &reason);
  *took = rpp_clock_seconds() - start;
  omp_set_num_threads(threads);
  return good || rpp_message_set(error, "%s", reason);
}
