// conformance*.cu: each wrapper on the device does, bit for bit, what its host twin does in the SIMT runtime. 77 where there is no device.
#include "conformance_input.h"

#include <cstdio>

static int failures, passed, skipped;

static void compare(const char *name, const Bytes &simt, const Bytes &device) {
  size_t i = 0;
  while (i < simt.size() && simt[i] == device[i]) i++;
  if (i == simt.size()) return void(passed++);
  printf("%s: byte %zu of %zu is %d on the device, %d in the SIMT runtime\n", name, i, simt.size(), device[i], simt[i]);
  failures++;
}

static void failed(const char *name, const char *report) {
  printf("%s: %s\n", name, report);
  failures++;
}

int main() {
  char report[512] = "";
  const int capability = rpp_cuda_target::device_capability();
  if (capability == 0) return puts("no device"), 77;
  for (const rpp_conformance &c : RPP_CONFORMANCES) {
    if (c.sm_90a && capability != 90) {
      skipped++;
      continue;
    }
    const Bytes in = conformance_input(c);
    Bytes simt(c.out), device(c.out);
    if (!rpp_simt_target::conform(c.name, in.data(), simt.data(), nullptr, report) ||
        !rpp_cuda_target::conform(c.name, in.data(), device.data(), nullptr, report))
      failed(c.name, report);
    else
      compare(c.name, simt, device);
  }
  int number = 0;
  for (const rpp_conformance_wgmma &c : CONFORMANCE_WGMMA) {
    const int n = number++;
    if (capability != 90) {
      skipped++;
      continue;
    }
    const Bytes in = conformance_input(c);
    Bytes simt(static_cast<size_t>(c.n) * 256), device(static_cast<size_t>(c.n) * 256);
    if (!rpp_simt_target::conform_wgmma(n, in.data(), simt.data(), nullptr, report) ||
        !rpp_cuda_target::conform_wgmma(n, in.data(), device.data(), nullptr, report))
      failed(c.name, report);
    else
      compare(c.name, simt, device);
  }
  printf("compute capability %d.%d: %d passed, %d failed, %d skipped: they need 9.0\n", capability / 10, capability % 10, passed,
         failures, skipped);
  return failures > 0;
}
