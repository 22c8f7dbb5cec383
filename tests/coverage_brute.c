#include "coverage_brute.h"

#include <math.h>
#include <string.h>

enum { ANGLES = 30000 };

/* Whether a score's coefficient at angle 0 and at a quarter turn makes it a cosine or a sine. */
static bool is_cosine(bool like, bool imaginary) {
  return like != imaginary;
}

static double score(bool imaginary, double a_q, double b_q, double a_k, double b_k, double c, double s) {
  const double a = imaginary ? b_q : a_q, b = imaginary ? -a_q : b_q; /* R(-pi/2) (a, b) = (b, -a) */
  return (a * c - b * s) * a_k + (b * c + a * s) * b_k;
}

double brute_score(bool imaginary, double a_q, double b_q, double a_k, double b_k, double angle) {
  return score(imaginary, a_q, b_q, a_k, b_k, cos(angle), sin(angle));
}

void brute_multipliers(rpp_dimension_class dimension, bool imaginary, double cosine, double sine, double *like, double *other) {
  const bool query = dimension == RPP_Q_EVEN || dimension == RPP_Q_ODD, odd = dimension == RPP_Q_ODD || dimension == RPP_K_ODD;
  double *const results[] = {like, other};
  for (int i = 0; i < 2; i++) {
    const bool q_odd = query ? odd : odd != (i == 1), k_odd = query ? odd != (i == 1) : odd;
    *results[i] = score(imaginary, !q_odd, q_odd, !k_odd, k_odd, cosine, sine);
  }
}

double brute_phase(double like, double other) {
  const double turns = atan2(other, like) / (2 * M_PI);
  return turns < 0 ? turns + 1 : turns;
}

static int cell(double part) {
  const int i = (int)floor(part * BRUTE_CELLS);
  return i < 0 ? 0 : i >= BRUTE_CELLS ? BRUTE_CELLS - 1 : i;
}

int brute_cell_of_value(double value) {
  return cell((value + 1) / 2);
}
int brute_cell_of_phase(double turns) {
  return cell(turns);
}

void brute_mark(rpp_dimension_class dimension, rpp_method method, rpp_interval angles, brute_marks *marks) {
  memset(marks, 0, sizeof *marks);
  for (int i = 0; i <= ANGLES; i++) {
    const double angle = 2 * M_PI * (angles.low + (angles.high - angles.low) * i / ANGLES), c = cos(angle), s = sin(angle);
    for (int imaginary = 0; imaginary <= (method == RPP_METHOD_ROPEPP); imaginary++) {
      double values[2];
      brute_multipliers(dimension, imaginary, c, s, &values[0], &values[1]);
      for (int other = 0; other < 2; other++)
        (is_cosine(!other, imaginary) ? marks->cosine : marks->sine)[brute_cell_of_value(values[other])] = true;
      marks->phase[brute_cell_of_phase(brute_phase(values[0], values[1]))] = true;
    }
  }
}

void brute_seen(rpp_criterion criterion, const brute_marks *marks, bool seen[2][BRUTE_CELLS]) {
  int first = BRUTE_CELLS, last = -1;
  for (int i = 0; i < BRUTE_CELLS; i++) {
    const bool any = marks->cosine[i] || marks->sine[i];
    seen[0][i] = criterion == RPP_PHASE ? marks->phase[i] : criterion == RPP_FAMILIES ? marks->cosine[i] : any;
    seen[1][i] = criterion == RPP_FAMILIES ? marks->sine[i] : seen[0][i];
    if (any && first == BRUTE_CELLS) first = i;
    if (any) last = i;
  }
  for (int i = first; criterion == RPP_HULL && i <= last; i++) seen[0][i] = seen[1][i] = true;
}

double brute_covered(rpp_criterion criterion, const brute_marks *marks) {
  bool seen[2][BRUTE_CELLS];
  int count = 0;
  brute_seen(criterion, marks, seen);
  for (int i = 0; i < BRUTE_CELLS; i++) count += seen[0][i] + seen[1][i];
  return count / (2.0 * BRUTE_CELLS);
}

double brute_unseen(rpp_criterion criterion, const brute_marks *marks, const brute_marks *needed) {
  bool seen[2][BRUTE_CELLS], want[2][BRUTE_CELLS];
  int count = 0;
  brute_seen(criterion, marks, seen);
  brute_seen(criterion, needed, want);
  for (int i = 0; i < BRUTE_CELLS; i++) count += (want[0][i] && !seen[0][i]) + (want[1][i] && !seen[1][i]);
  return count / (2.0 * BRUTE_CELLS);
}
