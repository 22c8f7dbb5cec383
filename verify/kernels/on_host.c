#include <string.h>

#include "kernels/kernel.h"

bool rpp_kernel_on_host(const rpp_kernel *kernel) {
  return strncmp(kernel->name, "simt:", 5) != 0 && strncmp(kernel->name, "cuda:", 5) != 0;
}
