/* trial.h: one run of a wrong kernel, or what it left in a file, against which hypotheses are held. */
#ifndef RPP_TRIAL_H
#define RPP_TRIAL_H
#include "cases/generate.h"
#include "explain/hypotheses.h"
#include "judge/results.h"

typedef struct {
  const rpp_kernel *kernel; /* null: what a file holds is looked at, and cannot be run */
  rpp_contract contract;
  rpp_spec spec;
  rpp_generated data;
  rpp_scratch scratch;
  void *workspace;
  rpp_tensor row_numbers;
  const rpp_tensor *rows;               /* of out, judged; null: all */
  rpp_judged_truth truth;               /* as asked for */
  bool of_rotation;                     /* rotate was run in the place of forward */
  rpp_tensor got[2], want[2], bound[2]; /* its q (B, Lq, O, D), turned where it should be, and k (B, Lk, O, D) */
} rpp_trial;

/* Generates a case and runs the kernel on it: forward, or rotate. row: a query row that must be among those judged where not all
 * are. False when the kernel does not support the case, returns an error or writes outside its outputs, or when the case is too
 * large. */
bool rpp_trial_open(rpp_trial *t, const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, int64_t row);

/* The same of results that are there already, which must outlive the trial; of spec only the sizes and the family are filled.
 * of_rotation: what is looked at are rotated q and k, all of which must be there.
 * wanted: so many query rows at most; 0: as many as can be afforded. False when the problem is not sound, or too large. */
bool rpp_trial_open_results(rpp_trial *t, const rpp_results *results, bool of_rotation, int64_t row, int64_t wanted);
void rpp_trial_close(rpp_trial *t);

/* forward again, on what the inputs are now. */
bool rpp_trial_run(rpp_trial *t);

/* Whether two tensors of one shape are equal, NaN to NaN. */
bool rpp_trial_same(const rpp_tensor *a, const rpp_tensor *b);

/* Whether the kernel is right on this case. */
bool rpp_trial_right(const rpp_trial *t);

/* Whether the results are what the hypothesis says they are. Where it has no meaning, it says that they are right. */
bool rpp_trial_agrees(const rpp_trial *t, const rpp_hypothesis *hypothesis);

/* And, within the same tolerance, not what was asked for. */
bool rpp_trial_fits(const rpp_trial *t, const rpp_hypothesis *hypothesis);

#endif
