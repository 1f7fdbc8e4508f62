/// Parsers of answers, one a protocol. Each looks at what has come so far, so that it may be called
/// again after more bytes came; none looks twice at the same bytes.
#ifndef LOAD_ANSWER_H
#define LOAD_ANSWER_H

#include "connection.h"

enum answer_state { ANSWER_INCOMPLETE, ANSWER_COMPLETE, ANSWER_FAILED };

/// What an answer must look like.
struct expectation {
    const char *text;       ///< HTTP: the body contains this; NULL: anything
    uint64_t messages;      ///< how many messages an answer stands for
    bool walks;             ///< the answer says where the next read begins
    uint64_t walk_messages; ///< a walk begins again after so many
    const char *walk_start; ///< the first position of a walk
};

struct answer {
    uint64_t messages;
    char error[200];  ///< set when ANSWER_FAILED
};

typedef enum answer_state answer_parser(struct connection *connection,
                                        const struct expectation *expectation,
                                        struct answer *answer);

/// An answer with status 200, by Content-Length or chunked.
answer_parser parse_http_answer;

/// `messages` replies (pipelined), or for a walk one array of `messages` stream entries.
answer_parser parse_redis_answer;

/// Everything up to ReadyForQuery; the number of rows inserted must be `messages`.
answer_parser parse_postgres_answer;

/// Reads the header and decodes the body in place, whatever the status. ANSWER_COMPLETE also sets
/// `http.complete`; before that the body so far is at `input.start + header_length`.
enum answer_state decode_http(struct connection *connection, struct answer *answer);

/// Finds the integer after `name` at the end of the body: the last 200 bytes are searched.
bool find_trailing_number(const struct connection *connection, const char *name, uint64_t *number);

enum answer_state answer_failed(struct answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
