/* null_when_full.c: in a test that is linked with it, malloc returns null when there is no room, under sanitizers too, which would end the
 * program there. */
const char *__asan_default_options(void), *__tsan_default_options(void);

const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void) {
  return __asan_default_options();
}
