/* interrupt.h: Ctrl-C, and the SIGTERM of a scheduler whose time is up, as something to be asked about. */
#ifndef RPP_INTERRUPT_H
#define RPP_INTERRUPT_H

/* From now on SIGINT and SIGTERM are only noted, and wake poll; a second one ends the program as usual. Also where they were
 * ignored, as in a shell's background jobs: who sends one means it. */
void rpp_interrupt_catch(void);

/* As before rpp_interrupt_catch. */
void rpp_interrupt_release(void);

/* The signal that has arrived since rpp_interrupt_catch, or 0. */
int rpp_interrupt_signal(void);

#endif
