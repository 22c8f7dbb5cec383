#define _DEFAULT_SOURCE /* pipe */
#include "kernels/kernel_cuda.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/device.h"
#include "kernels/kernel_simt.h"
#include "kernels/on_device.h"

static const rpp_kernel *const inner[] = {
    &rpp_kernel_cuda_rotate,
    &rpp_kernel_cuda_rotate_f16,
    &rpp_kernel_cuda_rotate_bf16,
    &rpp_kernel_cuda_rotate_hf_f32,
    &rpp_kernel_cuda_attention_f32,
    &rpp_kernel_cuda_attention_f16,
    &rpp_kernel_cuda_attention_bf16,
    &rpp_kernel_cuda_decode_f32,
    &rpp_kernel_cuda_decode_f16,
    &rpp_kernel_cuda_decode_bf16,
    &rpp_kernel_cuda_decode_paged_f32,
    &rpp_kernel_cuda_decode_paged_f16,
    &rpp_kernel_cuda_decode_paged_bf16,
};
enum { KERNELS = sizeof inner / sizeof *inner };

static rpp_kernel wrapped[KERNELS];
static const rpp_kernel *list[KERNELS + 1];

const rpp_kernel *const *rpp_kernels_cuda_built(void) {
  for (int i = 0; i < KERNELS && list[i] == NULL; i++) {
    wrapped[i] = rpp_on_device_wrap(inner[i]);
    list[i] = &wrapped[i];
  }
  return list;
}

/* In a child, which says why not through the pipe, or says nothing. */
static _Noreturn void ask(int answer) {
  rpp_message why;
  const bool present = rpp_device_present(&why);
  const size_t length = present ? 0 : strlen(why.text);
  _exit(write(answer, why.text, length) == (ssize_t)length ? !present : 2);
}

static bool present(rpp_message *why) {
  int answer[2], status = -1;
  char text[sizeof why->text] = "";
  if (pipe(answer) != 0) return rpp_message_set(why, "pipe: %s", strerror(errno));
  const pid_t child = fork();
  if (child == 0) ask(answer[1]);
  close(answer[1]);
  size_t length = 0;
  ssize_t size;
  while ((size = read(answer[0], text + length, sizeof text - 1 - length)) > 0) length += (size_t)size;
  close(answer[0]);
  if (child < 0) return rpp_message_set(why, "fork: %s", strerror(errno));
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  return rpp_message_set(why, "%s", *text != '\0' ? text : "no device: the process that asked for it died");
}

const rpp_kernel *const *rpp_kernels_cuda(rpp_message *why) {
  static const rpp_kernel *const none[] = {NULL};
  static rpp_message reason;
  static int known; /* 0: not asked yet; 1: no device; 2: one */
  if (known == 0) known = present(&reason) ? 2 : 1;
  *why = reason;
  return known == 2 ? rpp_kernels_cuda_built() : none;
}

bool rpp_kernel_cuda_around(const rpp_kernel *inner, rpp_kernel *around, rpp_message *why) {
  if (*rpp_kernels_cuda(why) == NULL) return false;
  *around = rpp_on_device_wrap(inner);
  return true;
}
