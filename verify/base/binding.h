/* binding.h: which CPUs the main thread may use. */
#ifndef RPP_BINDING_H
#define RPP_BINDING_H

/* Call first in main. With OMP_PROC_BIND an OpenMP runtime binds the main thread to its first place, GNU's before main is called, and
 * what is started from it, by fork or exec, would be left with that place alone. Gives the main thread all places again; OpenMP's other threads
 * stay where they are bound. Does nothing where nothing is bound. */
void rpp_binding_undo(void);

#endif
