/// The disk itself: append some bytes to a file, wait until they are on the disk, again.
///
///     --file F --seconds S [--warm-up S] [--bytes 200]
#include "commands.h"

#include "bytes.h"
#include "clock.h"
#include "histogram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct histogram latencies;

static void append_once(int file, const char *bytes, size_t length)
{
    if (write(file, bytes, length) != (ssize_t)length) fail("write: %s", strerror(errno));
    if (fdatasync(file) < 0) fail("fdatasync: %s", strerror(errno));
}

int run_append(const struct options *options)
{
    static char bytes[65536];
    size_t length = (size_t)option_number(options, "--bytes", 200);
    if (length > sizeof bytes) fail("--bytes is too large");
    memset(bytes, 'x', length);
    const char *path = option_required(options, "--file");
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) fail("cannot open %s: %s", path, strerror(errno));
    uint64_t begin =
        clock_nanoseconds() + nanoseconds_of(option_number(options, "--warm-up", 0));
    while (clock_nanoseconds() < begin) append_once(file, bytes, length);

    announce("begin");
    double cpu_before = own_cpu_seconds();
    begin = clock_nanoseconds();
    uint64_t end = begin + nanoseconds_of(option_number(options, "--seconds", 1));
    uint64_t now = begin;
    while (now < end) {
        append_once(file, bytes, length);
        uint64_t after = clock_nanoseconds();
        histogram_record(&latencies, after - now);
        now = after;
    }
    double cpu = own_cpu_seconds() - cpu_before;
    announce("end");
    double seconds = (double)(now - begin) / 1e9;
    double rate = (double)latencies.total / seconds;
    printf("{\"seconds\":%.6f,\"requests\":%llu,\"messages\":%llu,\"bytes_received\":0,"
           "\"requests_per_second\":%.1f,\"messages_per_second\":%.1f,"
           "\"p50_microseconds\":%.2f,\"p99_microseconds\":%.2f,\"largest_microseconds\":%.2f,"
           "\"generator_cpu_share\":%.4f,\"errors\":0,\"first_error\":\"\"}\n",
           seconds, (unsigned long long)latencies.total, (unsigned long long)latencies.total, rate,
           rate, histogram_microseconds(&latencies, 0.5), histogram_microseconds(&latencies, 0.99),
           (double)latencies.largest / 1000, cpu / seconds);
    close(file);
    return 0;
}
