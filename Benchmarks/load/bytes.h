/// A growing buffer of bytes.
#ifndef LOAD_BYTES_H
#define LOAD_BYTES_H

#include <stddef.h>

struct bytes {
    char *start;
    size_t length;
    size_t capacity;
};

/// Makes room for at least `extra` bytes after `length`; ends the program when memory runs out.
void bytes_reserve(struct bytes *bytes, size_t extra);

void bytes_append(struct bytes *bytes, const char *start, size_t length);

/// Reads a whole file; ends the program with a message when that fails.
struct bytes bytes_of_file(const char *path);

/// Replaces the one `{position}` in `template` by `position`; `result` is overwritten.
void bytes_fill_in(struct bytes *result, const struct bytes *template, const char *position);

/// Prints a text as a JSON string; what is not printable ASCII becomes a question mark.
void print_json_string(const char *text);

/// Prints "load: <message>" to the error stream and ends the program with status 2.
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
