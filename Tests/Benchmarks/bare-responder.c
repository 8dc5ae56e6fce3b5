// The floor under every figure: answers each SMTP line with "250" at once and looks nothing up.
// What it reaches is what the load generator, the sockets and the scheduler allow on this machine;
// no directory can answer faster. One thread, epoll, level-triggered. It never stops by itself.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 65536, EVENTS = 64 };

static const char greeting[] = "220 bare.example.org ESMTP\r\n";
// EHLO is the one command whose answer a client reads more of than the code.
static const char hello[] = "250-bare.example.org\r\n250 PIPELINING\r\n";
static const char ok[] = "250 2.1.5 OK\r\n";

// A client that doesn't read its answers would make this block; the load generator always reads.
static int sendAll(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return -1;
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}

// One answer for each line end in what was read; a line may come in pieces, and then counts with its last one.
// `first` is 0 at the start of a line, then 'E' or '.': whether this line is the EHLO.
static int answer(int fd, char *first, const char *in, size_t count) {
    static char out[BUFFER * sizeof ok];
    size_t used = 0;
    int isHello = *first == 'E';
    for (size_t i = 0; i < count; i++) {
        if (*first == 0) {
            *first = (in[i] == 'e' || in[i] == 'E') ? 'E' : '.';
            isHello = *first == 'E';
        }
        if (in[i] != '\n') continue;
        const char *reply = isHello ? hello : ok;
        size_t length = isHello ? sizeof hello - 1 : sizeof ok - 1;
        memcpy(out + used, reply, length);
        used += length;
        *first = 0;
        isHello = 0;
        if (used + sizeof hello > sizeof out) {
            if (sendAll(fd, out, used)) return -1;
            used = 0;
        }
    }
    return sendAll(fd, out, used);
}

static int listening(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024)) {
        perror("bare-responder");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: bare-responder PORT\n");
        return 64;
    }
    static char first[BUFFER];
    static char in[BUFFER];
    int server = listening(atoi(argv[1])), poll = epoll_create1(0), one = 1;
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = server}, ready[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, server, &wanted);
    for (;;) {
        int count = epoll_wait(poll, ready, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == server) {
                int client = accept(server, NULL, NULL);
                if (client < 0) continue;
                if (client >= BUFFER) {
                    close(client);
                    continue;
                }
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                first[client] = 0;
                wanted.data.fd = client;
                epoll_ctl(poll, EPOLL_CTL_ADD, client, &wanted);
                if (sendAll(client, greeting, sizeof greeting - 1)) close(client);
                continue;
            }
            ssize_t got = read(fd, in, sizeof in);
            if (got <= 0 || answer(fd, &first[fd], in, (size_t)got)) close(fd);
        }
    }
}
