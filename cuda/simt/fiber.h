// fiber.h: one CUDA thread's stack and where it stands, and the switch between it and the scheduler of its system thread. AddressSanitizer and
// ThreadSanitizer are told of every switch.
#ifndef RPP_SIMT_FIBER_H
#define RPP_SIMT_FIBER_H
#include <cstddef>

#ifndef RPP_SIMT_UCONTEXT
#if !defined(__x86_64__)
#define RPP_SIMT_UCONTEXT 1
#endif
#endif
#ifdef RPP_SIMT_UCONTEXT
#include <ucontext.h>
#endif

// Which sanitizer the kernels are built with. The runtime itself is not instrumented for threads, so the build says it.
#if defined(__SANITIZE_ADDRESS__)
#define RPP_SIMT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RPP_SIMT_ASAN 1
#endif
#endif

namespace rpp_simt {

class Fiber {
public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;
  bool ready() const { return stack != nullptr; } // false: no memory for its stack

  // Makes the fiber begin with entry(argument) when it is next resumed; whatever it was doing is dropped.
  void start(void (*entry)(void *), void *argument);

  void resume(); // by the scheduler: runs the fiber until it pauses or its entry returns
  void pause();  // by the fiber: back to the scheduler
  void
  publish(void *clock); // for ThreadSanitizer, by the scheduler: what the fiber has done is known to whoever acquires the clock

private:
  static void begin();
  void prepare(void (*entry)(void *), void *argument);
  [[noreturn]] void run();
  void leave(bool last);

  char *stack = nullptr;
  size_t mapped = 0;
  [[maybe_unused]] bool unfinished = false;
  void (*entry)(void *) = nullptr;
  void *argument = nullptr;
  // AddressSanitizer's
  [[maybe_unused]] void *fake = nullptr, *scheduler_fake = nullptr;
  [[maybe_unused]] const void *scheduler_stack = nullptr;
  [[maybe_unused]] size_t scheduler_size = 0;
  // ThreadSanitizer's
  [[maybe_unused]] void *tsan = nullptr, *scheduler_tsan = nullptr;
#ifdef RPP_SIMT_UCONTEXT
  ucontext_t context, scheduler;
#else
  void *context = nullptr, *scheduler = nullptr; // stack pointers
#endif
};

} // namespace rpp_simt
#endif
