#include "files/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_exactly(int fd, unsigned char *bytes, size_t size, rpp_message *error) {
  for (size_t done = 0; done < size;) {
    const ssize_t n = read(fd, bytes + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return rpp_message_set(error, "cannot be read: %s", strerror(errno));
    if (n == 0) return rpp_message_set(error, "became shorter while it was read");
    done += (size_t)n;
  }
  unsigned char more;
  return read(fd, &more, 1) == 0 || rpp_message_set(error, "became longer while it was read");
}

static bool read_regular(int fd, void **bytes, size_t *size, rpp_message *error) {
  struct stat status;
  if (fstat(fd, &status) != 0) return rpp_message_set(error, "cannot be read: %s", strerror(errno));
  if (!S_ISREG(status.st_mode)) return rpp_message_set(error, "not a regular file");
  *size = (size_t)status.st_size;
  *bytes = malloc(*size + 1);
  if (*bytes == NULL) return rpp_message_set(error, "size = %zu bytes: out of memory", *size);
  return read_exactly(fd, *bytes, *size, error);
}

bool rpp_file_read(const char *path, void **bytes, size_t *size, rpp_message *error) {
  *bytes = NULL;
  /* O_NONBLOCK: to open a FIFO must not wait for a writer. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return rpp_message_set(error, "cannot be opened: %s", strerror(errno));
  const bool ok = read_regular(fd, bytes, size, error);
  close(fd);
  if (ok) return true;
  free(*bytes);
  *bytes = NULL;
  return false;
}
