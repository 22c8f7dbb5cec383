#include "fiber.h"

#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#ifdef RPP_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef RPP_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rpp_simt {

namespace {
#ifdef RPP_SIMT_ASAN
constexpr size_t STACK = 256 << 10; // redzones
#else
constexpr size_t STACK = 64 << 10;
#endif
__thread Fiber *starting;
} // namespace

// A page that nothing may touch lies below the stack.
Fiber::Fiber() {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void *memory = mmap(nullptr, STACK + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  mprotect(memory, page, PROT_NONE);
  mapped = STACK + page;
  stack = static_cast<char *>(memory) + page;
#ifdef RPP_SIMT_TSAN
  tsan = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#ifdef RPP_SIMT_TSAN
  if (tsan) __tsan_destroy_fiber(tsan);
#endif
  if (stack) munmap(stack - (mapped - STACK), mapped);
}

// Of a fiber that was dropped half-way too.
void Fiber::prepare(void (*function)(void *), void *with) {
  entry = function, argument = with, fake = nullptr;
#ifdef RPP_SIMT_ASAN
  __asan_unpoison_memory_region(stack, STACK);
#endif
#ifdef RPP_SIMT_TSAN
  if (unfinished) {
    __tsan_destroy_fiber(tsan);
    tsan = __tsan_create_fiber(0);
  }
#endif
  unfinished = true;
}

#ifdef RPP_SIMT_UCONTEXT

void Fiber::start(void (*function)(void *), void *with) {
  prepare(function, with);
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = STACK;
  context.uc_link = nullptr;
  makecontext(&context, &Fiber::begin, 0);
}
#define SWITCH(from, to) swapcontext(&(from), &(to))

#else

// Saves the callee's registers on the stack, leaves the stack pointer in *from, and takes another's up.
extern "C" void rpp_simt_switch(void **from, void *to);
asm(R"(
.text
.p2align 4
.globl rpp_simt_switch
.hidden rpp_simt_switch
.type rpp_simt_switch, @function
rpp_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size rpp_simt_switch, . - rpp_simt_switch
)");

void Fiber::start(void (*function)(void *), void *with) {
  prepare(function, with);
  // From the top: a return address of 0, the entry that the switch returns to, six registers.
  void **top = reinterpret_cast<void **>(stack + STACK);
  *--top = nullptr;
  *--top = reinterpret_cast<void *>(&Fiber::begin);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  context = top;
}
#define SWITCH(from, to) rpp_simt_switch(&(from), (to))

#endif

void Fiber::begin() {
  starting->run();
}

void Fiber::run() {
#ifdef RPP_SIMT_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_size);
#endif
  entry(argument);
  unfinished = false;
  leave(true);
  abort(); // nobody resumes a fiber whose entry has returned
}

void Fiber::leave(bool last) {
  (void)last;
#ifdef RPP_SIMT_ASAN
  __sanitizer_start_switch_fiber(last ? nullptr : &fake, scheduler_stack, scheduler_size);
#endif
#ifdef RPP_SIMT_TSAN
  __tsan_switch_to_fiber(scheduler_tsan, __tsan_switch_to_fiber_no_sync);
#endif
  SWITCH(context, scheduler);
}

void Fiber::pause() {
  leave(false);
#ifdef RPP_SIMT_ASAN
  __sanitizer_finish_switch_fiber(fake, &scheduler_stack, &scheduler_size);
#endif
}

void Fiber::resume() {
  starting = this;
#ifdef RPP_SIMT_ASAN
  __sanitizer_start_switch_fiber(&scheduler_fake, stack, STACK);
#endif
#ifdef RPP_SIMT_TSAN
  scheduler_tsan = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan, __tsan_switch_to_fiber_no_sync);
#endif
  SWITCH(scheduler, context);
#ifdef RPP_SIMT_ASAN
  __sanitizer_finish_switch_fiber(scheduler_fake, nullptr, nullptr);
#endif
}

void Fiber::publish(void *clock) {
#ifdef RPP_SIMT_TSAN
  void *self = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan, __tsan_switch_to_fiber_no_sync);
  __tsan_release(clock);
  __tsan_switch_to_fiber(self, __tsan_switch_to_fiber_no_sync);
#endif
  (void)clock;
}

} // namespace rpp_simt
