/// Many readers that wait at the end of a topic, and how long a new message takes to reach all.
///
///     --kind poll|events --port P --readers N
///     --request-file F            what each reader sends first
///     --follow-file F             poll: what it sends next; {position} is the answer's next_offset
///     --produce-file F            a request that produces one message
///
/// Prints `begin` once all requests are sent (events: once all streams have begun). Then each line
/// of standard input produces one message, and a line of JSON says when it had reached the readers;
/// the end of standard input ends the program.
#include "commands.h"

#include "answer.h"
#include "clock.h"
#include "histogram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define DELIVERY_SECONDS 10

struct crowd {
    bool events;
    struct bytes request;
    struct bytes follow;
    struct bytes produce;
    struct connection *readers;
    uint64_t *received;  ///< messages, by reader
    int reader_count;
    int begun;  ///< events: streams that have begun
    struct connection producer;
    int poller;
    uint64_t deliveries;    ///< messages produced so far
    uint64_t produced_at;   ///< when the last one was sent
    uint64_t acknowledged;  ///< nanoseconds until its answer; 0 until then
    int reached;            ///< readers that have it
    uint64_t empty_answers; ///< polls that ended without a message
    struct histogram delays;
};

static void count_message(struct crowd *crowd, struct connection *reader)
{
    uint64_t *received = &crowd->received[reader->number];
    if (++*received > crowd->deliveries) fail("reader %d got a message twice", reader->number);
    if (*received < crowd->deliveries) return;
    histogram_record(&crowd->delays, clock_nanoseconds() - crowd->produced_at);
    crowd->reached++;
}

/// Sends a request that must fit into the socket's buffer, as small ones do.
static void send_small(struct connection *connection, const struct bytes *request)
{
    if (connection_send(connection, request->start, request->length) != TRANSFER_DONE)
        fail("connection %d: cannot send", connection->number);
}

/// Counts the messages of a whole poll and asks for what comes next.
static void take_poll(struct crowd *crowd, struct connection *reader)
{
    uint64_t next_offset;
    if (!find_trailing_number(reader, "\"next_offset\":", &next_offset))
        fail("reader %d: no next_offset in the answer", reader->number);
    const char *body = reader->input.start + reader->http.header_length;
    const char *end = body + reader->http.body_length;
    const char mark[] = "\"payload\":";
    int messages = 0;
    while ((body = memmem(body, (size_t)(end - body), mark, sizeof mark - 1))) {
        body += sizeof mark - 1;
        messages++;
        count_message(crowd, reader);
    }
    if (messages == 0) crowd->empty_answers++;
    snprintf(reader->position, sizeof reader->position, "%llu", (unsigned long long)next_offset);
    connection_forget_answer(reader);
    bytes_fill_in(&reader->own_output, &crowd->follow, reader->position);
    send_small(reader, &reader->own_output);
}

/// Counts the `data:` lines of a stream and drops all whole lines.
static void take_events(struct crowd *crowd, struct connection *reader)
{
    struct http_progress *http = &reader->http;
    struct bytes *input = &reader->input;
    char *body = input->start + http->header_length;
    size_t taken = 0;
    for (;;) {
        char *line = body + taken;
        char *end = memchr(line, '\n', http->body_length - taken);
        if (!end) break;
        if (end - line > 5 && memcmp(line, "data:", 5) == 0) count_message(crowd, reader);
        taken = (size_t)(end + 1 - body);
    }
    memmove(body, body + taken, http->body_length - taken);
    http->body_length -= taken;
    size_t raw = input->length - http->raw_parsed;
    size_t kept = http->header_length + http->body_length;
    memmove(input->start + kept, input->start + http->raw_parsed, raw);
    http->raw_parsed = kept;
    input->length = kept + raw;
}

static void take_reader(struct crowd *crowd, struct connection *reader)
{
    enum transfer transfer = connection_receive(reader);
    if (transfer == TRANSFER_PARTIAL) return;
    if (transfer == TRANSFER_CLOSED) fail("reader %d: the server hung up", reader->number);
    bool had_header = reader->http.header_length > 0;
    struct answer answer = {0};
    enum answer_state state = decode_http(reader, &answer);
    if (state == ANSWER_FAILED) fail("reader %d: %s", reader->number, answer.error);
    if (reader->http.header_length == 0) return;
    if (reader->http.status != 200)
        fail("reader %d: status %d", reader->number, reader->http.status);
    if (crowd->events) {
        if (!had_header) crowd->begun++;
        if (state == ANSWER_COMPLETE) fail("reader %d: the stream ended", reader->number);
        take_events(crowd, reader);
    } else if (state == ANSWER_COMPLETE) {
        take_poll(crowd, reader);
    }
}

static void take_acknowledgement(struct crowd *crowd)
{
    struct connection *producer = &crowd->producer;
    struct expectation expectation = {.text = "\"offset\":", .messages = 1};
    struct answer answer = {0};
    enum transfer transfer = connection_receive(producer);
    if (transfer == TRANSFER_PARTIAL) return;
    if (transfer == TRANSFER_CLOSED) fail("the server hung up on the producer");
    enum answer_state state = parse_http_answer(producer, &expectation, &answer);
    if (state == ANSWER_FAILED) fail("produce: %s", answer.error);
    if (state == ANSWER_INCOMPLETE) return;
    crowd->acknowledged = clock_nanoseconds() - crowd->produced_at;
    connection_forget_answer(producer);
}

/// Handles what has come; true when standard input has something to say.
static bool turn(struct crowd *crowd, int milliseconds)
{
    struct epoll_event events[256];
    bool input = false;
    int count = epoll_wait(crowd->poller, events, 256, milliseconds);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int index = 0; index < count; index++) {
        struct connection *connection = events[index].data.ptr;
        if (!connection) input = true;
        else if (connection == &crowd->producer) take_acknowledgement(crowd);
        else take_reader(crowd, connection);
    }
    return input;
}

static void deliver(struct crowd *crowd)
{
    memset(&crowd->delays, 0, sizeof crowd->delays);
    crowd->deliveries++;
    crowd->reached = 0;
    crowd->acknowledged = 0;
    crowd->produced_at = clock_nanoseconds();
    send_small(&crowd->producer, &crowd->produce);
    uint64_t deadline = crowd->produced_at + DELIVERY_SECONDS * 1000000000ull;
    while (crowd->reached < crowd->reader_count || crowd->acknowledged == 0) {
        turn(crowd, 100);
        if (clock_nanoseconds() > deadline)
            fail("only %d of %d readers had the message after %d s", crowd->reached,
                 crowd->reader_count, DELIVERY_SECONDS);
    }
    printf("{\"readers\":%d,\"acknowledged_milliseconds\":%.3f,\"median_milliseconds\":%.3f,"
           "\"last_milliseconds\":%.3f,\"empty_answers\":%llu}\n",
           crowd->reached, (double)crowd->acknowledged / 1e6,
           histogram_microseconds(&crowd->delays, 0.5) / 1000, (double)crowd->delays.largest / 1e6,
           (unsigned long long)crowd->empty_answers);
    fflush(stdout);
}

static void watch(struct crowd *crowd, int file, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(crowd->poller, EPOLL_CTL_ADD, file, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void open_all(struct crowd *crowd, int port)
{
    crowd->poller = epoll_create1(EPOLL_CLOEXEC);
    connection_open(&crowd->producer, port, -1);
    watch(crowd, crowd->producer.socket, &crowd->producer);
    for (int number = 0; number < crowd->reader_count; number++) {
        struct connection *reader = &crowd->readers[number];
        connection_open(reader, port, number);
        watch(crowd, reader->socket, reader);
        send_small(reader, &crowd->request);
    }
    uint64_t deadline = clock_nanoseconds() + DELIVERY_SECONDS * 1000000000ull;
    while (crowd->events && crowd->begun < crowd->reader_count) {
        turn(crowd, 100);
        if (clock_nanoseconds() > deadline)
            fail("only %d of %d streams have begun", crowd->begun, crowd->reader_count);
    }
    watch(crowd, STDIN_FILENO, NULL);
}

int run_readers(const struct options *options)
{
    static struct crowd crowd;
    crowd.events = strcmp(option_required(options, "--kind"), "events") == 0;
    crowd.request = bytes_of_file(option_required(options, "--request-file"));
    if (!crowd.events) crowd.follow = bytes_of_file(option_required(options, "--follow-file"));
    crowd.produce = bytes_of_file(option_required(options, "--produce-file"));
    crowd.reader_count = (int)option_number(options, "--readers", 1000);
    crowd.readers = calloc((size_t)crowd.reader_count, sizeof *crowd.readers);
    crowd.received = calloc((size_t)crowd.reader_count, sizeof *crowd.received);
    open_all(&crowd, (int)option_number(options, "--port", 0));
    announce("begin");
    for (;;) {
        if (!turn(&crowd, -1)) continue;
        char line[64];
        ssize_t count = read(STDIN_FILENO, line, sizeof line);
        if (count <= 0) return 0;
        deliver(&crowd);
    }
}
