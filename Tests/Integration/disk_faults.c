/* Makes writes to the data file fail as a full or broken disk does: preloaded into the server by disk_shims.py.
 *
 * The file named by DISK_FAULTS says which calls fail, by the letters in it; where it does not exist, none does:
 *   w  writes fail with ENOSPC
 *   h  writes take half of their bytes; of a single byte, none
 *   e  writes fail with EIO
 *   r  reads fail with EIO
 *   s  fsync and fdatasync fail with EIO
 *   d  the process dies by SIGKILL instead of writing
 *   k  the process dies by SIGKILL instead of calling fsync or fdatasync: what it has written is not flushed
 * Only files whose name has ".sqlite" in it are affected. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int descriptor, char kind)
{
    const char *faults = getenv("DISK_FAULTS");
    char link[64], path[4096], kinds[16];
    ssize_t length;
    int file;

    if (!faults || (file = open(faults, O_RDONLY | O_CLOEXEC)) < 0)
        return 0;
    length = read(file, kinds, sizeof kinds);
    close(file);
    if (length <= 0 || !memchr(kinds, kind, (size_t)length))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, ".sqlite") != NULL;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define DIE_IF(kind)               \
    if (fails(descriptor, kind))   \
        kill(getpid(), SIGKILL);

#define FAIL_IF(kind, code)          \
    if (fails(descriptor, kind)) {   \
        errno = code;                \
        return -1;                   \
    }

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset)
{
    FAIL_IF('r', EIO)
    return NEXT(pread)(descriptor, bytes, count, offset);
}

ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t offset)
{
    FAIL_IF('r', EIO)
    return NEXT(pread64)(descriptor, bytes, count, offset);
}

#define BEFORE_WRITE               \
    DIE_IF('d')                    \
    FAIL_IF('w', ENOSPC)           \
    FAIL_IF('e', EIO)              \
    if (fails(descriptor, 'h'))    \
        count /= 2;

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    BEFORE_WRITE
    return NEXT(write)(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    BEFORE_WRITE
    return NEXT(pwrite)(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset)
{
    BEFORE_WRITE
    return NEXT(pwrite64)(descriptor, bytes, count, offset);
}

int fsync(int descriptor)
{
    DIE_IF('k')
    FAIL_IF('s', EIO)
    return NEXT(fsync)(descriptor);
}

int fdatasync(int descriptor)
{
    DIE_IF('k')
    FAIL_IF('s', EIO)
    return NEXT(fdatasync)(descriptor);
}
