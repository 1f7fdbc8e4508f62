#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum answer_state answer_failed(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answer->error, sizeof answer->error, format, arguments);
    va_end(arguments);
    return ANSWER_FAILED;
}

static bool line_begins(const char *line, const char *end, const char *name, const char **value)
{
    size_t length = strlen(name);
    if ((size_t)(end - line) < length || strncasecmp(line, name, length) != 0) return false;
    *value = line + length;
    while (*value < end && **value == ' ') (*value)++;
    return true;
}

/// Reads status and framing once the blank line is there.
static enum answer_state read_header(struct connection *connection, struct answer *answer)
{
    struct http_progress *http = &connection->http;
    const char *start = connection->input.start;
    const char *blank = memmem(start, connection->input.length, "\r\n\r\n", 4);
    if (!blank) return ANSWER_INCOMPLETE;
    if (strncmp(start, "HTTP/1.1 ", 9) != 0) return answer_failed(answer, "not HTTP/1.1");
    http->status = atoi(start + 9);
    http->header_length = (size_t)(blank - start) + 4;
    http->raw_parsed = http->header_length;
    bool framed = false;
    for (const char *line = start; line < blank;) {
        const char *end = memmem(line, (size_t)(blank + 2 - line), "\r\n", 2);
        const char *value;
        if (line_begins(line, end, "content-length:", &value)) {
            http->body_expected = strtoull(value, NULL, 10);
            framed = true;
        } else if (line_begins(line, end, "transfer-encoding:", &value)) {
            http->chunked = strncasecmp(value, "chunked", 7) == 0;
            framed = http->chunked;
        } else if (line_begins(line, end, "connection:", &value)) {
            if (strncasecmp(value, "close", 5) == 0)
                return answer_failed(answer, "status %d and Connection: close", http->status);
        }
        line = end + 2;
    }
    if (!framed) return answer_failed(answer, "neither Content-Length nor chunked");
    return ANSWER_COMPLETE;
}

/// Moves the data of the chunks that have come together to one body.
static enum answer_state decode_chunks(struct connection *connection, struct answer *answer)
{
    struct http_progress *http = &connection->http;
    struct bytes *input = &connection->input;
    char *body = input->start + http->header_length;
    for (;;) {
        if (http->chunk_left > 2) {
            size_t data = input->length - http->raw_parsed;
            if (data > http->chunk_left - 2) data = http->chunk_left - 2;
            if (data == 0) return ANSWER_INCOMPLETE;
            memmove(body + http->body_length, input->start + http->raw_parsed, data);
            http->body_length += data;
            http->raw_parsed += data;
            http->chunk_left -= data;
            continue;
        }
        const char *raw = input->start + http->raw_parsed;
        size_t left = input->length - http->raw_parsed;
        if (http->chunk_left > 0) {
            if (left < 2) return ANSWER_INCOMPLETE;
            if (memcmp(raw, "\r\n", 2) != 0) return answer_failed(answer, "bad end of a chunk");
            http->raw_parsed += 2;
            http->chunk_left = 0;
            continue;
        }
        const char *end = memmem(raw, left, "\r\n", 2);
        if (!end) return ANSWER_INCOMPLETE;
        char *size_end;
        uint64_t size = strtoull(raw, &size_end, 16);
        if (size_end == raw) return answer_failed(answer, "bad size of a chunk");
        if (size == 0) {
            if (left < (size_t)(end - raw) + 4) return ANSWER_INCOMPLETE;
            http->raw_parsed += (size_t)(end - raw) + 4;
            return ANSWER_COMPLETE;
        }
        http->raw_parsed += (size_t)(end - raw) + 2;
        http->chunk_left = size + 2;
    }
}

enum answer_state decode_http(struct connection *connection, struct answer *answer)
{
    struct http_progress *http = &connection->http;
    if (http->header_length == 0) {
        enum answer_state state = read_header(connection, answer);
        if (state != ANSWER_COMPLETE) return state;
    }
    if (http->chunked) {
        enum answer_state state = decode_chunks(connection, answer);
        if (state != ANSWER_COMPLETE) return state;
    } else {
        http->raw_parsed = connection->input.length;
        http->body_length = connection->input.length - http->header_length;
        if (http->body_length < http->body_expected) return ANSWER_INCOMPLETE;
        http->raw_parsed = http->header_length + (size_t)http->body_expected;
    }
    if (http->raw_parsed < connection->input.length)
        return answer_failed(answer, "bytes after the end of the answer");
    http->complete = true;
    return ANSWER_COMPLETE;
}

bool find_trailing_number(const struct connection *connection, const char *name, uint64_t *number)
{
    const char *body = connection->input.start + connection->http.header_length;
    size_t length = connection->http.body_length;
    size_t tail = length < 200 ? length : 200;
    const char *found = memmem(body + length - tail, tail, name, strlen(name));
    if (!found) return false;
    const char *end = body + length;
    const char *digit = found + strlen(name);
    *number = 0;
    bool any = false;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++, any = true)
        *number = *number * 10 + (uint64_t)(*digit - '0');
    return any;
}

/// Takes the next position from the answer of a consume request.
static enum answer_state walk_on(struct connection *connection,
                                 const struct expectation *expectation, struct answer *answer)
{
    uint64_t next_offset;
    if (!find_trailing_number(connection, "\"next_offset\":", &next_offset))
        return answer_failed(answer, "no next_offset at the end of the answer");
    uint64_t offset = strtoull(connection->position, NULL, 10);
    if (next_offset != offset + expectation->messages)
        return answer_failed(answer, "asked from %llu, next_offset is %llu",
                             (unsigned long long)offset, (unsigned long long)next_offset);
    answer->messages = expectation->messages;
    connection->walked += expectation->messages;
    snprintf(connection->position, sizeof connection->position, "%llu",
             (unsigned long long)next_offset);
    return ANSWER_COMPLETE;
}

enum answer_state parse_http_answer(struct connection *connection,
                                    const struct expectation *expectation, struct answer *answer)
{
    enum answer_state state = decode_http(connection, answer);
    if (state != ANSWER_COMPLETE) return state;
    const struct http_progress *http = &connection->http;
    const char *body = connection->input.start + http->header_length;
    if (http->status != 200)
        return answer_failed(answer, "status %d: %.*s", http->status,
                             http->body_length < 150 ? (int)http->body_length : 150, body);
    if (expectation->text &&
        !memmem(body, http->body_length, expectation->text, strlen(expectation->text)))
        return answer_failed(answer, "no %s in the answer: %.*s", expectation->text,
                             http->body_length < 100 ? (int)http->body_length : 100, body);
    if (expectation->walks) return walk_on(connection, expectation, answer);
    answer->messages = expectation->messages;
    return ANSWER_COMPLETE;
}
