/* private_folder.h: a folder for temporary files that is gone when this process is, however it ends. */
#ifndef RPP_PRIVATE_FOLDER_H
#define RPP_PRIVATE_FOLDER_H
#include <limits.h>
#include <sys/types.h>

#include "program/message.h"

/* Room for the folder's path, with its end, such that files in it have names that fit a path. */
enum { RPP_PRIVATE_FOLDER = PATH_MAX - 128 };

typedef struct {
  char path[RPP_PRIVATE_FOLDER]; /* absolute, without line breaks */
  int life;                      /* while this is open in any process, the folder stays */
  pid_t keeper;                  /* the process that removes it */
} rpp_private_folder;

/* Makes a folder in TMPDIR, or in /tmp, that only this user can look into, and a small process that removes it, with all that is in it,
 * once this process has called rpp_private_folder_remove or has ended. Call before this process has a second thread. False, with a
 * message, when that cannot be had. */
bool rpp_private_folder_make(rpp_private_folder *folder, rpp_message *error);

/* Returns when it is gone. */
void rpp_private_folder_remove(rpp_private_folder *folder);

#endif
