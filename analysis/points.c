#include "points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program/parse.h"

rpp_points rpp_points_every(int64_t max) {
  return (rpp_points){NULL, max + 1};
}

int64_t rpp_points_get(const rpp_points *points, int64_t i) {
  return points->chosen != NULL ? points->chosen[i] : i;
}

void rpp_points_free(rpp_points *points) {
  free(points->chosen);
  *points = (rpp_points){0};
}

/* Room for count. */
static bool make(int64_t count, rpp_points *points, rpp_message *error) {
  *points = (rpp_points){malloc((size_t)count * sizeof(int64_t)), 0};
  return points->chosen != NULL || rpp_message_set(error, "out of memory for %lld points", (long long)count);
}

bool rpp_points_logarithmic(int64_t max, int64_t per_decade, rpp_points *points, rpp_message *error) {
  const double decades = max > 1 ? log10((double)max) : 0;
  const int64_t steps = (int64_t)ceil(decades * (double)per_decade);
  if (!make(steps + 3, points, error)) return false;
  points->chosen[points->count++] = 0;
  for (int64_t i = 0; i <= steps && max > 0; i++) {
    const int64_t t = i == steps ? max : llround(pow(10, (double)i / (double)per_decade));
    if (t > points->chosen[points->count - 1] && t <= max) points->chosen[points->count++] = t;
  }
  return true;
}

static int compare(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void sort_once(rpp_points *points) {
  int64_t kept = 0;
  qsort(points->chosen, (size_t)points->count, sizeof(int64_t), compare);
  for (int64_t i = 0; i < points->count; i++)
    if (i == 0 || points->chosen[i] != points->chosen[i - 1]) points->chosen[kept++] = points->chosen[i];
  points->count = kept;
}

bool rpp_points_parse(const char *text, int64_t most, rpp_points *points, rpp_message *error) {
  int64_t parts = 1;
  for (const char *c = text; *c != '\0'; c++) parts += *c == ',';
  if (!make(parts, points, error)) return false;
  for (const char *part = text;; part++) {
    char number[32] = "";
    int64_t *t = points->chosen + points->count++;
    const size_t length = strcspn(part, ",");
    if (length < sizeof number) memcpy(number, part, length);
    if (!rpp_parse_integer("--at", number, 0, t, error) ||
        (*t > most && !rpp_message_set(error, "--at = %s: must be at most %lld", number, (long long)most))) {
      rpp_points_free(points);
      return false;
    }
    part += length;
    if (*part == '\0') break;
  }
  sort_once(points);
  return true;
}
