#include "figure.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool rpp_figure_open(rpp_figure *figure, int width, int height, rpp_message *error) {
  figure->script = tmpfile();
  if (figure->script == NULL) return rpp_message_set(error, "a temporary file: %s", strerror(errno));
  fprintf(figure->script,
          "set terminal svg size %d,%d dynamic enhanced background rgb 'white' font 'Helvetica,Arial,sans-serif,14' linewidth 1.5\n"
          "set border 3 lc rgb '#404040'\nset tics nomirror out\nset grid lc rgb '#d9d9d9' lw 0.6\n"
          "set key samplen 2 spacing 1.1\nset encoding utf8\n",
          width, height);
  return true;
}

int rpp_figure_title_size(const char *text, int width) {
  const double size = width / (0.62 * (double)(strlen(text) + 1)); /* sans-serif letters are about 0.6 of their size wide */
  return size < 14 ? (int)size : 14;
}

/* gnuplot reading from script and writing to file; what it says of errors goes to complaints. */
static int spawn_gnuplot(FILE *script, FILE *file, FILE *complaints, pid_t *pid) {
  posix_spawn_file_actions_t actions;
  char *const arguments[] = {(char *)"gnuplot", (char *)"-d", NULL};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(file), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(complaints), STDERR_FILENO);
  const int failed = posix_spawnp(pid, "gnuplot", &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

/* The first line of the complaints that says something. */
static void first_complaint(FILE *complaints, char *line, int size) {
  rewind(complaints);
  while (fgets(line, size, complaints) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (line[strspn(line, " \t^")] != '\0') return;
  }
  strcpy(line, "no reason given");
}

static bool run(rpp_figure *figure, FILE *file, rpp_message *error) {
  char line[160];
  pid_t pid;
  int status = 0;
  FILE *complaints = tmpfile();
  if (complaints == NULL) return rpp_message_set(error, "a temporary file: %s", strerror(errno));
  if (fflush(figure->script) != 0 || lseek(fileno(figure->script), 0, SEEK_SET) != 0 || ferror(figure->script)) {
    fclose(complaints);
    return rpp_message_set(error, "gnuplot's script cannot be written: %s", strerror(errno));
  }
  const int failed = spawn_gnuplot(figure->script, file, complaints, &pid);
  bool good = failed == 0 || rpp_message_set(error, "no picture is drawn: gnuplot: %s", strerror(failed));
  if (good) {
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!good) {
      first_complaint(complaints, line, sizeof line);
      rpp_message_set(error, "gnuplot: %s", line);
    }
  }
  fclose(complaints);
  return good;
}

bool rpp_figure_draw(rpp_figure *figure, const char *folder, const char *name, rpp_message *error) {
  char path[PATH_MAX];
  rpp_aside aside;
  rpp_message why;
  bool good =
      rpp_folder_make(folder, &why) &&
      (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path || rpp_message_set(&why, "is too long a name")) &&
      rpp_aside_open(&aside, path, &why);
  if (!good)
    rpp_message_set(error, "%.120s/%s %s", folder, name, why.text);
  else if (!(good = run(figure, aside.file, error)))
    rpp_aside_drop(&aside);
  else if (!(good = rpp_aside_commit(&aside, &why)))
    rpp_message_set(error, "%.120s/%s %s", folder, name, why.text);
  fclose(figure->script);
  return good;
}
