#include "allocator.h"

#if defined(__linux__)
#include <features.h>
#endif

#if defined(__GLIBC__)
#include <malloc.h>

void allocator_keep_blocks(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
    mallopt(M_TRIM_THRESHOLD, bytes);
    // More arenas than busy threads would each keep spare memory of their own.
    mallopt(M_ARENA_MAX, 4);
}
#else
void allocator_keep_blocks(int bytes) {
    (void)bytes;
}
#endif
