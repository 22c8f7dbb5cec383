#include "workers/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static volatile sig_atomic_t arrived;
static struct sigaction old_int, old_term;
static bool caught;

static void note(int number) {
  arrived = number;
}

void rpp_interrupt_catch(void) {
  struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND | SA_RESTART}; /* poll is never restarted */
  if (caught) return;
  arrived = 0;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_int);
  sigaction(SIGTERM, &action, &old_term);
  caught = true;
}

void rpp_interrupt_release(void) {
  if (!caught) return;
  sigaction(SIGINT, &old_int, NULL);
  sigaction(SIGTERM, &old_term, NULL);
  caught = false;
}

int rpp_interrupt_signal(void) {
  return arrived;
}
