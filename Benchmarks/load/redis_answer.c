#include "answer.h"

#include <stdio.h>
#include <string.h>

/// Reads the header line of a value: a type byte, an integer, a line break.
///
/// Returns the length of the line, or 0 when it has not come whole.
static size_t read_line(const char *start, size_t length, int64_t *number)
{
    const char *end = start + length;
    const char *digit = start + 1;
    bool negative = digit < end && *digit == '-';
    if (negative) digit++;
    int64_t value = 0;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
        value = value * 10 + (*digit - '0');
    if (end - digit < 2) return 0;
    if (digit[0] != '\r' || digit[1] != '\n') return 0;
    *number = negative ? -value : value;
    return (size_t)(digit - start) + 2;
}

/// Counts one value as read, and all arrays that end with it.
static void value_ended(struct redis_progress *redis)
{
    while (redis->depth > 0 && --redis->left[redis->depth - 1] == 0) redis->depth--;
    if (redis->depth == 0) redis->replies++;
}

static enum answer_state bad_reply(const char *start, size_t length, struct answer *answer)
{
    const char *end = memmem(start, length, "\r\n", 2);
    if (!end) return length < 512 ? ANSWER_INCOMPLETE : answer_failed(answer, "not RESP");
    return answer_failed(answer, "%.*s", end - start < 150 ? (int)(end - start) : 150, start);
}

/// Reads values until `wanted` replies are whole.
static enum answer_state read_replies(struct connection *connection, uint64_t wanted,
                                      struct answer *answer)
{
    struct redis_progress *redis = &connection->redis;
    while (redis->replies < wanted) {
        const char *start = connection->input.start + redis->parsed;
        size_t length = connection->input.length - redis->parsed;
        if (length == 0) return ANSWER_INCOMPLETE;
        if (*start != '$' && *start != '*' && *start != ':')
            return bad_reply(start, length, answer);
        int64_t number;
        size_t line = read_line(start, length, &number);
        if (line == 0) return length < 32 ? ANSWER_INCOMPLETE : bad_reply(start, length, answer);
        if (*start == '$' && number >= 0) {
            if (length < line + (size_t)number + 2) return ANSWER_INCOMPLETE;
            if (redis->depth == 2 && redis->left[1] == 2) {
                redis->entries++;
                redis->last_id_start = redis->parsed + line;
                redis->last_id_length = (size_t)number;
            }
            redis->parsed += line + (size_t)number + 2;
            value_ended(redis);
        } else if (*start == '*' && number > 0) {
            if (redis->depth == 8) return answer_failed(answer, "arrays nested too deep");
            redis->parsed += line;
            redis->left[redis->depth++] = number;
        } else {
            redis->parsed += line;
            value_ended(redis);
        }
    }
    return ANSWER_COMPLETE;
}

enum answer_state parse_redis_answer(struct connection *connection,
                                     const struct expectation *expectation, struct answer *answer)
{
    struct redis_progress *redis = &connection->redis;
    uint64_t replies = expectation->walks ? 1 : expectation->messages;
    enum answer_state state = read_replies(connection, replies, answer);
    if (state != ANSWER_COMPLETE) return state;
    if (redis->parsed < connection->input.length)
        return answer_failed(answer, "bytes after the end of the answer");
    answer->messages = expectation->messages;
    if (!expectation->walks) return ANSWER_COMPLETE;
    if (redis->entries != expectation->messages)
        return answer_failed(answer, "%llu entries instead of %llu",
                             (unsigned long long)redis->entries,
                             (unsigned long long)expectation->messages);
    connection->walked += redis->entries;
    snprintf(connection->position, sizeof connection->position, "%.*s",
             (int)redis->last_id_length, connection->input.start + redis->last_id_start);
    return ANSWER_COMPLETE;
}
