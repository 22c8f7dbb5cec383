/* clock.h: time that only goes forward. */
#ifndef RPP_CLOCK_H
#define RPP_CLOCK_H

/* Seconds since some moment. */
double rpp_clock_seconds(void);

#endif
