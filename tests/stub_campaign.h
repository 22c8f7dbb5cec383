/* stub_campaign.h: campaigns whose judge is a function of the kernel's name and of the spec, and needs no kernel. */
#ifndef STUB_CAMPAIGN_H
#define STUB_CAMPAIGN_H
#include "workers/campaign.h"

/* clean passes; wrong fails by every gate; picky declines four cases in five, never all; dies aborts, hanging loops now and then;
 * slow passes, in 2 ms. stub_five: clean, wrong, picky, dies, slow. */
extern const rpp_kernel stub_clean, stub_wrong, stub_picky, stub_dies, stub_never, stub_hanging, stub_slow;
extern const rpp_kernel *stub_five[];

/* A fuzz of one shard, seed 7, two lanes, and hangs called so after half a second. */
rpp_campaign stub_campaign(int count, const rpp_kernel **kernels, int64_t cases);

/* Runs it, or fails the test. corpus may be null. */
void stub_run(const rpp_campaign *campaign, rpp_report *report, rpp_corpus *corpus);

/* The JSON, to be freed, with its time at 0. */
char *stub_json(rpp_report *report);

#endif
