/* explain_unwritten.c: the shape of what was not written. */
#include "explain/explain_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/elements.h"

enum { ALL = 0, SOME, EVEN, ODD }; /* what is unwritten along one dimension */

typedef struct {
  int64_t low, high, count, even, odd;
} extent;

static int kind_of(const extent *e, int64_t size) {
  if (e->high - e->low + 1 == size && e->even > 0 && (e->odd > 0 || size == 1)) return ALL;
  if (e->high > e->low && (e->even == 0 || e->odd == 0)) return e->odd == 0 ? EVEN : ODD;
  return SOME;
}

static int64_t places(const extent *e, int kind) {
  return kind == EVEN || kind == ODD ? (e->high - e->low) / 2 + 1 : e->high - e->low + 1;
}

static void append(char *text, size_t room, char letter, const extent *e, int kind) {
  const size_t used = strlen(text);
  if (kind == ALL) return;
  const char *parity = kind == EVEN ? "even " : kind == ODD ? "odd " : "";
  if (e->low == e->high)
    snprintf(text + used, room - used, "%s%c = %" PRId64, used > 0 ? ", " : "", letter, e->low);
  else
    snprintf(text + used, room - used, "%s%s%c from %" PRId64 " to %" PRId64, used > 0 ? ", " : "", parity, letter, e->low,
             e->high);
}

/* True where the unwritten elements fill a box, perhaps of every second index. */
static bool tell(const char *name, const char *letters, const rpp_tensor *t, rpp_message *explanation) {
  extent found[RPP_MAX_DIMS];
  int64_t index[RPP_MAX_DIMS] = {0}, elements, unwritten = 0, box = 1;
  char text[200] = "";
  if (rpp_tensor_extent(t, &elements, NULL) != RPP_OK || elements == 0) return false;
  do
    if (rpp_generated_unwritten(t, index)) {
      for (int d = 0; d < t->ndim; d++) {
        extent *e = &found[d];
        if (unwritten == 0) *e = (extent){index[d], index[d], 0, 0, 0};
        if (index[d] < e->low) e->low = index[d];
        if (index[d] > e->high) e->high = index[d];
        index[d] % 2 == 0 ? e->even++ : e->odd++;
      }
      unwritten++;
    }
  while (rpp_elements_next(t, index));
  if (unwritten == 0) return false;
  for (int d = 0; d < t->ndim; d++) {
    const int kind = kind_of(&found[d], t->shape[d]);
    box *= places(&found[d], kind);
    append(text, sizeof text, letters[d], &found[d], kind);
  }
  if (box != unwritten) return false;
  rpp_message_set(explanation, "%s is not written%s%s", name, *text ? " where " : " at all", text);
  return true;
}

bool rpp_explain_unwritten(const rpp_trial *t, rpp_message *explanation) {
  return tell("out", "bthd", &t->data.out, explanation) || tell("lse", "bht", &t->data.lse, explanation);
}
