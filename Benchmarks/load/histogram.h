/// Latencies by size class: each power of two is cut into 128 classes, so a value read back is at
/// most 0.8 % off.
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_CLASSES (58 * 128)

struct histogram {
    uint64_t counts[HISTOGRAM_CLASSES];
    uint64_t total;
    uint64_t largest;
};

void histogram_record(struct histogram *histogram, uint64_t nanoseconds);

/// The latency that `share` (0 to 1) of all recorded ones do not exceed, in microseconds; 0 when
/// nothing was recorded.
double histogram_microseconds(const struct histogram *histogram, double share);

#endif
