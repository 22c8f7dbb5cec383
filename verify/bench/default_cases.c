#include "bench/default_cases.h"

#include <stddef.h>

const char *const rpp_bench_default_cases[] = {
    /* prefill, rotation included */
    "rope:h=8,lq=4096,d=128",
    "rope:h=8,lq=1024,d=128",
    "rope:h=8,lq=2048,d=64",
    "rope:h=32,kv=8,lq=2048,d=128",
    "rope:h=8,lq=2048,d=128",
    "ec:h=8,lq=2048,d=128",
    "eh:h=8,lq=2048,d=128",
    "rope:h=8,lq=2048,d=128,dtype=f16",
    "rope:h=8,lq=2048,d=128,dtype=bf16",
    /* decode from a cache of rotated keys */
    "rope:h=8,lq=1,lk=131072,d=128,inputs=rotated",
    "eh:h=8,lq=1,lk=131072,d=128,inputs=rotated",
    "ec:h=8,lq=1,lk=131072,d=128,inputs=rotated",
    "rope:h=32,kv=8,lq=1,lk=32768,d=128,dtype=f16,inputs=rotated",
    "eh:h=32,kv=8,lq=1,lk=32768,d=128,dtype=f16,inputs=rotated",
    "ec:h=32,kv=8,lq=1,lk=32768,d=128,dtype=f16,inputs=rotated",
    "rope:h=32,kv=8,lq=1,lk=32768,d=128,dtype=bf16,inputs=rotated",
    /* rotation and angle tables */
    "rope:h=8,lq=16384,lk=0,d=128",
    "rope:h=8,lq=16384,lk=0,d=128,pairing=half",
    "rope:h=8,lq=16384,lk=0,d=128,dtype=f16",
    NULL,
};
