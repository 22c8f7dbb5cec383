/* shell.h: arguments as a shell reads them. */
#ifndef RPP_SHELL_H
#define RPP_SHELL_H

/* Appends an argument to a line such that a shell reads it back as it is. It takes at most four times its length and two more characters. */
void rpp_shell_append(const char *argument, char *line);

#endif
