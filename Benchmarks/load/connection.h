/// One keep-alive connection to 127.0.0.1 with at most one request outstanding.
#ifndef LOAD_CONNECTION_H
#define LOAD_CONNECTION_H

#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>

/// How far the HTTP parser has come within `input`; see http_answer.c.
struct http_progress {
    size_t header_length;  ///< 0 until the whole header is there
    int status;
    bool chunked;
    bool complete;
    uint64_t body_expected;  ///< from Content-Length
    size_t body_length;      ///< bytes of body at `header_length`
    size_t raw_parsed;       ///< chunked: input before this is decoded
    uint64_t chunk_left;     ///< chunked: bytes of the current chunk still to come
};

/// How far the Redis parser has come within `input`; see redis_answer.c.
struct redis_progress {
    size_t parsed;
    int depth;
    int64_t left[8];  ///< values still to come, by depth
    uint64_t replies;
    uint64_t entries;
    size_t last_id_start;
    size_t last_id_length;
};

/// How far the PostgreSQL parser has come within `input`; see postgres_answer.c.
struct postgres_progress {
    size_t parsed;
    uint64_t ready_count;
    uint64_t rows;
};

struct connection {
    int socket;  ///< -1 once closed
    int number;
    const char *output;
    size_t output_length;
    size_t output_sent;
    struct bytes own_output;  ///< a request that was filled in for this connection
    struct bytes input;
    uint64_t sent_at;  ///< nanoseconds
    bool waiting;      ///< a request is outstanding
    bool wants_write;  ///< the poller waits for room to send
    char position[48]; ///< where the next read of a walk begins
    uint64_t walked;   ///< messages read since the walk began
    struct http_progress http;
    struct redis_progress redis;
    struct postgres_progress postgres;
};

enum transfer { TRANSFER_DONE, TRANSFER_PARTIAL, TRANSFER_CLOSED };

/// Connects and makes the socket non-blocking; ends the program when nobody listens.
void connection_open(struct connection *connection, int port, int number);

void connection_close(struct connection *connection);

/// Begins to send `length` bytes, which must stay in place until they are sent.
enum transfer connection_send(struct connection *connection, const char *start, size_t length);

/// Goes on sending after TRANSFER_PARTIAL.
enum transfer connection_continue_sending(struct connection *connection);

/// Reads what is there into `input`. TRANSFER_PARTIAL: nothing more for now.
enum transfer connection_receive(struct connection *connection);

/// Forgets the answer in `input`, ready for the next one.
void connection_forget_answer(struct connection *connection);

#endif
