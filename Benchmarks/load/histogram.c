#include "histogram.h"

#define CLASS_BITS 7

static unsigned class_of(uint64_t value)
{
    if (value < (1u << CLASS_BITS)) return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - CLASS_BITS;
    return ((shift + 1) << CLASS_BITS) + (unsigned)((value >> shift) & ((1u << CLASS_BITS) - 1));
}

/// The middle of a class.
static double value_of(unsigned class)
{
    if (class < (1u << CLASS_BITS)) return class;
    unsigned shift = (class >> CLASS_BITS) - 1;
    uint64_t lowest = ((1ull << CLASS_BITS) + (class & ((1u << CLASS_BITS) - 1))) << shift;
    return (double)lowest + (double)(1ull << shift) / 2;
}

void histogram_record(struct histogram *histogram, uint64_t nanoseconds)
{
    histogram->counts[class_of(nanoseconds)]++;
    histogram->total++;
    if (nanoseconds > histogram->largest) histogram->largest = nanoseconds;
}

double histogram_microseconds(const struct histogram *histogram, double share)
{
    double wanted = share * (double)histogram->total;
    uint64_t seen = 0;
    for (unsigned class = 0; class < HISTOGRAM_CLASSES; class++) {
        seen += histogram->counts[class];
        if (seen > 0 && (double)seen >= wanted) {
            double value = value_of(class);
            double largest = (double)histogram->largest;
            return (value > largest ? largest : value) / 1000;
        }
    }
    return 0;
}
