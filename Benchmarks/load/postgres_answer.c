#include "answer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/// Finds the human-readable text of an ErrorResponse: the field with code `M`.
static const char *error_text(const char *fields, const char *end)
{
    while (fields < end && *fields) {
        const char *text = fields + 1;
        const char *stop = memchr(text, 0, (size_t)(end - text));
        if (!stop) break;
        if (*fields == 'M') return text;
        fields = stop + 1;
    }
    return "an error without a text";
}

/// The number of rows in the tag of CommandComplete, such as `INSERT 0 100`.
static uint64_t rows_of(const char *tag)
{
    const char *space = strrchr(tag, ' ');
    return space ? strtoull(space + 1, NULL, 10) : 0;
}

enum answer_state parse_postgres_answer(struct connection *connection,
                                        const struct expectation *expectation,
                                        struct answer *answer)
{
    struct postgres_progress *postgres = &connection->postgres;
    // To the start-up packet and the Parse that follows it the server says "ready" once each.
    uint64_t wanted = expectation->messages == 0 ? 2 : 1;
    while (postgres->ready_count < wanted) {
        const char *start = connection->input.start + postgres->parsed;
        size_t length = connection->input.length - postgres->parsed;
        if (length < 5) return ANSWER_INCOMPLETE;
        uint32_t size;
        memcpy(&size, start + 1, 4);
        size = ntohl(size);
        if (length < (size_t)size + 1) return ANSWER_INCOMPLETE;
        if (*start == 'E')
            return answer_failed(answer, "%s", error_text(start + 5, start + 1 + size));
        if (*start == 'R' && memcmp(start + 5, "\0\0\0\0", 4) != 0)
            return answer_failed(answer, "the server asks for a password");
        if (*start == 'C') postgres->rows += rows_of(start + 5);
        if (*start == 'Z') postgres->ready_count++;
        postgres->parsed += (size_t)size + 1;
    }
    if (postgres->parsed < connection->input.length)
        return answer_failed(answer, "bytes after the end of the answer");
    if (postgres->rows != expectation->messages)
        return answer_failed(answer, "%llu rows instead of %llu",
                             (unsigned long long)postgres->rows,
                             (unsigned long long)expectation->messages);
    answer->messages = expectation->messages;
    return ANSWER_COMPLETE;
}
