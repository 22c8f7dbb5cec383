#include "cases/guards.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases/layout.h"

/* ---- Poison -------------------------------------------------------------------------------------------------------------- */

static const unsigned char poison_word[8] = {0xfb, 0x7f, 0xfb, 0x7f, 0xfb, 0x7f, 0xfb, 0x7f};
_Static_assert(RPP_POISON == 0x7ffbu, "the bytes above");

/* The first byte that is not poison; size when all are. Blocks start at even addresses, so an address says which byte it holds. */
static size_t first_stray(const unsigned char *at, size_t size) {
  const size_t odd = (uintptr_t)at % 2;
  size_t i = 0;
  while (odd == 0 && size - i >= 8 && memcmp(at + i, poison_word, 8) == 0) i += 8;
  while (i < size && at[i] == poison_word[(i + odd) % 2]) i++;
  return i;
}

bool rpp_is_poison(const void *bytes, size_t size) {
  return first_stray(bytes, size) == size;
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------------- */

/* All of its parts, and what is between them. */
static size_t body(const rpp_block *block) {
  return (block->parts - 1) * block->step + block->room;
}

/* What of a part can be touched, and is looked after: the first's and the last's guards with them. */
typedef struct {
  unsigned char *at;
  size_t size;
} piece;

static piece piece_of(const rpp_block *block, size_t part) {
  const size_t before = part == 0 ? RPP_GUARD : 0, after = part == block->parts - 1 ? RPP_GUARD : 0;
  return (piece){rpp_block_data(block) + part * block->step - before, before + block->room + after};
}

/* Joins the list, when there is memory for it. */
static rpp_block *join(rpp_block **list, const rpp_block *made) {
  rpp_block *block = made->memory != NULL ? malloc(sizeof *block) : NULL;
  if (block == NULL) return NULL;
  *block = *made;
  rpp_block_poison(block);
  block->next = *list;
  *list = block;
  return block;
}

rpp_block *rpp_block_new(rpp_block **list, const char *name, size_t bytes) {
  if (bytes > SIZE_MAX / 2) return NULL;
  rpp_block made = {.bytes = bytes, .parts = 1, .room = (bytes + 7) / 8 * 8, .name = {name}, .output = true};
  const size_t size = made.room + 2 * RPP_GUARD,
               rounded = (size + RPP_GUARD_ALIGNMENT - 1) / RPP_GUARD_ALIGNMENT * RPP_GUARD_ALIGNMENT;
  made.memory = aligned_alloc(RPP_GUARD_ALIGNMENT, rounded);
  rpp_block *block = join(list, &made);
  if (block == NULL) free(made.memory);
  return block;
}

rpp_block *rpp_block_new_sparse(rpp_block **list, const char *name, size_t parts, size_t step, size_t part) {
  rpp_block made = {.parts = parts, .step = step, .name = {name}, .output = true};
  if (!rpp_sparse_map(parts, step, part, RPP_GUARD, &made.map)) return NULL;
  made.bytes = (parts - 1) * step + part;
  made.room = rpp_sparse_pages(part);
  made.memory = made.map.first - RPP_GUARD;
  rpp_block *block = join(list, &made);
  if (block == NULL) rpp_sparse_unmap(&made.map);
  return block;
}

void rpp_blocks_free(rpp_block *list) {
  while (list != NULL) {
    rpp_block *next = list->next;
    rpp_sparse_unmap(&list->map);
    if (list->map.reserved == NULL) free(list->memory);
    free(list);
    list = next;
  }
}

unsigned char *rpp_block_data(const rpp_block *block) {
  return block->memory + RPP_GUARD;
}

void rpp_block_add(rpp_block *block, const char *name, rpp_tensor *t) {
  t->data = rpp_block_data(block);
  block->name[block->count] = name;
  block->tensor[block->count++] = *t;
}

void rpp_block_poison(rpp_block *block) {
  for (size_t n = 0; n < block->parts; n++) {
    const piece p = piece_of(block, n);
    for (size_t i = 0; i < p.size; i += 8) memcpy(p.at + i, poison_word, 8);
  }
}

/* Four sums side by side, each step of which can be undone: a change of one word always shows. */
static uint64_t checksum(const rpp_block *block) {
  const uint64_t odd = 0x9e3779b97f4a7c15u;
  uint64_t sum[4] = {1, 2, 3, 4}, word;
  for (size_t n = 0; n < block->parts; n++) {
    const piece p = piece_of(block, n);
    for (size_t i = 0; i < p.size / 8; i++) {
      memcpy(&word, p.at + 8 * i, sizeof word);
      uint64_t *s = &sum[i % 4];
      *s = (*s ^ word) * odd;
      *s ^= *s >> 29;
    }
  }
  return ((sum[0] * odd ^ sum[1]) * odd ^ sum[2]) * odd ^ sum[3];
}

void rpp_block_seal(rpp_block *block) {
  block->output = false;
  block->checksum = checksum(block);
}

bool rpp_block_sealed(const rpp_block *block) {
  return block->output || block->checksum == checksum(block);
}

/* ---- What was written where it should not be ----------------------------------------------------------------------------- */

/* The first byte of a step of t that is neither an element's nor poison; size when there is none. order: the steps still to
 * come. */
static size_t stray_between(const rpp_tensor *t, const int *order, int left, const unsigned char *at, size_t size) {
  const size_t item = rpp_dtype_size(t->dtype);
  size_t used = item;
  if (left > 0) {
    const int64_t count = t->shape[*order];
    const size_t step = (size_t)t->strides[*order] * item;
    used = (size_t)count * step;
    size_t dense = item; /* what the steps inside take when there are no gaps */
    for (int i = 1; i < left; i++) dense *= (size_t)t->shape[order[i]];
    for (int64_t n = 0; n < count && dense < step; n++) {
      const size_t found = stray_between(t, order + 1, left - 1, at + (size_t)n * step, step);
      if (found < step) return (size_t)n * step + found;
    }
  }
  return used + first_stray(at + used, size - used);
}

static size_t first_stray_of_output(const rpp_block *block) {
  const unsigned char *data = rpp_block_data(block);
  if (block->count == 0) return block->bytes + first_stray(data + block->bytes, body(block) - block->bytes);
  const rpp_tensor *t = &block->tensor[0];
  const int outer = block->parts > 1; /* the dimension that parts are of */
  int order[RPP_MAX_DIMS];
  rpp_layout_order(t, order);
  const size_t start = (size_t)t->byte_offset, before = first_stray(data, start);
  if (before < start) return before;
  for (size_t n = 0; n < block->parts; n++) {
    const size_t at = n * block->step + start;
    const size_t found = stray_between(t, order + outer, t->ndim - outer, data + at, block->room - start);
    if (found < block->room - start) return at + found;
  }
  return body(block);
}

/* Of two blocks of one shape; body when there is none. */
static size_t first_difference(const rpp_block *block, const rpp_block *other) {
  for (size_t n = 0; n < block->parts; n++) {
    const unsigned char *a = rpp_block_data(block) + n * block->step, *b = rpp_block_data(other) + n * block->step;
    size_t i = 0;
    while (block->room - i >= 64 && memcmp(a + i, b + i, 64) == 0) i += 64;
    while (i < block->room && a[i] == b[i]) i++;
    if (i < block->room) return n * block->step + i;
  }
  return body(block);
}

static bool between(const rpp_block *block, size_t at, rpp_message *error) {
  int64_t index[RPP_MAX_DIMS];
  for (int n = 0; n < block->count; n++) {
    const rpp_tensor *t = &block->tensor[n];
    if (!rpp_layout_find(t, (int64_t)at, index)) continue;
    char text[RPP_MAX_DIMS * 24] = "";
    for (int d = 0, used = 0; d < t->ndim; d++)
      used += snprintf(text + used, sizeof text - (size_t)used, "%s%" PRId64, d == 0 ? "" : ", ", index[d]);
    return rpp_message_set(error, "%s: the input itself was written to, first at element (%s)", block->name[n], text);
  }
  return rpp_message_set(error, "%s: written between its elements, %zu bytes from its start", block->name[0], at);
}

/* How far before the data something was written, the nearest first; 0 when nothing was. */
static size_t stray_before(const rpp_block *block) {
  if (rpp_is_poison(block->memory, RPP_GUARD)) return 0;
  const unsigned char *data = rpp_block_data(block);
  size_t distance = 1;
  while (data[-(ptrdiff_t)distance] == poison_word[distance % 2]) distance++;
  return distance;
}

bool rpp_block_intact(const rpp_block *block, const rpp_block *as_new, rpp_message *error) {
  const unsigned char *data = rpp_block_data(block);
  const size_t size = body(block), before = stray_before(block), after = first_stray(data + size, RPP_GUARD);
  const size_t stray = block->output ? first_stray_of_output(block) : size;
  if (before > 0) return rpp_message_set(error, "%s: written before its memory, %zu bytes from it", block->name[0], before);
  if (stray < size && block->count > 0) return between(block, stray, error);
  if (stray < size || after < RPP_GUARD)
    return rpp_message_set(error, "%s: written after its memory, %zu bytes past its end",
                           block->name[block->count > 1 ? block->count - 1 : 0],
                           (stray < size ? stray : size + after) - block->bytes);
  if (rpp_block_sealed(block)) return true;
  const size_t changed = as_new == NULL ? size : first_difference(block, as_new);
  return changed < size ? between(block, changed, error)
                        : rpp_message_set(error, "%s: the input itself, or its gaps, were written to", block->name[0]);
}
