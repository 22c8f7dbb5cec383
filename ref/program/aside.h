/* aside.h: files that are either written whole or not at all: beside their old version, then renamed over it. */
#ifndef RPP_ASIDE_H
#define RPP_ASIDE_H

#include <limits.h>
#include <stdio.h>

#include "program/message.h"

typedef struct {
  FILE *file; /* to be written; null when it could not be opened */
  char target[PATH_MAX], aside[PATH_MAX];
} rpp_aside;

/* Opens a new file beside the one that path stands for, links followed. False, with a message, when path is no name for a regular file
 * or its folder does not let itself be written. */
bool rpp_aside_open(rpp_aside *aside, const char *path, rpp_message *error);

/* Puts what was written in place. False, with a message, when any of it did not reach the disk: the old version then stays. */
bool rpp_aside_commit(rpp_aside *aside, rpp_message *error);

/* Forgets what was written; nothing after a commit. */
void rpp_aside_drop(rpp_aside *aside);

/* From here on SIGHUP, SIGINT and SIGTERM, where they are not ignored, remove what is being written aside before they end the program. */
void rpp_aside_clean_on_signals(void);

/* Makes a folder and those above it that are missing. False, with a message, when it cannot be made or written to. */
bool rpp_folder_make(const char *folder, rpp_message *error);

#endif
