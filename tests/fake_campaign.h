/* fake_campaign.h: campaigns whose judge is a function of the kernel's name and of the spec, and needs no kernel. */
#ifndef FAKE_CAMPAIGN_H
#define FAKE_CAMPAIGN_H
#include "workers/campaign.h"

/* clean passes; wrong fails by every gate; picky declines four cases in five, never all; dies aborts, hanging loops now and then;
 * slow passes, in 2 ms. fake_five: clean, wrong, picky, dies, slow. */
extern const rpp_kernel fake_clean, fake_wrong, fake_picky, fake_dies, fake_never, fake_hanging, fake_slow;
extern const rpp_kernel *fake_five[];

/* A fuzz of one shard, seed 7, two lanes, and hangs called so after half a second. */
rpp_campaign fake_campaign(int count, const rpp_kernel **kernels, int64_t cases);

/* Runs it, or fails the test. corpus may be null. */
void fake_run(const rpp_campaign *campaign, rpp_report *report, rpp_corpus *corpus);

/* The JSON, to be freed, with its time at 0. */
char *fake_json(rpp_report *report);

#endif
