/// The three things the generator can do. `requests` and `append` print `begin` and `end` on lines
/// of their own around the time they measure, so that the caller can read the server's CPU clock at
/// the same moments, and then one line of JSON. The result is the exit status: 0, or 1 when an
/// answer was not as expected.
#ifndef LOAD_COMMANDS_H
#define LOAD_COMMANDS_H

#include "options.h"

/// Sends one request after the other on each of many connections.
int run_requests(const struct options *options);

/// Holds many idle readers, and on each line of standard input produces one message for them.
int run_readers(const struct options *options);

/// Appends to a file with fdatasync after each append.
int run_append(const struct options *options);

/// Prints a line and flushes, so that the caller sees it at once.
void announce(const char *line);

/// Processor time that this process has used, in seconds.
double own_cpu_seconds(void);

#endif
