/*
 * Laid under Node by LD_PRELOAD: counts the calls that concern files of one folder, makes one of them fail, and writes down
 * what they did. Calls of Node itself, which differ from run to run, concern other files and are not counted.
 *
 * FAULT_FOLDER: the folder, absolute; relative names are of it. FAULT_AT: the number of the call, from 1; FAULT_READ: of a
 * read, which are counted by themselves, for another thread may sync meanwhile. FAULT_KIND: an errno by name, `short` (half as
 * much is written or read), or `kill` (the process ends before the call). FAULT_LOG: a file that gets a line for each call.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FICLONE 0x40049409

static atomic_int calls, reads;
static int fault_at, fault_read, log_fd = -1;
static const char *folder, *kind;

__attribute__((constructor)) static void start(void) {
  const char *at = getenv("FAULT_AT"), *log = getenv("FAULT_LOG");
  folder = getenv("FAULT_FOLDER");
  kind = getenv("FAULT_KIND");
  if (at) fault_at = atoi(at);
  if ((at = getenv("FAULT_READ"))) fault_read = atoi(at);
  if (log) log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void say(const char *format, ...) {
  char line[8192];
  va_list list;
  if (log_fd < 0) return;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  if (n > (int)sizeof line - 1) n = sizeof line - 1;
  syscall(SYS_write, log_fd, line, n);
}

static void say_bytes(uint64_t ino, uint64_t offset, const unsigned char *bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  if (log_fd < 0) return;
  char *line = malloc(2 * count + 80);
  if (!line) abort();
  int n = sprintf(line, "wrote %llu %llu ", (unsigned long long)ino, (unsigned long long)offset);
  for (size_t i = 0; i < count; i++) {
    line[n++] = digits[bytes[i] >> 4];
    line[n++] = digits[bytes[i] & 15];
  }
  line[n++] = '\n';
  syscall(SYS_write, log_fd, line, n);
  free(line);
}

static int is_inside(const char *path) {
  if (!folder || !path) return 0;
  size_t n = strlen(folder);
  if (path[0] != '/') return 1;
  return !strncmp(path, folder, n) && (path[n] == '/' || path[n] == 0);
}

static int is_inside_fd(int fd) {
  char link[64], path[4096];
  if (!folder || fd < 0 || fd == log_fd) return 0;
  sprintf(link, "/proc/self/fd/%d", fd);
  ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return path[0] == '/' && is_inside(path);
}

static uint64_t ino_of(int fd) {
  struct stat st;
  return fstat(fd, &st) ? 0 : st.st_ino;
}

enum { GO, FAIL, SHORT };

static int step(const char *name) {
  int is_read = !strcmp(name, "read") || !strcmp(name, "pread");
  int n = atomic_fetch_add(is_read ? &reads : &calls, 1) + 1;
  say("%s %d %s\n", is_read ? "read" : "call", n, name);
  if (n != (is_read ? fault_read : fault_at) || !kind) return GO;
  if (!strcmp(kind, "kill")) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) syscall(SYS_pause);
  }
  if (!strcmp(kind, "short")) return SHORT;
  errno = !strcmp(kind, "ENOSPC") ? ENOSPC : !strcmp(kind, "EINTR") ? EINTR : EIO;
  return FAIL;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

/* What is at a place of a file, where the kernel put it there by itself. */
static void say_stretch(int fd, uint64_t offset, size_t count) {
  char link[64];
  sprintf(link, "/proc/self/fd/%d", fd);
  int in = syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
  unsigned char *bytes = malloc(count + 1);
  if (in < 0 || !bytes) abort();
  ssize_t n = syscall(SYS_pread64, in, bytes, count, offset);
  if (n > 0) say_bytes(ino_of(fd), offset, bytes, n);
  free(bytes);
  syscall(SYS_close, in);
}

static int opened(const char *path, int flags, int fd, int was_there) {
  if (fd >= 0 && (flags & O_CREAT) && !was_there) say("made %llu %s\n", (unsigned long long)ino_of(fd), path);
  if (fd >= 0 && (flags & O_TRUNC) && was_there) say("cut %llu 0\n", (unsigned long long)ino_of(fd));
  return fd;
}

#define OPEN(name, before, dir) \
  int name(before const char *path, int flags, ...) { \
    va_list list; \
    va_start(list, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; \
    va_end(list); \
    if (!is_inside(path)) return syscall(SYS_openat, dir, path, flags, mode); \
    if (step(flags & O_CREAT ? "open-new" : "open") == FAIL) return -1; \
    struct stat st; \
    int there = !lstat(path, &st); \
    int fd = syscall(SYS_openat, dir, path, flags, mode); \
    int saved = errno; \
    opened(path, flags, fd, there); \
    errno = saved; \
    return fd; \
  }
OPEN(open, , AT_FDCWD)
OPEN(open64, , AT_FDCWD)
#define DIR int dirfd,
OPEN(openat, DIR, dirfd)
OPEN(openat64, DIR, dirfd)

static ssize_t wrote(int fd, const void *bytes, ssize_t done, off_t at) {
  int saved = errno;
  if (done > 0) say_bytes(ino_of(fd), at, bytes, done);
  errno = saved;
  return done;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  if (!is_inside_fd(fd)) return syscall(SYS_write, fd, bytes, count);
  int act = step("write");
  if (act == FAIL) return -1;
  off_t at = lseek(fd, 0, SEEK_CUR);
  return wrote(fd, bytes, syscall(SYS_write, fd, bytes, act == SHORT && count > 1 ? count / 2 : count), at);
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off_t at) {
  if (!is_inside_fd(fd)) return syscall(SYS_pwrite64, fd, bytes, count, at);
  int act = step("pwrite");
  if (act == FAIL) return -1;
  return wrote(fd, bytes, syscall(SYS_pwrite64, fd, bytes, act == SHORT && count > 1 ? count / 2 : count, at), at);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return write_at(fd, bytes, count, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) { return write_at(fd, bytes, count, at); }

static ssize_t read_at(int fd, void *bytes, size_t count, off_t at) {
  int act = is_inside_fd(fd) ? step("pread") : GO;
  if (act == FAIL) return -1;
  return syscall(SYS_pread64, fd, bytes, act == SHORT && count > 1 ? count / 2 : count, at);
}
ssize_t pread(int fd, void *bytes, size_t count, off_t at) { return read_at(fd, bytes, count, at); }
ssize_t pread64(int fd, void *bytes, size_t count, off_t at) { return read_at(fd, bytes, count, at); }
ssize_t read(int fd, void *bytes, size_t count) {
  int act = is_inside_fd(fd) ? step("read") : GO;
  if (act == FAIL) return -1;
  return syscall(SYS_read, fd, bytes, act == SHORT && count > 1 ? count / 2 : count);
}

/* One piece of several: what is short of all is for the caller to go on with. */
ssize_t writev(int fd, const struct iovec *pieces, int count) {
  if (!is_inside_fd(fd)) return syscall(SYS_writev, fd, pieces, count);
  return count > 0 ? write(fd, pieces[0].iov_base, pieces[0].iov_len) : 0;
}
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t at) {
  if (!is_inside_fd(fd)) return syscall(SYS_pwritev, fd, pieces, count, at, 0);
  return count > 0 ? write_at(fd, pieces[0].iov_base, pieces[0].iov_len, at) : 0;
}
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) { return pwritev64(fd, pieces, count, at); }

static int cut(int fd, off_t size) {
  if (!is_inside_fd(fd)) return syscall(SYS_ftruncate, fd, size);
  if (step("ftruncate") == FAIL) return -1;
  int done = syscall(SYS_ftruncate, fd, size);
  if (!done) say("cut %llu %llu\n", (unsigned long long)ino_of(fd), (unsigned long long)size);
  return done;
}
int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

static int synced(int fd, const char *name, long number) {
  if (!is_inside_fd(fd)) return syscall(number, fd);
  if (step(name) == FAIL) return -1;
  int done = syscall(number, fd);
  if (!done) say("synced %llu\n", (unsigned long long)ino_of(fd));
  return done;
}
int fsync(int fd) { return synced(fd, "fsync", SYS_fsync); }
int fdatasync(int fd) { return synced(fd, "fdatasync", SYS_fdatasync); }

#define TWO(name, word) \
  int name(const char *from, const char *to) { \
    REAL(name); \
    if (!is_inside(to)) return real(from, to); \
    if (step(#name) == FAIL) return -1; \
    int done = real(from, to); \
    int saved = errno; \
    if (!done) say(word " %s\t%s\n", from, to); \
    errno = saved; \
    return done; \
  }
TWO(rename, "renamed")
TWO(link, "linked")
TWO(symlink, "symlinked")

#define ONE(name, word, more, args) \
  int name(const char *path more) { \
    REAL(name); \
    if (!is_inside(path)) return real args; \
    if (step(#name) == FAIL) return -1; \
    int done = real args; \
    int saved = errno; \
    if (!done) say(word " %s\n", path); \
    errno = saved; \
    return done; \
  }
#define COMMA ,
ONE(unlink, "unlinked", , (path))
ONE(rmdir, "removed", , (path))
ONE(mkdir, "folder", COMMA mode_t mode, (path, mode))
ONE(chmod, "mode", COMMA mode_t mode, (path, mode))
ONE(chown, "owner", COMMA uid_t uid COMMA gid_t gid, (path, uid, gid))

#define ON_FD(name, more, args) \
  int name(int fd more) { \
    REAL(name); \
    if (is_inside_fd(fd) && step(#name) == FAIL) return -1; \
    return real args; \
  }
ON_FD(fchmod, COMMA mode_t mode, (fd, mode))
ON_FD(fchown, COMMA uid_t uid COMMA gid_t gid, (fd, uid, gid))

int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  long argument = va_arg(list, long);
  va_end(list);
  int ours = request == FICLONE && is_inside_fd(fd);
  if (ours && step("ioctl") == FAIL) return -1;
  int done = syscall(SYS_ioctl, fd, request, argument);
  struct stat st;
  if (ours && !done && !fstat(fd, &st)) say_stretch(fd, 0, st.st_size);
  return done;
}

static ssize_t copied(const char *name, long number, long a, long b, long c, long d, long e, long f, int out) {
  if (!is_inside_fd(out)) return syscall(number, a, b, c, d, e, f);
  long *count = number == SYS_sendfile ? &d : &e;
  int act = step(name);
  if (act == FAIL) return -1;
  if (act == SHORT && *count > 1) *count /= 2;
  /* Where there is a place to write to, it goes on behind what is written. */
  uint64_t *place = number == SYS_sendfile ? 0 : (uint64_t *)d;
  uint64_t at = place ? *place : (uint64_t)lseek(out, 0, SEEK_CUR);
  ssize_t done = syscall(number, a, b, c, d, e, f);
  int saved = errno;
  if (done > 0) say_stretch(out, at, done);
  errno = saved;
  return done;
}
ssize_t sendfile64(int out, int in, off_t *at, size_t count) {
  return copied("sendfile", SYS_sendfile, out, in, (long)at, count, 0, 0, out);
}
ssize_t sendfile(int out, int in, off_t *at, size_t count) { return sendfile64(out, in, at, count); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
  return copied("copy_file_range", SYS_copy_file_range, in, (long)from, out, (long)to, count, flags, out);
}

/* libuv calls what older libraries have no function for by its number. */
long syscall(long number, ...) {
  static long (*real)(long, ...);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "syscall");
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long);
  long e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  static __thread int deep;
  if (number != SYS_copy_file_range || deep) return real(number, a, b, c, d, e, f);
  deep = 1;
  long done = copied("copy_file_range", number, a, b, c, d, e, f, c);
  deep = 0;
  return done;
}
