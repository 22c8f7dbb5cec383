/* shell.h: commands as a user types them, for tests of whole programs. */
#ifndef SHELL_H
#define SHELL_H

/* A folder of the test program's own, and what both streams of the last command wrote. */
extern char shell_folder[];
extern char *shell_out;

/* A checked fixture: makes the folder, and takes it away. */
void shell_setup(void);
void shell_teardown(void);

/* Runs a shell command in which $PROGRAM is the program of the environment's variable, which is required, and $DIR the folder; its exit
 * status, or 1000 when a signal ended it. */
__attribute__((format(printf, 2, 3))) int shell_run(const char *variable, const char *format, ...);

/* Fails the test unless the part is in shell_out, or is not. */
void shell_holds(const char *part);
void shell_lacks(const char *part);

/* The command in the first replay line of shell_out, with $PROGRAM in place of the program's name; to be freed. */
char *shell_replay_line(void);

#endif
