#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char position_mark[] = "{position}";

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

void bytes_reserve(struct bytes *bytes, size_t extra)
{
    size_t needed = bytes->length + extra;
    if (needed <= bytes->capacity) return;
    size_t capacity = bytes->capacity ? bytes->capacity : 1024;
    while (capacity < needed) capacity *= 2;
    bytes->start = realloc(bytes->start, capacity);
    if (!bytes->start) fail("out of memory");
    bytes->capacity = capacity;
}

void bytes_append(struct bytes *bytes, const char *start, size_t length)
{
    if (length == 0) return;
    bytes_reserve(bytes, length);
    memcpy(bytes->start + bytes->length, start, length);
    bytes->length += length;
}

struct bytes bytes_of_file(const char *path)
{
    struct bytes bytes = {0};
    FILE *file = fopen(path, "rb");
    if (!file) fail("cannot open %s", path);
    size_t count;
    do {
        bytes_reserve(&bytes, 65536);
        count = fread(bytes.start + bytes.length, 1, 65536, file);
        bytes.length += count;
    } while (count > 0);
    if (ferror(file)) fail("cannot read %s", path);
    fclose(file);
    return bytes;
}

void bytes_fill_in(struct bytes *result, const struct bytes *template, const char *position)
{
    size_t mark_length = sizeof position_mark - 1;
    const char *end = template->start + template->length;
    const char *mark = memmem(template->start, template->length, position_mark, mark_length);
    if (!mark) fail("the request has no %s to fill in", position_mark);
    result->length = 0;
    bytes_append(result, template->start, (size_t)(mark - template->start));
    bytes_append(result, position, strlen(position));
    bytes_append(result, mark + mark_length, (size_t)(end - mark) - mark_length);
}

void print_json_string(const char *text)
{
    putchar('"');
    for (const char *byte = text; *byte; byte++) {
        if (*byte == '"' || *byte == '\\') putchar('\\');
        putchar(*byte >= 32 && *byte < 127 ? *byte : '?');
    }
    putchar('"');
}
