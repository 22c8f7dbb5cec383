#define _GNU_SOURCE /* pipe2, sched_getaffinity */
#include "workers/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/last_words.h"
#include "sanitized.h"
#include "workers/interrupt.h"
#include "workers/worker_child.h"
#include "workers/zygote.h"

/* Sanitizers watch every operation of a kernel, and of the runtime that plays a device. */
static const double USUAL_OPERATION_S = RPP_ADDRESS_SANITIZER || RPP_THREAD_SANITIZER ? 4e-8 : 1e-8;

enum { LANES = 8, EXPLAIN_PATIENCE = 20, CHATTER = 1 << 16 /* what a pipe holds */ };

typedef struct {
  pid_t pid; /* 0: none */
  int channel, chatter;
} worker;

typedef struct {
  bool busy;
  int kernel;
  uint64_t ticket;
  double limit_s, deadline;
  worker *workers; /* one for each kernel, started when first needed */
} lane;

struct rpp_pool {
  rpp_pool_options options;
  rpp_zygote zygote;
  int lane_count;
  lane lanes[LANES];
};

double rpp_spec_operations(const rpp_spec *spec) {
  rpp_head_counts heads;
  if (rpp_attention_heads(&spec->attention, &heads) != RPP_OK) return 0;
  const double judged = (double)(spec->rows > 0 ? spec->rows : spec->q_len), width = (double)(spec->head_dim + spec->v_dim);
  const double attention = (double)heads.output * (double)spec->k_len * width * (2 * (double)spec->q_len + 40 * judged);
  const double rotation = (double)(heads.output + heads.kv) * (double)(spec->q_len + spec->k_len) * width * 200;
  return (double)spec->batch * (attention + rotation);
}

/* ---- Processes ---------------------------------------------------------------------------------------------------------- */

static int lanes_wanted(int wanted) {
  const char *text = getenv("OMP_NUM_THREADS");
  const int threads = text == NULL ? 1 : atoi(text);
  cpu_set_t set;
  const int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (wanted <= 0) wanted = threads > 1 ? cpus / threads : cpus;
  return wanted < 1 ? 1 : wanted > LANES ? LANES : wanted;
}

rpp_pool *rpp_pool_start(const rpp_pool_options *options, rpp_message *error) {
  rpp_pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL) {
    rpp_message_set(error, "memory is out");
    return NULL;
  }
  pool->options = *options;
  if (!(pool->options.floor_s > 0)) pool->options.floor_s = 10;
  if (!(pool->options.operation_s > 0)) pool->options.operation_s = USUAL_OPERATION_S;
  bool ready = true;
  for (int i = 0; i < lanes_wanted(options->lanes) && ready; i++) {
    pool->lanes[i].workers = calloc((size_t)options->kernel_count + 1, sizeof(worker));
    ready = pool->lanes[i].workers != NULL;
    pool->lane_count = i + 1;
  }
  if (!ready) rpp_message_set(error, "memory is out");
  if (ready && rpp_zygote_start(&pool->zygote, rpp_worker_child, &pool->options, error)) return pool;
  for (int i = 0; i < pool->lane_count; i++) free(pool->lanes[i].workers);
  free(pool);
  return NULL;
}

static bool worker_start(rpp_pool *pool, worker *w, rpp_message *error) {
  int pair[2], chatter[2];
  if (w->pid > 0) return true;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return rpp_message_set(error, "socketpair: %s", strerror(errno));
  if (pipe2(chatter, O_CLOEXEC | O_NONBLOCK) != 0) { /* a full pipe drops what a talkative kernel says, and never stops it */
    close(pair[0]);
    close(pair[1]);
    return rpp_message_set(error, "pipe: %s", strerror(errno));
  }
  const bool started = rpp_zygote_spawn(&pool->zygote, pair[1], chatter[1], &w->pid, error);
  close(pair[1]);
  close(chatter[1]);
  w->channel = pair[0];
  w->chatter = chatter[0];
  if (started) return true;
  close(pair[0]);
  close(chatter[0]);
  w->pid = 0;
  return false;
}

/* What the worker has said on stderr, but for what came before the last call; text may be null. */
static void listen_to(const worker *w, char *text, size_t room) {
  char bytes[4096];
  ssize_t size;
  size_t used = 0;
  while ((size = read(w->chatter, bytes, sizeof bytes)) > 0)
    for (ssize_t i = 0; text != NULL && i < size && used + 1 < room; i++)
      if (bytes[i] != '\0') text[used++] = bytes[i];
  if (text != NULL) text[used] = '\0';
}

static int worker_end(rpp_pool *pool, worker *w, rpp_message *words) {
  char text[CHATTER];
  const int status = rpp_zygote_end(&pool->zygote, w->pid);
  listen_to(w, text, sizeof text);
  rpp_last_words(text, 1, words);
  close(w->channel);
  close(w->chatter);
  w->pid = 0;
  return status;
}

void rpp_pool_stop(rpp_pool *pool) {
  if (pool == NULL) return;
  for (int i = 0; i < pool->lane_count; i++) {
    for (int k = 0; k < pool->options.kernel_count; k++)
      if (pool->lanes[i].workers[k].pid > 0) {
        close(pool->lanes[i].workers[k].channel);
        close(pool->lanes[i].workers[k].chatter);
      }
    free(pool->lanes[i].workers);
  }
  rpp_zygote_stop(&pool->zygote);
  free(pool);
}

/* ---- Cases -------------------------------------------------------------------------------------------------------------- */

static lane *free_lane(const rpp_pool *pool) {
  for (int i = 0; i < pool->lane_count; i++)
    if (!pool->lanes[i].busy) return (lane *)&pool->lanes[i];
  return NULL;
}

bool rpp_pool_ready(const rpp_pool *pool) {
  return free_lane(pool) != NULL;
}

static bool submit(rpp_pool *pool, const rpp_worker_request *request, double patience, rpp_message *error) {
  lane *l = free_lane(pool);
  if (l == NULL) return rpp_message_set(error, "every worker is busy");
  worker *w = &l->workers[request->kernel];
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!worker_start(pool, w, error)) return false;
    listen_to(w, NULL, 0); /* so that a death is not explained by what was said in an earlier case */
    if (send(w->channel, request, sizeof *request, MSG_NOSIGNAL) == sizeof *request) {
      l->busy = true;
      l->kernel = request->kernel;
      l->ticket = request->ticket;
      l->limit_s = patience * (pool->options.floor_s + pool->options.operation_s * rpp_spec_operations(&request->spec));
      l->deadline = rpp_clock_seconds() + l->limit_s;
      return true;
    }
    worker_end(pool, w, error); /* it died after its last answer, of a thread it left behind: a new one */
  }
  return rpp_message_set(error, "a worker process cannot be reached");
}

static rpp_worker_request request_make(rpp_task task, uint64_t ticket, int kernel, const rpp_spec *spec, rpp_threads threads) {
  rpp_worker_request request;
  memset(&request, 0, sizeof request);
  request.task = task;
  request.ticket = ticket;
  request.kernel = kernel;
  request.threads = threads;
  request.spec = *spec;
  request.verdict = rpp_verdict_none();
  return request;
}

bool rpp_pool_submit(rpp_pool *pool, uint64_t ticket, int kernel, const rpp_spec *spec, rpp_threads threads, rpp_message *error) {
  const rpp_worker_request request = request_make(RPP_TASK_JUDGE, ticket, kernel, spec, threads);
  return submit(pool, &request, 1, error);
}

static void died(rpp_verdict *verdict, int status) {
  if (status != -1 && WIFEXITED(status)) {
    verdict->outcome = RPP_OUTCOME_EXIT;
    verdict->exit_status = WEXITSTATUS(status);
  } else {
    verdict->outcome = RPP_OUTCOME_CRASH;
    verdict->signal = status != -1 && WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL;
  }
}

/* Takes what a lane's worker has sent, or its death, or, late, its hanging. */
static void finish(rpp_pool *pool, lane *l, bool late, rpp_worker_reply *reply) {
  worker *w = &l->workers[l->kernel];
  l->busy = false;
  if (!late && recv(w->channel, reply, sizeof *reply, MSG_DONTWAIT) == sizeof *reply && reply->ticket == l->ticket) {
    /* Who has written outside its tensors may have hit what the next case needs. */
    if (rpp_outcome_severe(reply->verdict.outcome)) worker_end(pool, w, &(rpp_message){""});
    return;
  }
  memset(reply, 0, sizeof *reply);
  reply->ticket = l->ticket;
  reply->verdict = rpp_verdict_none();
  const int status = worker_end(pool, w, &reply->verdict.message);
  if (late) {
    reply->verdict.outcome = RPP_OUTCOME_HANG;
    const rpp_message words = reply->verdict.message;
    rpp_message_set(&reply->verdict.message, "still running after %.3g s%s%s", l->limit_s, *words.text ? "; it said: " : "",
                    words.text);
  } else
    died(&reply->verdict, status);
}

static rpp_pool_event wait_for(rpp_pool *pool, double timeout_s, rpp_worker_reply *reply) {
  const double end = rpp_clock_seconds() + timeout_s;
  for (;;) {
    struct pollfd polled[LANES];
    lane *busy[LANES];
    nfds_t count = 0;
    double next = end;
    for (int i = 0; i < pool->lane_count; i++) {
      lane *l = &pool->lanes[i];
      if (!l->busy) continue;
      busy[count] = l;
      polled[count++] = (struct pollfd){.fd = l->workers[l->kernel].channel, .events = POLLIN};
      next = fmin(next, l->deadline);
    }
    if (count == 0) return RPP_POOL_IDLE;
    /* In short steps, for a signal that comes just before poll. */
    const int ready = poll(polled, count, (int)ceil(1e3 * fmin(fmax(next - rpp_clock_seconds(), 0), 0.2)));
    if (rpp_interrupt_signal() != 0) return RPP_POOL_INTERRUPTED;
    for (nfds_t i = 0; i < count; i++) {
      const bool answered = ready > 0 && polled[i].revents != 0;
      if (!answered && rpp_clock_seconds() < busy[i]->deadline) continue;
      finish(pool, busy[i], !answered, reply);
      return RPP_POOL_RESULT;
    }
    if (rpp_clock_seconds() >= end) return RPP_POOL_TIMEOUT;
  }
}

rpp_pool_event rpp_pool_wait(rpp_pool *pool, double timeout_s, uint64_t *ticket, rpp_verdict *verdict) {
  rpp_worker_reply reply;
  const rpp_pool_event event = wait_for(pool, timeout_s, &reply);
  if (event == RPP_POOL_RESULT) {
    *ticket = reply.ticket;
    *verdict = reply.verdict;
  }
  return event;
}

/* One request from start to end. When interrupted the lane's worker is ended, since its answer would come when nobody waits for it.
 * */
static bool complete(rpp_pool *pool, const rpp_worker_request *request, double patience, rpp_worker_reply *reply) {
  reply->verdict = rpp_verdict_none();
  if (!submit(pool, request, patience, &reply->verdict.message)) return false;
  if (wait_for(pool, INFINITY, reply) == RPP_POOL_RESULT) return true;
  for (int i = 0; i < pool->lane_count; i++)
    if (pool->lanes[i].busy) {
      worker_end(pool, &pool->lanes[i].workers[pool->lanes[i].kernel], &(rpp_message){""});
      pool->lanes[i].busy = false;
    }
  return false;
}

bool rpp_pool_judge(rpp_pool *pool, int kernel, const rpp_spec *spec, bool hurry, rpp_verdict *verdict) {
  const rpp_worker_request request = request_make(RPP_TASK_JUDGE, 0, kernel, spec, RPP_THREADS_EITHER);
  rpp_worker_reply reply;
  const bool judged = complete(pool, &request, hurry ? 0.25 : 1, &reply);
  *verdict = reply.verdict;
  return judged;
}

bool rpp_pool_explain(rpp_pool *pool, int kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation) {
  rpp_worker_request request = request_make(RPP_TASK_EXPLAIN, 0, kernel, spec, RPP_THREADS_ONE);
  rpp_worker_reply reply;
  if (pool->options.explain == NULL) return false;
  request.verdict = *verdict;
  if (!complete(pool, &request, EXPLAIN_PATIENCE, &reply) || !reply.explained) return false;
  *explanation = reply.explanation;
  return true;
}

bool rpp_pool_save(rpp_pool *pool, int kernel, const rpp_spec *spec, bool run, const char *path, rpp_message *error) {
  rpp_worker_request request = request_make(RPP_TASK_SAVE, 0, kernel, spec, RPP_THREADS_ONE);
  rpp_worker_reply reply;
  if (strlen(path) >= sizeof request.path) return rpp_message_set(error, "its path is too long");
  strcpy(request.path, path);
  request.run = run;
  request.verdict.outcome = RPP_OUTCOME_OUTSIDE; /* which ends the process: who fails may have spoilt it */
  if (!complete(pool, &request, EXPLAIN_PATIENCE, &reply)) return rpp_message_set(error, "%s", reply.verdict.message.text);
  if (!reply.explained)
    rpp_message_set(error, "%s",
                    *reply.explanation.text != '\0' ? reply.explanation.text : "the process that was to write it ended");
  return reply.explained;
}

const rpp_pool_options *rpp_pool_asked(const rpp_pool *pool) {
  return &pool->options;
}
