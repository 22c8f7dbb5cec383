// block.h: a block while it runs: its threads, who waits for what, and how it ends. Internal to the runtime.
#ifndef RPP_SIMT_BLOCK_H
#define RPP_SIMT_BLOCK_H
#include "async.h"
#include "fiber.h"
#include "simt.h"

#include <memory>
#include <vector>

namespace rpp_simt {

constexpr unsigned WARP = 32, NAMED = 16;

#ifdef RPP_SIMT_TSAN
extern "C" void AnnotateIgnoreWritesBegin(const char *, int);
extern "C" void AnnotateIgnoreWritesEnd(const char *, int);
// While it lives ThreadSanitizer takes no notice of what the runtime itself allocates, frees and copies. Nothing may fail meanwhile.
struct Unseen {
  Unseen() { AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
  ~Unseen() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__); }
};
#else
struct Unseen {
  Unseen() {}
};
#endif

// What a thread waits for, by the name that reports use.
enum class Wait { nothing, block, named, mbarrier, warp, exit };

// A copy that is under way; group: how many groups its thread had committed before it.
struct Copy {
  char *shared;
  const char *global;
  size_t size, valid;
  uint64_t group;
  Site site;
};

struct Block;

struct Thread {
  Identity identity;
  Block *block;
  Fiber *fiber;
  unsigned index, lane;
  Wait wait;
  Site site;             // of the wait
  const char *operation; // of a wait in a warp: its name, which is its kind
  unsigned mask;         // and the lanes it names
  void *argument;        // and what it brings
  unsigned barrier;      // of a wait at a named barrier
  std::vector<Copy> copies;
  uint64_t groups;
  Issued issued;
};

// What the lanes of a warp that wait for others have in common, so that one comparison tells that a newcomer fits.
struct Warp {
  unsigned waiting, exited; // lanes
  bool alike;               // all that wait, wait as the first of them does
  const Thread *first;
};

struct Named {
  unsigned arrived, threads; // threads: what the first to arrive expects; 0: nobody has
};

struct Launch {
  const char *kernel;
  dim3 grid, dim;
  size_t shared;
  uint64_t seed;
  void (*body)(void *);
  void *argument;
};

struct Block {
  const Launch *launch;
  std::vector<std::unique_ptr<Fiber>>
      fibers; // two sets of threads in turn under ThreadSanitizer, so that neighbouring blocks can race
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<unsigned> runnable;
  Named named[NAMED];
  unsigned arrived, exited;
  uint64_t random;
  char *shared, *allocated;
  std::vector<unsigned char> in_flight; // for every 4 bytes of shared memory: copies under way to it
  std::vector<char> clocks;             // ThreadSanitizer's, one for each block
  char *clock;
  Engines engines;
  bool failed;
  char report[REPORT];

  bool prepare(const Launch *l, uint64_t blocks);
  void run(uint64_t number);

  // Of the thread that runs.
  void yield(Thread &t);           // it may go on at once
  void wait(Thread &t, Wait what); // until somebody wakes it
  void wake(Thread &t);
  uint64_t next_random();
  [[noreturn]] void fail(const Thread &t, Site site, const char *format, ...) __attribute__((format(printf, 4, 5)));
  void report_end(const Thread &t, Site site, const char *what); // when no thread is left to run

private:
  void describe(const Thread &t, char *text, size_t size) const;
  void deadlock();
  void finish_shared();
  void exit(Thread &t);
  static void enter(void *thread);
};

extern __thread Thread *current;

// All lanes of mask meet; the last to come calls complete(warp's threads, mask, this thread), and then all go on.
void meet(const char *operation, unsigned mask, void *argument, Site site, void (*complete)(Block &, Thread *, unsigned));

// In flight: whether a copy to these bytes is under way.
bool in_flight(const Block &b, const void *at, size_t bytes);
void mark_in_flight(Block &b, char *at, size_t bytes, int by); // by 1: one more, -1: one less
bool in_shared(const Block &b, const void *at, size_t bytes);

// "(1, 0, 0)" into text, which is returned.
struct Text {
  char text[48];
};
Text text_of(const dim3 &d);

} // namespace rpp_simt
#endif
