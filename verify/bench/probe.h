/* probe.h: the machine's limits, measured next to what is held against them: multiply-adds in float32, reading, copying. All OpenMP threads
 * take part. */
#ifndef RPP_PROBE_H
#define RPP_PROBE_H
#include "bench/probe_code.h"
#include "program/message.h"

/* What is read: far more than a cache holds, from malloc, as the cases' tensors are. */
enum { RPP_PROBE_BUFFER = 256 << 20 };

typedef struct {
  const rpp_probe_set *arithmetic, *reading; /* the fastest of this CPU */
  double rounds;                             /* of that arithmetic in a second, at best */
  int streams;                               /* of each thread's reading, likewise */
  unsigned char *buffer;
} rpp_probe;

/* Finds what is fastest here, in some tenths of a second. False, with a message, when memory is out. */
bool rpp_probe_open(rpp_probe *probe, rpp_message *error);

/* Gives the buffer back; what was found stays. */
void rpp_probe_close(rpp_probe *probe);

/* Operations a second, a multiplication and an addition counting as two, over what takes so many seconds at best. */
double rpp_probe_arithmetic(const rpp_probe *probe, double seconds);

/* Bytes read a second, over about so many seconds, but at least the whole buffer, once: what was in the caches is gone. */
double rpp_probe_read(const rpp_probe *probe, double seconds);

/* Bytes copied a second, by memcpy, each counted once; bytes > 0 of them. What passes half the buffer is copied from its start again. */
double rpp_probe_copy(const rpp_probe *probe, size_t bytes);

#endif
