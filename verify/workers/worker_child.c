#include "workers/worker_child.h"

#include <errno.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void judge(const rpp_pool_options *options, const rpp_worker_request *request, rpp_verdict *verdict) {
  const rpp_kernel *kernel = options->kernels[request->kernel];
  const bool fixed = getenv("OMP_NUM_THREADS") != NULL || options->apart;
  if (!fixed) omp_set_num_threads(request->threads == RPP_THREADS_TWO ? 2 : 1);
  options->judge(kernel, &request->spec, verdict);
  if (fixed || request->threads != RPP_THREADS_EITHER || verdict->outcome != RPP_OUTCOME_PASS) return;
  omp_set_num_threads(2);
  options->judge(kernel, &request->spec, verdict);
}

int rpp_worker_child(const void *context, int channel) {
  const rpp_pool_options *options = context;
  for (;;) {
    rpp_worker_request request;
    const ssize_t size = recv(channel, &request, sizeof request, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof request || request.kernel < 0 || request.kernel >= options->kernel_count) return 0;

    rpp_worker_reply reply;
    memset(&reply, 0, sizeof reply); /* padding goes through the socket, too */
    reply.ticket = request.ticket;
    reply.verdict = request.task == RPP_TASK_JUDGE ? rpp_verdict_none() : request.verdict;
    if (request.task == RPP_TASK_JUDGE)
      judge(options, &request, &reply.verdict);
    else if (request.task == RPP_TASK_SAVE)
      reply.explained =
          options->save(options->kernels[request.kernel], &request.spec, request.run, request.path, &reply.explanation);
    else if (options->explain != NULL)
      reply.explained = options->explain(options->kernels[request.kernel], &request.spec, &request.verdict, &reply.explanation);
    if (send(channel, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) return 0;
  }
}
