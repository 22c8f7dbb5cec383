#include "judge/truth.h"

#include "identities/identity.h"
#include "judge/check_case.h"

#include <math.h>
#include <string.h>

/* x changed by one part in 10^6, or by two units in the last place where the dtype knows no finer change; what has no parts, 0 and
 * infinities, becomes another number. */
static double spoiled(rpp_dtype dtype, double x) {
  if (!isfinite(x)) return 0;
  if (x == 0) return 1e-6;
  return x * (1 + (dtype == RPP_BF16 ? 0x1p-6 : dtype == RPP_F16 ? 0x1p-9 : 1e-6));
}

/* Whether spoiling the largest element of each expected tensor, one after the other, makes the case fail. */
static bool plants_caught(const rpp_case *c) {
  for (int which = RPP_CASE_EXPECTED; which < RPP_CASE_TENSORS; which++) {
    const rpp_tensor *t = c->tensor[which];
    int64_t index[RPP_MAX_DIMS] = {0}, largest[RPP_MAX_DIMS] = {0}, left;
    if (!t || rpp_tensor_extent(t, &left, NULL) != RPP_OK || left == 0) continue;
    double value = rpp_tensor_get(t, index);
    for (; left > 0; left--) {
      const double x = rpp_tensor_get(t, index);
      if (isfinite(x) && !(fabs(x) <= fabs(value) && isfinite(value))) {
        value = x;
        memcpy(largest, index, sizeof largest);
      }
      for (int d = t->ndim - 1; d >= 0 && ++index[d] == t->shape[d]; d--) index[d] = 0;
    }
    rpp_check_result result;
    rpp_message error;
    rpp_tensor_set(t, largest, spoiled(t->dtype, value));
    const bool judged = rpp_check_case(c, &result, &error);
    rpp_tensor_set(t, largest, value);
    if (!judged || result.pass) return false;
  }
  return true;
}

/* Reads, judges and plants; prints a row. False, with a message, when the file cannot be judged. */
static bool judge(const char *path, FILE *out, bool *pass, rpp_message *error) {
  rpp_safetensors *file;
  rpp_case c;
  rpp_check_result result;
  if (!rpp_safetensors_load(path, &file, error)) return false;
  const bool judged = rpp_case_read(file, &c, error) && rpp_check_case(&c, &result, error);
  if (judged) {
    const rpp_check_tensor *worst = rpp_check_worst(&result);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    rpp_message label;
    rpp_message_set(&label, "%.*s", (int)strcspn(name, "."), name);
    const bool caught = plants_caught(&c);
    *pass = result.pass && caught;
    rpp_identity_print_row(out, label.text, worst->name, worst->deviation, worst->bound, result.count, caught, result.pass);
  }
  rpp_safetensors_free(file);
  return judged;
}

int rpp_truth_run(int count, char *const *paths, FILE *out) {
  int failed = 0, bad = 0;
  rpp_identity_print_head(out);
  const rpp_identities_total identities = rpp_identities_report(RPP_FORMAT_HUMAN, out);
  for (int i = 0; i < count; i++) {
    rpp_message error;
    bool pass = false;
    if (judge(paths[i], out, &pass, &error))
      failed += !pass;
    else {
      fflush(out);
      rpp_message path; /* a path may hold anything; the line stays one */
      rpp_message_set(&path, "%s", paths[i]);
      fprintf(stderr, "ropepp-verify: truth: %s: %s\n", path.text, error.text);
      bad++;
    }
  }
  const bool pass = identities.count > 0 && identities.failed == 0 && failed == 0 && bad == 0;
  fprintf(out, "%d identities, %d failed; %d cases, %d failed: %s\n", identities.count, identities.failed, count, failed + bad,
          pass ? "the truth holds" : "FAIL");
  return bad ? 2 : pass ? 0 : 1;
}
