/* slow_link: a link of a given rate and delay in front of a TCP server: a relay, as the kernels of test
 * machines lack netem.
 *
 *   slow_link HOST PORT BYTES_PER_SECOND DELAY_US     prints the port of 127.0.0.1 that it listens on
 *
 * What comes is let go at the rate, all connections of one way together, and after the delay. A connection
 * has at most WINDOW bytes on the way, as TCP would. When the machine wakes it late it catches up, by LATE_US
 * at most. One thread; it ends when its parent does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW      (6u << 20)
#define PIECE       (64u << 10)
#define PIECES      4096 /* on the way in one direction, at most */
#define CONNECTIONS 64
#define LATE_US     20000

typedef struct {
    int from, to;
    int over, told; /* nothing more comes; the other side knows */
    char *ring;     /* of WINDOW bytes */
    size_t head, len;
    struct {
        long long due;
        size_t size;
    } pieces[PIECES];
    size_t first, n;
    long long *free_at; /* when the link has let go all that it was given */
} Way;

static Way *ways[2 * CONNECTIONS];
static long long free_at[2], delay_us;
static double rate;

static long long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long long book(long long *line, size_t size, long long now)
{
    if (*line < now - LATE_US)
        *line = now - LATE_US;
    *line += (long long)(size * 1e6 / rate);
    return *line;
}

static int has_room(const Way *way)
{
    return !way->over && way->n < PIECES && way->len < WINDOW;
}

static void take(Way *way, long long now)
{
    while (has_room(way)) {
        size_t at = (way->head + way->len) % WINDOW, room = WINDOW - way->len,
               last = (way->first + way->n) % PIECES;
        size_t size = room < PIECE ? room : PIECE;
        ssize_t got = read(way->from, way->ring + at, size < WINDOW - at ? size : WINDOW - at);

        if (got <= 0) {
            way->over = got == 0 || (errno != EAGAIN && errno != EINTR);
            return;
        }
        way->pieces[last].due = book(way->free_at, got, now) + delay_us;
        way->pieces[last].size = got;
        way->n++;
        way->len += got;
    }
}

static void let_go(Way *way, long long now)
{
    while (way->n && way->pieces[way->first].due <= now) {
        size_t size = way->pieces[way->first].size, to_end = WINDOW - way->head;
        ssize_t put = write(way->to, way->ring + way->head, size < to_end ? size : to_end);

        if (put < 0 && errno != EAGAIN && errno != EINTR) {
            way->over = 1;
            way->n = way->len = 0;
        }
        if (put <= 0)
            break;
        way->head = (way->head + put) % WINDOW;
        way->len -= put;
        way->pieces[way->first].size -= put;
        if (!way->pieces[way->first].size) {
            way->first = (way->first + 1) % PIECES;
            way->n--;
        }
    }
    if (way->over && !way->n && !way->told) {
        shutdown(way->to, SHUT_WR);
        way->told = 1;
    }
}

static Way *new_way(int from, int to, int number)
{
    Way *way = calloc(1, sizeof *way);

    if (!way || !(way->ring = malloc(WINDOW)))
        fail("memory");
    way->from = from;
    way->to = to;
    way->free_at = &free_at[number];
    return way;
}

static void make_quick(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void connect_both(int listener, const struct sockaddr_in *server)
{
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), other, at = 0;

    if (client < 0)
        return;
    while (at < CONNECTIONS && ways[2 * at])
        at++;
    other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (at == CONNECTIONS || other < 0 ||
        connect(other, (const struct sockaddr *)server, sizeof *server) < 0) {
        close(client);
        close(other);
        return;
    }
    fcntl(other, F_SETFL, O_NONBLOCK);
    make_quick(client);
    make_quick(other);
    ways[2 * at] = new_way(client, other, 0);
    ways[2 * at + 1] = new_way(other, client, 1);
}

static void end_both(int at)
{
    close(ways[2 * at]->from);
    close(ways[2 * at]->to);
    for (int i = 0; i < 2; i++) {
        free(ways[2 * at + i]->ring);
        free(ways[2 * at + i]);
        ways[2 * at + i] = NULL;
    }
}

/* Moves what can be moved; gives the microseconds until something is due, -1: nothing is. */
static long long turn(void)
{
    long long wait = -1, now = now_us();

    for (int i = 0; i < 2 * CONNECTIONS; i++) {
        if (!ways[i])
            continue;
        take(ways[i], now);
        let_go(ways[i], now);
        if (ways[i]->n) {
            long long left = ways[i]->pieces[ways[i]->first].due - now;
            left = left > 0 ? left : 0;
            wait = wait < 0 || left < wait ? left : wait;
        }
    }
    for (int at = 0; at < CONNECTIONS; at++)
        if (ways[2 * at] && ways[2 * at]->told && ways[2 * at + 1]->told)
            end_both(at);
    return wait;
}

static void wait_for_more(int listener, const struct sockaddr_in *server, long long wait)
{
    struct pollfd fds[2 * CONNECTIONS + 1] = {{listener, POLLIN, 0}};
    struct timespec limit = {wait / 1000000, wait % 1000000 * 1000};
    long long now = now_us();
    int n = 1;

    for (int i = 0; i < 2 * CONNECTIONS; i++) {
        if (!ways[i])
            continue;
        if (has_room(ways[i]))
            fds[n++] = (struct pollfd){ways[i]->from, POLLIN, 0};
        if (ways[i]->n && ways[i]->pieces[ways[i]->first].due <= now) { /* the receiver is full */
            fds[n++] = (struct pollfd){ways[i]->to, POLLOUT, 0};
            limit = (struct timespec){0, 50 * 1000 * 1000};
        }
    }
    ppoll(fds, n, wait < 0 ? NULL : &limit, NULL);
    if (fds[0].revents)
        connect_both(listener, server);
}

int main(int argc, char **argv)
{
    struct sockaddr_in server = {.sin_family = AF_INET},
                       own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof own;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 5 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
        fprintf(stderr, "usage: slow_link ADDRESS PORT BYTES_PER_SECOND DELAY_US\n");
        return 2;
    }
    server.sin_port = htons(atoi(argv[2]));
    rate = atof(argv[3]);
    delay_us = atoll(argv[4]);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, CONNECTIONS) < 0 ||
        getsockname(listener, (struct sockaddr *)&own, &size) < 0)
        fail("listen");
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    for (;;)
        wait_for_more(listener, &server, turn());
}
