/* The floor: epoll and send(), and nothing else.
 *
 * usage: floor PORT PUBLISH_PORT send|gather FRAME_BYTES
 *
 * PORT          subscribers; what one sends comes back to it
 * PUBLISH_PORT  the publisher; each frame of FRAME_BYTES goes to all subscribers, with one send()
 *               for each frame and subscriber (send), or for each read and subscriber (gather)
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SUBSCRIBERS = 70000, BUFFER_BYTES = 1 << 17, EVENTS = 512 };

static int poller;
static int subscribers[MAX_SUBSCRIBERS], count;
static int publisher = -1;
static char buffer[BUFFER_BYTES];
static int buffered;

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (void *)&address, sizeof address) || listen(fd, 4096)) {
        perror("listen");
        exit(1);
    }
    watch(fd);
    return fd;
}

static void send_to_all(const char *bytes, int length) {
    for (int i = 0; i < count; i++)
        send(subscribers[i], bytes, length, MSG_NOSIGNAL);
}

static void read_publisher(int frame_bytes, int is_gathering) {
    int got = recv(publisher, buffer + buffered, sizeof buffer - buffered, 0);
    if (got <= 0) {
        close(publisher);
        publisher = -1;
        buffered = 0;
        return;
    }
    buffered += got;
    int whole = buffered / frame_bytes * frame_bytes;
    int step = is_gathering ? whole : frame_bytes;
    for (int i = 0; i < whole; i += step)
        send_to_all(buffer + i, step);
    buffered -= whole;
    memmove(buffer, buffer + whole, buffered);
}

static void read_subscriber(int fd) {
    static char bytes[65536];
    int got = recv(fd, bytes, sizeof bytes, 0);
    if (got > 0) {
        send(fd, bytes, got, MSG_NOSIGNAL);
        return;
    }
    close(fd);
    for (int i = 0; i < count; i++)
        if (subscribers[i] == fd) {
            subscribers[i] = subscribers[--count];
            return;
        }
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 1;
    int is_gathering = !strcmp(argv[3], "gather"), frame_bytes = atoi(argv[4]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    poller = epoll_create1(0);
    int door = listen_on(atoi(argv[1])), publisher_door = listen_on(atoi(argv[2]));
    static struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd, one = 1;
            if (fd == publisher) {
                read_publisher(frame_bytes, is_gathering);
            } else if (fd == door || fd == publisher_door) {
                int accepted = accept(fd, 0, 0);
                setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                watch(accepted);
                if (fd == door)
                    subscribers[count++] = accepted;
                else
                    publisher = accepted;
            } else {
                read_subscriber(fd);
            }
        }
    }
}
