/* survivors.c: which hypotheses fit, and their names. */
#include "explain/explain_parts.h"

enum { NAMED = 2 };

void rpp_survivors_gather(const rpp_trial *t, const rpp_hypothesis *table, rpp_survivors *s) {
  for (const rpp_hypothesis *h = table; h->text && s->count < RPP_SURVIVORS; h++)
    if (rpp_trial_fits(t, h)) s->of[s->count++] = h;
}

bool rpp_survivors_name(const rpp_survivors *s, const char *where, rpp_message *explanation) {
  if (s->count == 0) return false;
  rpp_message_set(explanation, "%smatches with %s", where, s->of[0]->text);
  for (int i = 1; i < s->count && i < NAMED; i++)
    rpp_message_set(explanation, "%s; as well with %s", explanation->text, s->of[i]->text);
  return true;
}
