/* points.h: the distances a curve is computed at. */
#ifndef RPP_POINTS_H
#define RPP_POINTS_H
#include <stdint.h>

#include "program/message.h"

/* Every distance from 0 to max, when chosen is null; else count chosen ones, growing. */
typedef struct {
  int64_t *chosen;
  int64_t count;
} rpp_points;

/* 0 .. max: nothing is allocated. */
rpp_points rpp_points_every(int64_t max);

/* 0, 1 and max, and about per_decade integers a decade between them, evenly spaced by logarithm. False, with a message. */
bool rpp_points_logarithmic(int64_t max, int64_t per_decade, rpp_points *points, rpp_message *error);

/* Integers 0 .. most separated by commas; sorted, each once. False, with a message that names the part that is none. */
bool rpp_points_parse(const char *text, int64_t most, rpp_points *points, rpp_message *error);

/* The i-th, i < count. */
int64_t rpp_points_get(const rpp_points *points, int64_t i);

void rpp_points_free(rpp_points *points);

#endif
