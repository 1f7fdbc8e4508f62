/// The closed loop: each connection sends a request, waits for its answer, sends the next.
///
///     --protocol http|redis|postgres --port P --request-file F
///     [--opening-file F]          sent once a connection, its answer awaited, before all else
///     [--connections 1] [--warm-up 0] [--seconds 1] [--requests N]
///     [--messages 1]              messages in a request or its answer
///     [--expect TEXT]             HTTP: every body contains it
///     [--walk-start POSITION --walk-messages N]
///                                 fills {position} in; goes on where the last answer ended, and
///                                 begins again after N messages
///
/// With --requests it ends after so many, without a warm-up. Only answers that came within the
/// measured time count; those outstanding at its end are awaited and checked all the same.
#include "commands.h"

#include "answer.h"
#include "clock.h"
#include "histogram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define SILENCE_SECONDS 30
#define ERRORS_MAX 100

struct loop {
    answer_parser *parse;
    struct expectation expectation;
    struct bytes opening;
    struct bytes request;
    struct connection *connections;
    int connection_count;
    int poller;
    uint64_t requests_max;  ///< 0: no limit
    uint64_t warm_up;       ///< nanoseconds
    uint64_t duration;      ///< nanoseconds
    bool stopping;
    bool measuring;
    int outstanding;
    uint64_t sent;
    uint64_t errors;
    char first_error[200];
    uint64_t requests;  ///< answered within the measured time
    uint64_t messages;
    uint64_t bytes_received;
    struct histogram latencies;
};

static void note_error(struct loop *loop, const char *text)
{
    if (loop->errors++ == 0) snprintf(loop->first_error, sizeof loop->first_error, "%s", text);
    if (loop->errors >= ERRORS_MAX) loop->stopping = true;
}

static void give_up(struct loop *loop, struct connection *connection, const char *text)
{
    if (connection->waiting) loop->outstanding--;
    connection_close(connection);
    note_error(loop, text);
}

/// Asks the poller to report room for sending only while there is something left to send.
static void watch_for_room(struct loop *loop, struct connection *connection, bool wanted)
{
    if (connection->wants_write == wanted) return;
    connection->wants_write = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0),
                                .data.ptr = connection};
    epoll_ctl(loop->poller, EPOLL_CTL_MOD, connection->socket, &event);
}

static void after_sending(struct loop *loop, struct connection *connection, enum transfer result)
{
    if (result == TRANSFER_CLOSED)
        give_up(loop, connection, "the connection closed while sending");
    else
        watch_for_room(loop, connection, result == TRANSFER_PARTIAL);
}

static void send_next(struct loop *loop, struct connection *connection)
{
    if (loop->requests_max && loop->sent >= loop->requests_max) loop->stopping = true;
    if (loop->stopping) return;
    const struct expectation *expectation = &loop->expectation;
    const struct bytes *request = &loop->request;
    if (expectation->walks) {
        if (connection->position[0] == 0 || connection->walked >= expectation->walk_messages) {
            snprintf(connection->position, sizeof connection->position, "%s",
                     expectation->walk_start);
            connection->walked = 0;
        }
        bytes_fill_in(&connection->own_output, &loop->request, connection->position);
        request = &connection->own_output;
    }
    loop->sent++;
    loop->outstanding++;
    connection->waiting = true;
    connection->sent_at = clock_nanoseconds();
    after_sending(loop, connection, connection_send(connection, request->start, request->length));
}

static void take_answer(struct loop *loop, struct connection *connection)
{
    enum transfer transfer = connection_receive(connection);
    if (transfer == TRANSFER_PARTIAL) return;
    if (transfer == TRANSFER_CLOSED) {
        give_up(loop, connection, "the server closed a connection");
        return;
    }
    if (!connection->waiting) {
        give_up(loop, connection, "bytes that no request asked for");
        return;
    }
    struct answer answer = {0};
    enum answer_state state = loop->parse(connection, &loop->expectation, &answer);
    if (state == ANSWER_INCOMPLETE) return;
    if (state == ANSWER_FAILED) {
        give_up(loop, connection, answer.error);
        return;
    }
    if (loop->measuring) {
        histogram_record(&loop->latencies, clock_nanoseconds() - connection->sent_at);
        loop->requests++;
        loop->messages += answer.messages;
        loop->bytes_received += connection->input.length;
    }
    connection->waiting = false;
    loop->outstanding--;
    connection_forget_answer(connection);
    send_next(loop, connection);
}

/// Waits up to `timeout` nanoseconds for something to happen, and handles it.
static bool turn(struct loop *loop, uint64_t timeout)
{
    struct epoll_event events[256];
    int count = epoll_wait(loop->poller, events, 256, (int)(timeout / 1000000) + 1);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int index = 0; index < count; index++) {
        struct connection *connection = events[index].data.ptr;
        if (connection->socket < 0) continue;
        if (events[index].events & EPOLLOUT)
            after_sending(loop, connection, connection_continue_sending(connection));
        if (connection->socket >= 0 && events[index].events & ~(uint32_t)EPOLLOUT)
            take_answer(loop, connection);
    }
    return count > 0;
}

/// Takes turns until `deadline`, or until no request is outstanding any more.
static void turn_until(struct loop *loop, uint64_t deadline)
{
    uint64_t silence = SILENCE_SECONDS * 1000000000ull;
    uint64_t heard = clock_nanoseconds();
    while (loop->outstanding > 0) {
        uint64_t now = clock_nanoseconds();
        if (now >= deadline || (loop->stopping && deadline != UINT64_MAX)) return;
        uint64_t left = deadline - now;
        if (turn(loop, left < silence ? left : silence)) heard = now;
        if (now - heard > silence) {
            note_error(loop, "no answer for 30 seconds");
            return;
        }
    }
}

/// Opens a connection, and where the protocol asks for it, waits until the server is ready.
static void open_connection(struct loop *loop, struct connection *connection, int port, int number)
{
    connection_open(connection, port, number);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (loop->opening.length > 0) {
        struct expectation none = {0};
        struct answer answer = {0};
        uint64_t deadline = clock_nanoseconds() + SILENCE_SECONDS * 1000000000ull;
        connection_send(connection, loop->opening.start, loop->opening.length);
        enum answer_state state = ANSWER_INCOMPLETE;
        while (state == ANSWER_INCOMPLETE) {
            enum transfer transfer = connection_receive(connection);
            if (transfer == TRANSFER_CLOSED) fail("the server closed connection %d", number);
            if (transfer == TRANSFER_DONE) state = loop->parse(connection, &none, &answer);
            if (clock_nanoseconds() > deadline) fail("connection %d was not opened", number);
        }
        if (state == ANSWER_FAILED) fail("connection %d: %s", number, answer.error);
        connection_forget_answer(connection);
    }
    if (epoll_ctl(loop->poller, EPOLL_CTL_ADD, connection->socket, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void read_options(struct loop *loop, const struct options *options)
{
    const char *protocol = option_required(options, "--protocol");
    if (strcmp(protocol, "http") == 0) loop->parse = parse_http_answer;
    else if (strcmp(protocol, "redis") == 0) loop->parse = parse_redis_answer;
    else if (strcmp(protocol, "postgres") == 0) loop->parse = parse_postgres_answer;
    else fail("no protocol %s", protocol);
    loop->request = bytes_of_file(option_required(options, "--request-file"));
    const char *opening = option_text(options, "--opening-file", NULL);
    if (opening) loop->opening = bytes_of_file(opening);
    loop->connection_count = (int)option_number(options, "--connections", 1);
    loop->warm_up = nanoseconds_of(option_number(options, "--warm-up", 0));
    loop->duration = nanoseconds_of(option_number(options, "--seconds", 1));
    loop->requests_max = (uint64_t)option_number(options, "--requests", 0);
    loop->expectation.messages = (uint64_t)option_number(options, "--messages", 1);
    loop->expectation.text = option_text(options, "--expect", NULL);
    loop->expectation.walk_start = option_text(options, "--walk-start", NULL);
    loop->expectation.walks = loop->expectation.walk_start != NULL;
    loop->expectation.walk_messages = (uint64_t)option_number(options, "--walk-messages", 0);
    if (loop->expectation.messages == 0) fail("--messages must not be 0");
}

static void print_result(const struct loop *loop, double seconds, double cpu)
{
    printf("{\"seconds\":%.6f,\"requests\":%llu,\"messages\":%llu,\"bytes_received\":%llu,",
           seconds, (unsigned long long)loop->requests, (unsigned long long)loop->messages,
           (unsigned long long)loop->bytes_received);
    printf("\"requests_per_second\":%.1f,\"messages_per_second\":%.1f,",
           (double)loop->requests / seconds, (double)loop->messages / seconds);
    printf("\"p50_microseconds\":%.2f,\"p99_microseconds\":%.2f,\"largest_microseconds\":%.2f,",
           histogram_microseconds(&loop->latencies, 0.5),
           histogram_microseconds(&loop->latencies, 0.99), (double)loop->latencies.largest / 1000);
    printf("\"generator_cpu_share\":%.4f,\"errors\":%llu,\"first_error\":", cpu / seconds,
           (unsigned long long)loop->errors);
    print_json_string(loop->first_error);
    puts("}");
}

int run_requests(const struct options *options)
{
    static struct loop loop;
    read_options(&loop, options);
    int port = (int)option_number(options, "--port", 0);
    loop.poller = epoll_create1(EPOLL_CLOEXEC);
    loop.connections = calloc((size_t)loop.connection_count, sizeof *loop.connections);
    for (int number = 0; number < loop.connection_count; number++)
        open_connection(&loop, &loop.connections[number], port, number);

    bool counted = loop.requests_max > 0;
    loop.measuring = counted;
    if (counted) announce("begin");
    double cpu = own_cpu_seconds();
    uint64_t begin = clock_nanoseconds();
    for (int number = 0; number < loop.connection_count; number++)
        send_next(&loop, &loop.connections[number]);
    if (!counted) {
        turn_until(&loop, begin + loop.warm_up);
        announce("begin");
        cpu = own_cpu_seconds();
        begin = clock_nanoseconds();
        loop.measuring = true;
        turn_until(&loop, begin + loop.duration);
        loop.measuring = false;
        loop.stopping = true;
    } else {
        turn_until(&loop, UINT64_MAX);
    }
    double seconds = (double)(clock_nanoseconds() - begin) / 1e9;
    cpu = own_cpu_seconds() - cpu;
    announce("end");
    turn_until(&loop, UINT64_MAX);
    print_result(&loop, seconds, cpu);
    return loop.errors > 0;
}
