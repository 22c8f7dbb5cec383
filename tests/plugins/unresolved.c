/* unresolved.c: a library that cannot be loaded, since nobody has what it calls. */
int nobody_has_this(void);
int calls_it(void);

int calls_it(void) {
  return nobody_has_this();
}
