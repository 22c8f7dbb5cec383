/* answering.c: a program for `ropepp-verify exec` that answers by the truth, and does one thing wrong if its first argument says so:
 *   answering MODE IN OUT    one case
 *   answering MODE           each line's case */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/case.h"
#include "files/safetensors_write.h"

static const char *mode;

static bool is(const char *name) {
  return strcmp(mode, name) == 0;
}

static rpp_tensor room(rpp_dtype dtype, int ndim, const int64_t *shape) {
  rpp_tensor t;
  int64_t elements = 1;
  for (int d = 0; d < ndim; d++) elements *= shape[d];
  if (rpp_tensor_contiguous(calloc((size_t)elements + 1, 8), dtype, ndim, shape, &t) != RPP_OK || t.data == NULL) exit(90);
  return t;
}

static void write_results(const rpp_case *c, const char *path) {
  const rpp_tensor *q = c->inputs.q, *v = c->inputs.v;
  const int64_t wide[] = {q->shape[0], q->shape[1], c->counts.output, v->shape[3]}, flat[] = {wide[0], wide[2], wide[1]};
  const int64_t swapped[] = {wide[0], wide[2], wide[1], wide[3]}, first[RPP_MAX_DIMS] = {0};
  rpp_tensor out = room(is("dtype") ? RPP_F64 : q->dtype, 4, wide), lse = room(q->dtype == RPP_F64 ? RPP_F64 : RPP_F32, 3, flat);
  rpp_message error;
  if (rpp_attention_forward(&c->attention, &c->inputs, NULL, &out, &lse) != RPP_OK) exit(91);
  if (is("nan") && wide[0] * wide[1] > 0) rpp_tensor_set(&out, first, NAN);
  if (is("wrong") && wide[0] * wide[1] > 0) rpp_tensor_set(&out, first, rpp_tensor_get(&out, first) + 1);
  if (is("axes")) memcpy(out.shape, swapped, sizeof swapped), rpp_tensor_contiguous(out.data, out.dtype, 4, swapped, &out);
  const rpp_safetensors_entry all[] = {{is("missing") ? "k_rot" : "out", &out}, {"lse", &lse}};
  if (!rpp_safetensors_write(path, 0, NULL, is("no-lse") ? 1 : 2, all, &error)) fprintf(stderr, "%s\n", error.text), exit(92);
  free(out.data);
  free(lse.data);
}

static void spoil(const char *path) {
  struct stat status;
  if (is("truncated") && (stat(path, &status) != 0 || truncate(path, status.st_size - 3) != 0)) exit(93);
  if (is("large") && truncate(path, 1L << 40) != 0) exit(94);
  if (is("silent")) unlink(path);
  if (!is("garbage") && !is("fifo")) return;
  unlink(path);
  if (is("fifo") && mkfifo(path, 0600) == 0) return;
  FILE *file = fopen(path, "w");
  if (file == NULL || fputs("hello", file) < 0 || fclose(file) != 0) exit(95);
}

/* False for a case it declines. */
static bool answer(const char *in, const char *out) {
  rpp_safetensors *file;
  rpp_case c;
  rpp_message error;
  if (!rpp_safetensors_load(in, &file, &error) || !rpp_case_read(file, &c, &error)) fprintf(stderr, "%s\n", error.text), exit(96);
  const bool declines = is("declines") && c.attention.mask == RPP_MASK_WINDOW;
  fprintf(stderr, "a case was read\n\x1b[31mand now for\nthe answer (0x7f12ab)\n");
  if (is("crash")) abort();
  if (is("exit")) exit(5);
  if (is("hang"))
    for (;;) sleep(1);
  if (!declines) write_results(&c, out);
  if (!declines) spoil(out);
  rpp_safetensors_free(file);
  return !declines;
}

int main(int argc, char **argv) {
  static char line[8192], path[8200], last[8200];
  mode = argc > 1 ? argv[1] : "";
  if (argc > 3) {
    if (answer(argv[2], argv[3])) return 0;
    fprintf(stderr, "no windows\n");
    return 77;
  }
  if (is("early")) printf("ready\n"), fflush(stdout);
  for (int n = 0; fgets(line, sizeof line, stdin) != NULL; n++) {
    line[strcspn(line, "\n")] = '\0';
    snprintf(path, sizeof path, "%s.answer", line);
    if (is("stale") && getenv("STALE") != NULL) snprintf(path, sizeof path, "%s", getenv("STALE"));
    const bool writes = !(is("previous") || is("stale")) || n == 0, answered = !writes || answer(line, path);
    if (is("previous") && n > 0) strcpy(path, last);
    strcpy(last, path);
    if (is("loud")) printf("loading\n");
    if (is("endless"))
      for (int i = 0; i < 5000; i++) putchar('x');
    if (is("zero")) putchar('\0');
    if (!answered)
      printf("unsupported: no windows\n");
    else if (is("error"))
      printf("error: not today\n");
    else
      printf("%s\n", is("empty") ? "" : path);
    fflush(stdout);
    if (is("quits")) return 0;
    if (is("dies")) _exit(9);
  }
  return 0;
}
