/// A load generator for benchmarks: one thread, epoll, keep-alive connections to 127.0.0.1.
///
///     load requests --protocol http|redis|postgres --port P --request-file F …
///     load readers --kind poll|events --port P --request-file F --produce-file F …
///     load append --file F …
///
/// requests.c, readers.c and append.c describe their options.
#include "commands.h"

#include "bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

void announce(const char *line)
{
    puts(line);
    fflush(stdout);
}

double own_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **words)
{
    if (count < 2) fail("say requests, readers or append");
    struct options options = {count - 2, words + 2};
    if (options.count % 2 != 0) fail("an option without a value");
    if (strcmp(words[1], "requests") == 0) return run_requests(&options);
    if (strcmp(words[1], "readers") == 0) return run_readers(&options);
    if (strcmp(words[1], "append") == 0) return run_append(&options);
    fail("%s is neither requests, readers nor append", words[1]);
}
