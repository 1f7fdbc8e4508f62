/* Writes down what a process does to its data file: preloaded into the server by disk_shims.py, read by disk_journal.py.
 *
 * Each call that changes or flushes a file is one record in the file named by DISK_JOURNAL, in the order in which the
 * calls took effect. A record is a head, the file's name without its folder, and the bytes written:
 *   w  bytes were written at `offset`          t  the file was cut or grown to `offset` bytes
 *   s  a flush succeeded                       f  a flush failed
 *   d  a flush of the folder succeeded         u  the file was removed
 * Of a flush, `offset` is how long the journal was when it began: what was written later, it may not have reached.
 * Only files whose name has ".sqlite" in it count, without the shared memory and the lock: those mean nothing after
 * a crash. Preloaded before disk_faults.so, it sees the failures which that one makes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct head {
    uint8_t kind, name_length;
    uint8_t unused[6];
    uint64_t offset, length;
};

/* Held around a call and its record, so that their orders are the same. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static int journal(void)
{
    static int file = -1;
    const char *path = getenv("DISK_JOURNAL");

    if (file < 0 && path)
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return file;
}

/* The name of a file that counts, within `path`; NULL for all others. */
static const char *data_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *suffix = strstr(name, ".sqlite");

    return suffix && !strstr(suffix, "-shm") && !strstr(suffix, ".lock") ? name : NULL;
}

static const char *open_file(int descriptor, char path[4096])
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, 4095);
    path[length < 0 ? 0 : length] = 0;
    return data_file(path);
}

static void record(char kind, const char *name, uint64_t offset, const void *bytes, size_t length)
{
    struct head head = {(uint8_t)kind, (uint8_t)strlen(name), {0}, offset, length};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name_length}, {(void *)bytes, length}};
    ssize_t size = (ssize_t)(sizeof head + head.name_length + length);

    /* By the system's own call: ours would write it down again. A journal with a gap would prove nothing. */
    if (syscall(SYS_writev, journal(), parts, 3) != size)
        abort();
}

static uint64_t journal_length(void)
{
    struct stat status;

    return fstat(journal(), &status) == 0 ? (uint64_t)status.st_size : 0;
}

#define RECORDED(call, kind, offset, bytes, result_length)                \
    char path[4096];                                                      \
    const char *name = journal() < 0 ? NULL : open_file(descriptor, path); \
    if (!name)                                                            \
        return call;                                                      \
    pthread_mutex_lock(&order);                                           \
    ssize_t result = call;                                                \
    int code = errno;                                                     \
    if (result >= 0)                                                      \
        record(kind, name, (uint64_t)(offset), bytes, result_length);     \
    pthread_mutex_unlock(&order);                                         \
    errno = code;                                                         \
    return result;

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    RECORDED(NEXT(write)(descriptor, bytes, count), 'w', lseek(descriptor, 0, SEEK_CUR) - result, bytes, (size_t)result)
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    RECORDED(NEXT(pwrite)(descriptor, bytes, count, offset), 'w', offset, bytes, (size_t)result)
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset)
{
    RECORDED(NEXT(pwrite64)(descriptor, bytes, count, offset), 'w', offset, bytes, (size_t)result)
}

int ftruncate(int descriptor, off_t size)
{
    RECORDED(NEXT(ftruncate)(descriptor, size), 't', size, NULL, 0)
}

int ftruncate64(int descriptor, off64_t size)
{
    RECORDED(NEXT(ftruncate64)(descriptor, size), 't', size, NULL, 0)
}

int unlink(const char *path)
{
    const char *name = journal() < 0 ? NULL : data_file(path);
    int result;

    pthread_mutex_lock(&order);
    result = NEXT(unlink)(path);
    if (result == 0 && name)
        record('u', name, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return result;
}

/* Not under the lock: others may write meanwhile, and their records then lie between the beginning and this one. */
static int flush(int descriptor, int (*next)(int))
{
    char path[4096];
    struct stat status;
    const char *name = journal() < 0 ? NULL : open_file(descriptor, path);
    int is_folder = !name && journal() >= 0 && fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
    uint64_t begin = journal_length();
    int result = next(descriptor), code = errno;

    if (name || (is_folder && result == 0)) {
        pthread_mutex_lock(&order);
        record(is_folder ? 'd' : result == 0 ? 's' : 'f', is_folder ? "" : name, begin, NULL, 0);
        pthread_mutex_unlock(&order);
    }
    errno = code;
    return result;
}

int fsync(int descriptor)
{
    return flush(descriptor, NEXT(fsync));
}

int fdatasync(int descriptor)
{
    return flush(descriptor, NEXT(fdatasync));
}
