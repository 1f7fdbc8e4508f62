#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES 262144

void connection_open(struct connection *connection, int port, int number)
{
    memset(connection, 0, sizeof *connection);
    connection->number = number;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->socket < 0) fail("no socket for connection %d: %s", number, strerror(errno));
    if (connect(connection->socket, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connection %d to port %d: %s", number, port, strerror(errno));
    int yes = 1;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(connection->socket, F_SETFL, fcntl(connection->socket, F_GETFL) | O_NONBLOCK);
}

void connection_close(struct connection *connection)
{
    if (connection->socket >= 0) close(connection->socket);
    connection->socket = -1;
    connection->waiting = false;
}

enum transfer connection_send(struct connection *connection, const char *start, size_t length)
{
    connection->output = start;
    connection->output_length = length;
    connection->output_sent = 0;
    return connection_continue_sending(connection);
}

enum transfer connection_continue_sending(struct connection *connection)
{
    while (connection->output_sent < connection->output_length) {
        ssize_t count = send(connection->socket, connection->output + connection->output_sent,
                             connection->output_length - connection->output_sent, MSG_NOSIGNAL);
        if (count >= 0) {
            connection->output_sent += (size_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return TRANSFER_PARTIAL;
        } else if (errno != EINTR) {
            return TRANSFER_CLOSED;
        }
    }
    return TRANSFER_DONE;
}

enum transfer connection_receive(struct connection *connection)
{
    struct bytes *input = &connection->input;
    // Small answers come whole with one call; a buffer with little room left grows first.
    size_t wanted = input->length < 4096 ? 16384 : RECEIVE_BYTES;
    bytes_reserve(input, wanted);
    for (;;) {
        ssize_t count = recv(connection->socket, input->start + input->length,
                             input->capacity - input->length, 0);
        if (count > 0) {
            input->length += (size_t)count;
            return TRANSFER_DONE;
        }
        if (count == 0) return TRANSFER_CLOSED;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return TRANSFER_PARTIAL;
        if (errno != EINTR) return TRANSFER_CLOSED;
    }
}

void connection_forget_answer(struct connection *connection)
{
    connection->input.length = 0;
    memset(&connection->http, 0, sizeof connection->http);
    memset(&connection->redis, 0, sizeof connection->redis);
    memset(&connection->postgres, 0, sizeof connection->postgres);
}
