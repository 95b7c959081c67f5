/* Lets fsync and fdatasync fail with EIO on files whose name ends in $FAIL_SYNC_OF, for as long as
 * the file $FAIL_SYNC_WHILE is there. Loaded before the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int descriptor) {
    const char *name = getenv("FAIL_SYNC_OF"), *flag = getenv("FAIL_SYNC_WHILE");
    char link[64], path[4096];
    ssize_t length;
    if (!name || !flag || access(flag, F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, sizeof path - 1);
    if (length < (ssize_t)strlen(name)) return 0;
    path[length] = 0;
    return strcmp(path + length - strlen(name), name) == 0;
}

int fsync(int descriptor) {
    static int (*real)(int);
    if (fails(descriptor)) { errno = EIO; return -1; }
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return real(descriptor);
}

int fdatasync(int descriptor) {
    static int (*real)(int);
    if (fails(descriptor)) { errno = EIO; return -1; }
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return real(descriptor);
}
