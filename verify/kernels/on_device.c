#include "kernels/on_device.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/device.h"

rpp_on_device_settings rpp_on_device = {.most = (size_t)1 << 30};

enum {
  PLACES = 16,
  ALIGNMENT = 256, /* a place keeps its host address modulo this */
  GUARD = 65536,   /* on either side; also the gap from which on memory between elements may be missing on the host (sparse.h) */
  FILLED = 0xff    /* NaN in every floating dtype */
};

/* A tensor's memory from its lowest element to its highest: `parts` pieces, each `step` bytes after the one before. */
typedef struct {
  size_t parts, step, part;
} span;

typedef struct {
  const char *name;
  char *room;    /* where its guard begins */
  size_t before; /* guard, and what keeps the alignment */
  span bytes;
  char *host; /* null: it is on the device alone */
  bool output;
} place;

/* What the case under way has on the device; a process judges one at a time. */
static place places[PLACES];
static int place_count;
static rpp_message message;

static bool complain(const char **reason) {
  *reason = message.text;
  return false;
}

/* ---- Spans -------------------------------------------------------------------------------------------------------------- */

static size_t whole(const span *s) {
  return s->parts == 0 ? 0 : (s->parts - 1) * s->step + s->part;
}

/* By the largest step, where that leaves a gap in which there may be no memory. */
static span span_of(const rpp_tensor *t) {
  const size_t size = rpp_dtype_size(t->dtype);
  span s = {1, 0, size};
  int far = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (t->shape[d] == 0) return (span){0, 0, 0};
    if (llabs(t->strides[d]) * (t->shape[d] > 1) > llabs(t->strides[far]) * (t->shape[far] > 1)) far = d;
  }
  for (int d = 0; d < t->ndim; d++)
    if (d != far) s.part += (size_t)(t->shape[d] - 1) * (size_t)llabs(t->strides[d]) * size;
  s.parts = t->ndim > 0 ? (size_t)t->shape[far] : 1;
  s.step = t->ndim > 0 ? (size_t)llabs(t->strides[far]) * size : 0;
  if (s.parts > 1 && s.step >= s.part + GUARD) return s;
  return (span){1, 0, whole(&s)};
}

static char *lowest(const rpp_tensor *t) {
  int64_t offset = 0;
  for (int d = 0; d < t->ndim; d++)
    if (t->strides[d] < 0) offset += t->strides[d] * (t->shape[d] - 1);
  return (char *)t->data + (int64_t)t->byte_offset + offset * (int64_t)rpp_dtype_size(t->dtype);
}

/* ---- Places ------------------------------------------------------------------------------------------------------------- */

static char *start_of(const place *p) {
  return p->room + p->before;
}

static size_t guard(void) {
  return rpp_on_device.bare ? 0 : GUARD;
}

/* Null, with a message, when there is no room. */
static place *new_place(const char *name, const span *bytes, char *host, bool output) {
  const size_t before = guard() + (uintptr_t)host % ALIGNMENT, size = before + whole(bytes) + guard();
  char *room = place_count < PLACES ? rpp_device_alloc(size, rpp_on_device.bare) : NULL;
  if (room == NULL) {
    rpp_message_set(&message, "%s: %zu bytes: too little memory on the device", name, size);
    return NULL;
  }
  if (!rpp_on_device.bare) rpp_device_fill(room, FILLED, size);
  places[place_count] = (place){name, room, before, *bytes, host, output};
  return &places[place_count++];
}

void *rpp_on_device_room(const char *name, size_t bytes) {
  const place *p = new_place(name, &(span){1, 0, bytes}, NULL, true);
  return p != NULL ? start_of(p) : NULL;
}

/* *there: t with the device's pointer, its data copied. A null t: null there. */
static bool bring(const char *name, const rpp_tensor *t, bool output, rpp_tensor *there, const rpp_tensor **pointer) {
  if (pointer) *pointer = t ? there : NULL;
  if (t == NULL) return true;
  const span bytes = span_of(t);
  char *host = lowest(t);
  const place *p = new_place(name, &bytes, host, output);
  if (p == NULL) return false;
  for (size_t n = 0; n < bytes.parts; n++) rpp_device_write(start_of(p) + n * bytes.step, host + n * bytes.step, bytes.part);
  *there = *t;
  there->data = (void *)((uintptr_t)start_of(p) - ((uintptr_t)host - (uintptr_t)t->data));
  return true;
}

/* ---- After the kernel --------------------------------------------------------------------------------------------------- */

/* Whether the size bytes on the device are as they were filled. *at: the first that is not. */
static bool untouched(const char *device, size_t size, size_t *at) {
  static unsigned char bytes[GUARD + ALIGNMENT];
  rpp_device_read(bytes, device, size);
  for (*at = 0; *at < size; ++*at)
    if (bytes[*at] != FILLED) return false;
  return true;
}

static bool guards_hold(const place *p) {
  size_t at;
  if (!untouched(p->room, p->before, &at))
    return rpp_message_set(&message, "%s: written before its memory on the device, %zu bytes from it", p->name, p->before - at);
  if (!untouched(start_of(p) + whole(&p->bytes), guard(), &at))
    return rpp_message_set(&message, "%s: written after its memory on the device, %zu bytes past its end", p->name, at);
  return true;
}

static bool input_holds(const place *p, size_t offset, size_t size) {
  unsigned char *bytes = malloc(size);
  if (bytes == NULL) return rpp_message_set(&message, "memory is out");
  rpp_device_read(bytes, start_of(p) + offset, size);
  size_t at = 0;
  while (at < size && bytes[at] == (unsigned char)p->host[offset + at]) at++;
  free(bytes);
  return at == size || rpp_message_set(&message,
                                       "%s: the input itself, or its gaps, were written to on the device, %zu bytes from its "
                                       "start",
                                       p->name, offset + at);
}

/* Brings outputs back, gaps and all. False, with a message, when the kernel wrote where it must not. */
static bool take_back(void) {
  bool good = true;
  for (int i = 0; i < place_count; i++) {
    const place *p = &places[i];
    for (size_t n = 0; p->host != NULL && n < p->bytes.parts; n++) {
      const size_t offset = n * p->bytes.step;
      if (p->output)
        rpp_device_read(p->host + offset, start_of(p) + offset, p->bytes.part);
      else
        good = good && input_holds(p, offset, p->bytes.part);
    }
    good = good && (rpp_on_device.bare || guards_hold(p));
  }
  return good;
}

static void leave(void) {
  rpp_device_free_all();
  place_count = 0;
}

static int finish(const rpp_kernel *inner, int status, const char **reason) {
  rpp_device_finish(inner->name);
  if (status == 0 && !take_back()) {
    complain(reason);
    status = RPP_KERNEL_OUTSIDE;
  }
  leave();
  return status;
}

static int no_room(const char **reason) {
  complain(reason);
  leave();
  return 1;
}

/* ---- The kernel --------------------------------------------------------------------------------------------------------- */

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_kernel *inner = kernel->data;
  const rpp_attention_inputs *in = problem->inputs;
  const rpp_tensor *const tensors[] = {in->q, in->k, in->v, problem->out, problem->lse};
  double sum = 0;
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
    const span s = tensors[i] ? span_of(tensors[i]) : (span){0, 0, 0};
    sum += (double)whole(&s);
  }
  if (sum > (double)rpp_on_device.most) return "its tensors span more memory than is given to a case on the device";
  return inner->supports(inner, problem);
}

static int rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                  rpp_tensor *y, const char **reason) {
  const rpp_kernel *inner = kernel->data;
  const bool in_place = x->data == y->data && x->byte_offset == y->byte_offset;
  rpp_tensor from, positions, to;
  if (!bring("pos", pos, false, &positions, NULL) || !bring("y", y, true, &to, NULL)) return no_room(reason);
  if (in_place)
    from = to;
  else if (!bring("x", x, false, &from, NULL))
    return no_room(reason);
  return finish(inner, inner->rotate(inner, rotary, part, &from, &positions, &to, reason), reason);
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *workspace, const char **reason) {
  const rpp_kernel *inner = kernel->data;
  const rpp_kernel_problem problem = {attention, inputs, out, lse};
  rpp_tensor q, k, v, pos_q, pos_k, cu_q, cu_k, out_there, lse_there;
  rpp_attention_inputs there;
  (void)workspace; /* the host's: none was asked for */
  const size_t bytes = inner->workspace ? inner->workspace(inner, &problem) : 0;
  void *room = NULL;
  const bool ready =
      bring("q", inputs->q, false, &q, &there.q) && bring("k", inputs->k, false, &k, &there.k) &&
      bring("v", inputs->v, false, &v, &there.v) && bring("pos_q", inputs->pos_q, false, &pos_q, &there.pos_q) &&
      bring("pos_k", inputs->pos_k, false, &pos_k, &there.pos_k) && bring("cu_q", inputs->cu_q, false, &cu_q, &there.cu_q) &&
      bring("cu_k", inputs->cu_k, false, &cu_k, &there.cu_k) && bring("out", out, true, &out_there, NULL) &&
      bring("lse", lse, true, &lse_there, NULL) && (bytes == 0 || (room = rpp_on_device_room("workspace", bytes)) != NULL);
  if (!ready) return no_room(reason);
  return finish(inner, inner->forward(inner, attention, &there, out ? &out_there : NULL, lse ? &lse_there : NULL, room, reason),
                reason);
}

rpp_kernel rpp_on_device_wrap(const rpp_kernel *inner) {
  rpp_kernel kernel = *inner;
  kernel.data = inner;
  kernel.supports = supports;
  kernel.workspace = NULL;
  kernel.rotate = inner->rotate ? rotate : NULL;
  kernel.forward = inner->forward ? forward : NULL;
  return kernel;
}
