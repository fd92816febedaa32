/* loadgen: one-process epoll load generator for push systems.
 *
 * It knows no product. A file (--spec, written by conversation.py) says which bytes each client
 * sends, what it waits for, and how the stream that comes back is framed. Every message holds the
 * marker "@M" and 7 digits, its sequence number; the generator looks for it in the decoded stream
 * of every client and counts gaps, duplicates and what never comes.
 *
 *   --mode fanout   one publisher, --n subscribers. At most --window messages are on their way to
 *                   the slowest subscriber, or, with --rate, so many are sent in a second. With
 *                   --seconds there are more than --msgs messages, if there is time for them.
 *   --mode echo     --n clients, each sends its next message when it has its last one back.
 *   --mode hold     --n clients that do nothing, for their memory; --stages 1000,5000 in steps.
 *
 * The spec, one word and its arguments in each line, byte templates in hexadecimal:
 *
 *   role sub|pub                            what follows is about subscribers, or the publisher
 *   addr down|up HOST PORT raw|http|ws      a client has up to two connections
 *   late HOST PORT                          where "up" goes once the conversation has begun
 *   step down|up BYTES|- none|resp|capture|pat [BYTES]
 *                                           send, then wait for nothing, for the end of an HTTP
 *                                           response (kept as <<KEY>>), or for these bytes
 *   publish down|up BYTES [resp]            one message; resp: wait for its response
 *   repoll BYTES                            sent after each complete response on "down" (long poll)
 *   packets text|raw|sse                    the stream holds packets of Orbited; text: in base64,
 *                                           sse: as JSON in events
 *   ack down|up BYTES packets|bytes N       sent after so many packets, or bytes of their data; what
 *                                           is asked for with repoll acknowledges as well
 *   pong down|up BYTES                      answers a packet called ping
 *   upclose                                 close "up" when the conversation has begun
 *   eio                                     answer the pings of Engine.IO
 *   given BYTES ...                         what the next client knows already: its <<GV0>>, <<GV1>>
 *
 * In templates: <<IDX>> number of the client and <<SEQ>> of the message (7 digits each), <<KEY>>
 * what was captured, <<ACK>> the last packet id read, <<UPK>> the id of the next packet upstream as
 * an argument of a packet, <<AKP>> a whole packet that acknowledges; and around other bytes
 * <<B64:...:B64>> their base64, <<ARG:...:ARG>> the last argument of a packet, <<WSF:...:WSF>> one
 * binary WebSocket frame (masked with 0, so that it can be read), <<LEN:...:LEN>> their length as
 * the last line of an HTTP head, and then they.
 *
 * The last line on stdout is a JSON object with the figures. CPU time is that of --pids.
 * LG_DEBUG=1 in the environment tells about refused requests and lost connections.
 *
 * cc -O2 -o loadgen loadgen.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef unsigned char u8;

static void die(const char *m) {
    fprintf(stderr, "loadgen: %s (errno %s)\n", m, strerror(errno));
    exit(2);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

/* ---------- templates ---------- */
enum { S_LIT, S_IDX, S_SEQ, S_KEY, S_ACK, S_UPK, S_AKP, S_GIV, S_B64, S_WSF, S_LEN, S_ARG };

static const char *const TOKENS[] = {0,         "<<IDX>>", "<<SEQ>>", "<<KEY>>",
                                     "<<ACK>>", "<<UPK>>", "<<AKP>>", "<<GV",
                                     "<<B64:",  "<<WSF:",  "<<LEN:",  "<<ARG:"};
typedef struct tmpl tmpl;

typedef struct {
    int type;
    u8 *lit;
    int len;
    tmpl *sub;
} seg;

struct tmpl {
    seg s[24];
    int n;
};

static void literal(tmpl *t, const u8 *p, int n) {
    if (t->n > 20)
        die("template too long");
    if (n <= 0)
        return;
    seg *g = &t->s[t->n++];
    g->type = S_LIT;
    g->len = n;
    g->lit = malloc(n);
    memcpy(g->lit, p, n);
}

static tmpl *compile(const u8 *p, int n) {
    tmpl *t = calloc(1, sizeof *t);
    int i = 0, begin = 0;
    while (i < n) {
        int type = S_LIT, length = 7;
        if (i + 7 <= n && p[i] == '<' && p[i + 1] == '<')
            for (int k = S_IDX; k <= S_ARG; k++)
                if (!memcmp(p + i, TOKENS[k], strlen(TOKENS[k])))
                    type = k;
        if (type == S_LIT) {
            i++;
            continue;
        }
        literal(t, p + begin, i - begin);
        seg *g = &t->s[t->n++];
        g->type = type;
        if (type == S_GIV)
            g->len = p[i + 4] - '0';
        if (type >= S_B64) {
            char end[8] = {':', p[i + 2], p[i + 3], p[i + 4], '>', '>', 0};
            u8 *e = memmem(p + i, n - i, end, 6);
            if (!e)
                die("a token that surrounds bytes has no end");
            g->sub = compile(p + i + 6, e - (p + i + 6));
            length = e + 6 - (p + i);
        }
        begin = i += length;
    }
    literal(t, p + begin, n - begin);
    return t;
}

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int b64enc(const u8 *in, int n, u8 *out) {
    int o = 0;
    for (int i = 0; i < n; i += 3) {
        unsigned v = in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
        out[o++] = B64[v >> 18];
        out[o++] = B64[(v >> 12) & 63];
        out[o++] = i + 1 < n ? B64[(v >> 6) & 63] : '=';
        out[o++] = i + 2 < n ? B64[v & 63] : '=';
    }
    return o;
}

static signed char D64[256];

static int b64dec(const u8 *in, int n, u8 *out) {
    int o = 0, i = 0;
    for (; i + 4 <= n; i += 4) { /* four at a time, as long as there is nothing but digits */
        int a = D64[in[i]], b = D64[in[i + 1]], c = D64[in[i + 2]], d = D64[in[i + 3]];
        if ((a | b | c | d) < 0)
            break;
        unsigned v = (unsigned)a << 18 | b << 12 | c << 6 | d;
        out[o++] = v >> 16;
        out[o++] = v >> 8;
        out[o++] = v;
    }
    unsigned v = 0, k = 0;
    for (; i < n; i++) {
        int d = D64[in[i]];
        if (d < 0)
            continue;
        v = v << 6 | d;
        if (++k == 4) {
            out[o++] = v >> 16;
            out[o++] = v >> 8;
            out[o++] = v;
            k = 0;
            v = 0;
        }
    }
    if (k == 2)
        out[o++] = v >> 4;
    else if (k == 3) {
        out[o++] = v >> 10;
        out[o++] = v >> 2;
    }
    return o;
}

/* ---------- spec ---------- */
enum { L1_RAW, L1_HTTP, L1_WS };

enum { L2_NONE, L2_ORB };

enum { W_NONE, W_PAT, W_RESP };

typedef struct {
    int sock;
    tmpl *send;
    int wait;
    u8 *pat;
    int patlen;
    int capture;
} step;

typedef struct {
    struct sockaddr_in addr[2];
    int has[2];
    int l1[2];
    int l2;
    step steps[24];
    int nsteps;
    tmpl *pub;
    int pubsock, pubwait;
    tmpl *repoll, *ack, *pong;
    int acksock, pongsock, is_raw, is_sse;
    long ack_packets, ack_bytes; /* the one that does not count is 0 */
    int upclose;
    int eio;
    struct sockaddr_in late;
    int haslate; /* late: where "up" connects once ready */
} role;

static role roles[2]; /* 0 sub, 1 pub */

enum { MAX_GIVEN = 4096, GIVEN_VALUES = 6 };

static struct {
    u8 *bytes[GIVEN_VALUES];
    int length[GIVEN_VALUES];
} given[MAX_GIVEN];

static int ngiven;

enum { MAX_MESSAGES = 9000000 }; /* their numbers have 7 digits */

/* ---------- clients ---------- */
struct client;

typedef struct {
    int fd;
    int which;
    struct client *c;
    int want_out;
    int st;
    long rem;
    char hb[32];
    int hn;
    int chunked;
    int inresp; /* http / ws state */
    u8 *hdr;
    int hdrn;
    u8 *out;
    int on, ocap;
    int resp_pending;
} sk;

typedef struct client {
    role *r;
    int idx;
    int step;
    int ready;
    int waiting;
    sk s[2];
    u8 *acc;
    int accn;
    char key[128];
    int keyn;
    int keycap;
    long ack, upstream_id;
    long unacked, unacked_bytes;
    /* orbited packet parser */
    int ost;
    int olast;
    long olen;
    int oarg;
    int oname;
    u8 *obuf;
    int on, ocap;
    /* scanner */
    int sst;
    int sval;
    int expect;
    long got;
    /* echo */
    int seq;
    double t0;
    int pend_deliv;
} client;

static int ep, maxev = 512;
static client *cl;
static int ncl;
static client pubc;
static int mode;

enum { M_FAN, M_ECHO, M_HOLD };

static long delivered, gaps, dups, closed_early;
static double tbatch;
static int nready, measuring;
static double *pubt;
static long npub_total, published;
static long echo_done, echo_started;
static int quitting;
static double stall = 6;
static long echo_total;

/* latency histogram, 64 sub-buckets per octave, microseconds */
#define HB 2048
static long hist[HB];

static void hadd(double s) {
    double us = s * 1e6;
    if (us < 1)
        us = 1;
    if (us > 6e8)
        us = 6e8;
    /* A double at least 1 has its octave in the exponent, and the rest behind it. */
    unsigned long long bits;
    memcpy(&bits, &us, sizeof bits);
    int b = (int)((bits >> 52) - 1023) * 64 + (int)(bits >> 46 & 63);
    if (b >= HB)
        b = HB - 1;
    hist[b]++;
}

static double hq(double q) {
    long t = 0;
    for (int i = 0; i < HB; i++)
        t += hist[i];
    if (!t)
        return 0;
    long w = (long)(q * t), a = 0;
    for (int i = 0; i < HB; i++) {
        a += hist[i];
        if (a > w)
            return (double)(1L << (i / 64)) * (1 + (i % 64 + 0.5) / 64);
    }
    return 0;
}

/* A number that is not negative, in decimal; how long it is. */
static int decimal(u8 *o, long v) {
    u8 digits[20];
    int n = 0, k = sizeof digits;
    do
        digits[--k] = '0' + v % 10;
    while ((v /= 10));
    for (; k < (int)sizeof digits; n++)
        o[n] = digits[k++];
    return n;
}

static int render(tmpl *t, client *c, long seq, u8 *o) {
    int n = 0;
    for (int i = 0; i < t->n; i++) {
        seg *g = &t->s[i];
        switch (g->type) {
        case S_LIT:
            memcpy(o + n, g->lit, g->len);
            n += g->len;
            break;
        case S_IDX:
            n += sprintf((char *)o + n, "%07d", c->idx);
            break;
        case S_SEQ:
            n += sprintf((char *)o + n, "%07ld", seq);
            break;
        case S_KEY:
            memcpy(o + n, c->key, c->keyn);
            n += c->keyn;
            break;
        case S_ACK:
            n += decimal(o + n, c->ack);
            break;
        case S_GIV:
            if (c->idx >= ngiven || g->len < 0 || g->len >= GIVEN_VALUES)
                die("a client was given too little");
            memcpy(o + n, given[c->idx].bytes[g->len], given[c->idx].length[g->len]);
            n += given[c->idx].length[g->len];
            break;
        case S_UPK: {
            char id[24];
            int k = sprintf(id, "%ld", ++c->upstream_id);
            n += sprintf((char *)o + n, "1%d,%s", k, id);
            break;
        }
        case S_AKP: {
            char id[24];
            int k = sprintf(id, "%ld", c->ack);
            n += sprintf((char *)o + n, "11,013,ack0%d,%s", k, id);
            break;
        }
        case S_B64: {
            u8 inner[8192];
            int k = render(g->sub, c, seq, inner);
            n += b64enc(inner, k, o + n);
            break;
        }
        case S_WSF: {
            u8 inner[8192];
            int k = render(g->sub, c, seq, inner);
            o[n++] = 0x82;
            if (k < 126) {
                o[n++] = 0x80 | k;
            } else {
                o[n++] = 0x80 | 126;
                o[n++] = k >> 8;
                o[n++] = k & 255;
            }
            memset(o + n, 0, 4);
            memcpy(o + n + 4, inner, k);
            n += 4 + k;
            break;
        }
        case S_ARG: {
            u8 inner[8192];
            int k = render(g->sub, c, seq, inner);
            n += sprintf((char *)o + n, "0%d,", k);
            memcpy(o + n, inner, k);
            n += k;
            break;
        }
        case S_LEN: {
            u8 inner[8192];
            int k = render(g->sub, c, seq, inner);
            n += sprintf((char *)o + n, "Content-Length: %d\r\n\r\n", k);
            memcpy(o + n, inner, k);
            n += k;
            break;
        }
        }
    }
    return n;
}

static void arm(sk *s) {
    struct epoll_event e = {.events = EPOLLIN | (s->want_out ? EPOLLOUT : 0), .data.ptr = s};
    epoll_ctl(ep, EPOLL_CTL_MOD, s->fd, &e);
}

static void sflush(sk *s) {
    while (s->on) {
        ssize_t k = send(s->fd, s->out, s->on, MSG_NOSIGNAL);
        if (k < 0) {
            if (errno == EAGAIN || errno == ENOTCONN)
                break;
            s->on = 0;
            return;
        }
        memmove(s->out, s->out + k, s->on - k);
        s->on -= k;
    }
    int w = s->on > 0;
    if (w != s->want_out) {
        s->want_out = w;
        arm(s);
    }
}

static void sput(sk *s, const u8 *p, int n) {
    if (s->fd < 0)
        return;
    if (s->on + n > s->ocap) {
        s->ocap = (s->on + n) * 2 + 256;
        s->out = realloc(s->out, s->ocap);
    }
    memcpy(s->out + s->on, p, n);
    s->on += n;
}

static void sclose(sk *s) {
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

static void sopen(client *c, int w) {
    sk *s = &c->s[w];
    memset(s, 0, sizeof *s);
    s->which = w;
    s->c = c;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        die("socket");
    int one = 1;
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in *to = w == 1 && c->ready && c->r->haslate ? &c->r->late : &c->r->addr[w];
    if (connect(s->fd, (struct sockaddr *)to, sizeof *to) < 0 && errno != EINPROGRESS)
        die("connect");
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &e))
        die("epoll_ctl");
}

static u8 rb[1 << 18]; /* render buffer */
static void advance(client *c);
static void echo_send(client *c);
static void answer(client *c, int sock, tmpl *t);

static void on_msg(client *c, int seq) {
    if (mode == M_ECHO) {
        if (seq != c->seq) {
            if (seq < c->seq)
                dups++;
            else
                gaps++;
            return;
        }
        if (!c->pend_deliv) {
            dups++;
            return;
        }
        c->pend_deliv = 0;
        delivered++;
        echo_done++;
        if (measuring)
            hadd(now() - c->t0);
        if (!c->s[c->r->pubsock].resp_pending)
            echo_send(c);
        return;
    }
    if (seq == c->expect) {
        c->expect++;
    } else if (seq < c->expect) {
        dups++;
        return;
    } else {
        gaps += seq - c->expect;
        c->expect = seq + 1;
    }
    c->got++;
    delivered++;
    if (measuring && pubt && seq < npub_total)
        hadd(tbatch - pubt[seq]);
}

static void scan(client *c, const u8 *p, int n) {
    const u8 *e = p + n;
    while (p < e) {
        if (c->sst == 0) {
            p = memchr(p, '@', e - p);
            if (!p)
                return;
            if (e - p >= 9 && p[1] == 'M') {
                int v = 0, i;
                for (i = 2; i < 9; i++) {
                    if (p[i] < '0' || p[i] > '9')
                        break;
                    v = v * 10 + p[i] - '0';
                }
                if (i == 9) {
                    p += 9;
                    on_msg(c, v);
                    continue;
                }
            }
            c->sst = 1;
            c->sval = 0;
            p++;
            continue;
        }
        if (c->sst == 1) {
            if (*p == 'M') {
                c->sst = 2;
                p++;
            } else
                c->sst = 0;
            continue;
        }
        if (*p < '0' || *p > '9') {
            c->sst = 0;
            continue;
        }
        c->sval = c->sval * 10 + *p++ - '0';
        if (++c->sst == 9) {
            c->sst = 0;
            on_msg(c, c->sval);
        }
    }
}

/* decoded stream */
static void feed(client *c, const u8 *p, int n) {
    if (c->ready) {
        scan(c, p, n);
        return;
    }
    if (!c->acc)
        c->acc = malloc(8192);
    if (n > 8192) {
        p += n - 8192;
        n = 8192;
    }
    if (c->accn + n > 8192) {
        int drop = c->accn + n - 8192;
        memmove(c->acc, c->acc + drop, c->accn - drop);
        c->accn -= drop;
    }
    memcpy(c->acc + c->accn, p, n);
    c->accn += n;
    if (c->waiting == W_PAT)
        advance(c);
}

/* One argument of a packet: its id, its name, or its data. */
static void argument(client *c, const u8 *arg, long length, int is_last) {
    static u8 dec[1 << 20];
    if (c->oarg == 0) {
        long v = 0;
        for (int i = 0; i < length; i++)
            v = v * 10 + arg[i] - '0';
        if (v > c->ack)
            c->ack = v;
    } else if (c->oarg == 1) {
        c->oname = length ? arg[0] : 0;
        if (c->oname == 'c')
            closed_early++;
        if (c->oname != 'd' && length == 4 && !memcmp(arg, "open", 4))
            feed(c, (const u8 *)"[open]", 6);
        if (c->oname == 'p' && c->r->pong)
            answer(c, c->r->pongsock, c->r->pong);
    } else if (c->oarg == 2 && c->oname == 'd') {
        int n = c->r->is_raw ? length : b64dec(arg, length, dec);
        feed(c, c->r->is_raw ? arg : dec, n);
        c->unacked_bytes += n;
    }
    if (is_last && c->r->ack) {
        role *r = c->r;
        c->unacked++;
        if (r->ack_packets ? c->unacked >= r->ack_packets : c->unacked_bytes > r->ack_bytes) {
            c->unacked = c->unacked_bytes = 0;
            answer(c, r->acksock, r->ack);
        }
    }
    c->oarg = is_last ? 0 : c->oarg + 1;
}

/* A line of an event stream: "data: [["3", "data", "QUJD"], ...]", others mean nothing here. Nothing
 * is escaped in there: names and base64 hold no quotation marks. */
static void event_line(client *c, const u8 *p, int n) {
    if (n < 6 || memcmp(p, "data: ", 6))
        return;
    const u8 *end = p + n;
    while ((p = memchr(p, '"', end - p))) {
        const u8 *begin = ++p;
        p = memchr(p, '"', end - p);
        if (!p || p + 1 >= end) {
            gaps++;
            return;
        }
        argument(c, begin, p - begin, p[1] == ']');
        p++;
    }
}

static void event_stream(client *c, const u8 *p, int n) {
    while (n > 0) {
        const u8 *e = memchr(p, '\n', n);
        int k = e ? e - p : n;
        if (c->on || !e) {
            if (c->on + k > c->ocap) {
                c->ocap = (c->on + k) * 2 + 64;
                c->obuf = realloc(c->obuf, c->ocap);
            }
            memcpy(c->obuf + c->on, p, k);
            c->on += k;
        }
        if (!e)
            return;
        if (c->on)
            event_line(c, c->obuf, c->on);
        else
            event_line(c, p, k);
        c->on = 0;
        p += k + 1;
        n -= k + 1;
    }
}

/* orbited packets: ([01]<len>,<arg>)*; args id,name[,b64] ; between packets ' ' and 'x' are padding
 */
static void orb(client *c, const u8 *p, int n) {
    if (c->r->is_sse) {
        event_stream(c, p, n);
        return;
    }
    while (n > 0) {
        if (c->ost == 0) {
            if (*p == ' ' || *p == 'x') {
                p++;
                n--;
                continue;
            }
            if (*p != '0' && *p != '1') {
                p++;
                n--;
                gaps++;
                continue;
            }
            c->olast = *p == '0';
            c->olen = 0;
            c->ost = 1;
            p++;
            n--;
            continue;
        }
        if (c->ost == 1) {
            if (*p == ',') {
                c->ost = 2;
                c->on = 0;
                if (c->ocap < c->olen + 1) {
                    c->ocap = c->olen * 2 + 64;
                    c->obuf = realloc(c->obuf, c->ocap);
                }
            } else
                c->olen = c->olen * 10 + *p - '0';
            p++;
            n--;
            if (c->ost == 1 || c->olen > 0)
                continue;
        }
        if (c->ost == 2) {
            long k = c->olen - c->on;
            if (k > n)
                k = n;
            const u8 *arg;
            if (c->on == 0 && k == c->olen)
                arg = p;
            else {
                memcpy(c->obuf + c->on, p, k);
                arg = c->obuf;
            }
            c->on += k;
            p += k;
            n -= k;
            if (c->on < c->olen)
                return;
            argument(c, arg, c->olen, c->olast);
            c->ost = 0;
        }
    }
}

static void body(sk *s, const u8 *p, int n) {
    client *c = s->c;
    if (s->which == 0) {
        if (c->r->l2 == L2_ORB)
            orb(c, p, n);
        else
            feed(c, p, n);
    }
    if (c->keycap && c->waiting == W_RESP && n) {
        if (c->keyn + n < 120) {
            memcpy(c->key + c->keyn, p, n);
            c->keyn += n;
        }
    }
}

static void resp_done(sk *s) {
    client *c = s->c;
    s->resp_pending = 0;
    if (!c->ready) {
        if (c->waiting == W_RESP && c->r->steps[c->step].sock == s->which) {
            c->keycap = 0;
            advance(c);
            return;
        }
    }
    if (s->which == 0 && c->r->repoll) {
        c->unacked = c->unacked_bytes = 0;
        int k = render(c->r->repoll, c, 0, rb);
        sput(s, rb, k);
        sflush(s);
    }
    if (c->ready && mode == M_ECHO && s->which == c->r->pubsock && !c->pend_deliv)
        echo_send(c);
}

enum { H_HDR, H_CL, H_CSIZE, H_CDATA, H_CCRLF, H_TRAIL, H_EOF };

/* A whole head has come, at "head": what follows it? */
static void head_in(sk *s, const u8 *head, int n) {
    int code = n > 12 ? atoi((const char *)head + 9) : 0;
    s->st = H_EOF;
    s->rem = 0;
    s->hdrn = s->hn = 0;
    if (code == 204 || code == 304)
        s->st = H_CL;
    const u8 *line = head, *end = head + n;
    while ((line = memchr(line, '\n', end - line)) && ++line < end) {
        int left = end - line;
        if (left > 15 && !strncasecmp((const char *)line, "content-length:", 15)) {
            s->rem = atol((const char *)line + 15);
            s->st = H_CL;
            break;
        }
        if (left > 26 && !strncasecmp((const char *)line, "transfer-encoding: chunked", 26))
            s->st = H_CSIZE;
    }
    if (code >= 400) {
        closed_early++;
        if (getenv("LG_DEBUG"))
            fprintf(stderr, "HTTP %d idx %d\n%.*s\n", code, s->c->idx, n, head);
    }
    if (s->st == H_CL && s->rem == 0) {
        s->st = H_HDR;
        resp_done(s);
    }
}

static void http_in(sk *s, const u8 *p, int n) {
    while (n > 0) {
        switch (s->st) {
        case H_HDR: {
            const u8 *e = s->hdrn ? 0 : memmem(p, n, "\r\n\r\n", 4);
            if (e) { /* nearly always it comes in one piece */
                int k = e + 4 - p;
                p += k;
                n -= k;
                head_in(s, p - k, k);
                if (s->fd < 0)
                    return;
                break;
            }
            if (!s->hdr)
                s->hdr = malloc(4096);
            while (n > 0) {
                u8 ch = *p++;
                n--;
                if (s->hdrn < 4095)
                    s->hdr[s->hdrn++] = ch;
                if (ch == '\n' && s->hdrn >= 4 && !memcmp(s->hdr + s->hdrn - 4, "\r\n\r\n", 4)) {
                    s->hdr[s->hdrn] = 0;
                    head_in(s, s->hdr, s->hdrn);
                    if (s->fd < 0)
                        return;
                    break;
                }
            }
            break;
        }
        case H_CL: {
            long k = s->rem < n ? s->rem : n;
            s->rem -= k;
            const u8 *q = p;
            p += k;
            n -= k;
            body(s, q, k);
            if (s->fd < 0)
                return;
            if (s->rem == 0) {
                s->st = H_HDR;
                resp_done(s);
                if (s->fd < 0)
                    return;
            }
            break;
        }
        case H_CSIZE:
            while (n > 0) {
                u8 ch = *p++;
                n--;
                if (ch == '\n') {
                    s->hb[s->hn] = 0;
                    s->rem = strtol(s->hb, 0, 16);
                    s->hn = 0;
                    s->st = s->rem ? H_CDATA : H_TRAIL;
                    break;
                }
                if (s->hn < 20)
                    s->hb[s->hn++] = ch;
            }
            break;
        case H_CDATA: {
            long k = s->rem < n ? s->rem : n;
            s->rem -= k;
            const u8 *q = p;
            p += k;
            n -= k;
            if (s->rem == 0)
                s->st = H_CCRLF;
            body(s, q, k);
            if (s->fd < 0)
                return;
            break;
        }
        case H_CCRLF:
            if (*p == '\n')
                s->st = H_CSIZE;
            p++;
            n--;
            break;
        case H_TRAIL:
            if (*p == '\n') {
                s->st = H_HDR;
                p++;
                n--;
                resp_done(s);
                if (s->fd < 0)
                    return;
            } else {
                p++;
                n--;
            }
            break;
        case H_EOF:
            body(s, p, n);
            return;
        }
    }
}

static void ws_ctl(sk *s, int op, const u8 *p, int n) {
    u8 b[140];
    if (n > 125)
        return;
    b[0] = 0x80 | op;
    b[1] = 0x80 | n;
    memset(b + 2, 0, 4);
    memcpy(b + 6, p, n);
    sput(s, b, n + 6);
    sflush(s);
}

/* server->client frames unmasked; st: 0 http header, 1 frame header, 2 data payload, 3 control
 * payload */
static void ws_in(sk *s, const u8 *p, int n) {
    client *c = s->c;
    while (n > 0) {
        if (s->st == 0) {
            if (!s->hdr)
                s->hdr = malloc(4096);
            u8 ch = *p++;
            n--;
            if (s->hdrn < 4095)
                s->hdr[s->hdrn++] = ch;
            if (ch == '\n' && s->hdrn >= 4 && !memcmp(s->hdr + s->hdrn - 4, "\r\n\r\n", 4)) {
                s->st = 1;
                s->hn = 0;
                if (memcmp(s->hdr + 9, "101", 3)) {
                    closed_early++;
                    if (getenv("LG_DEBUG")) {
                        s->hdr[s->hdrn] = 0;
                        fprintf(stderr, "%s\n", s->hdr);
                    }
                }
                feed(c, s->hdr, s->hdrn);
                free(s->hdr);
                s->hdr = 0;
            }
            continue;
        }
        if (s->st == 1) {
            int need = 2;
            if (s->hn >= 2) {
                int l = s->hb[1] & 127;
                need = l == 126 ? 4 : l == 127 ? 10 : 2;
            }
            if (s->hn < need) {
                s->hb[s->hn++] = *p++;
                n--;
                if (s->hn < 2)
                    continue;
                int l = s->hb[1] & 127;
                need = l == 126 ? 4 : l == 127 ? 10 : 2;
                if (s->hn < need)
                    continue;
            }
            u8 *h = (u8 *)s->hb;
            int l = h[1] & 127;
            if (l == 126)
                s->rem = h[2] << 8 | h[3];
            else if (l == 127) {
                s->rem = 0;
                for (int i = 2; i < 10; i++)
                    s->rem = s->rem << 8 | h[i];
            } else
                s->rem = l;
            int op = h[0] & 15;
            s->hn = 0;
            if (op >= 8) {
                s->inresp = op;
                s->st = 3;
                if (!s->rem) {
                    if (op == 9)
                        ws_ctl(s, 10, p, 0);
                    if (op == 8)
                        closed_early++;
                    s->st = 1;
                }
            } else
                s->st = s->rem ? 2 : 1;
            continue;
        }
        long k = s->rem < n ? s->rem : n;
        const u8 *q = p;
        int whole = (k == s->rem);
        s->rem -= k;
        p += k;
        n -= k;
        if (s->st == 3) {
            if (whole) {
                if (s->inresp == 9)
                    ws_ctl(s, 10, q, k);
                if (s->inresp == 8) {
                    closed_early++;
                    if (getenv("LG_DEBUG"))
                        fprintf(stderr, "ws close idx %d code %d\n", c->idx,
                                k > 1 ? q[0] << 8 | q[1] : 0);
                }
                s->st = 1;
            }
            continue;
        }
        if (!s->rem)
            s->st = 1;
        if (c->r->eio && k == 1 && *q == '2') {
            u8 b[7] = {0x81, 0x81, 0, 0, 0, 0, '3'};
            sput(s, b, 7);
            sflush(s);
            continue;
        }
        if (c->r->l2 == L2_ORB)
            orb(c, q, k);
        else
            feed(c, q, k);
        if (s->fd < 0)
            return;
    }
}

static int inflight_setup;

static void advance(client *c) {
    role *r = c->r;
    for (;;) {
        if (c->waiting) {
            step *t = &r->steps[c->step];
            if (c->waiting == W_PAT) {
                u8 *m = c->accn ? memmem(c->acc, c->accn, t->pat, t->patlen) : 0;
                if (!m)
                    return;
                int drop = m - c->acc + t->patlen;
                memmove(c->acc, c->acc + drop, c->accn - drop);
                c->accn -= drop;
            }
            c->waiting = 0;
            c->step++;
        }
        if (c->step >= r->nsteps) {
            if (c->s[0].fd < 0 && r->has[0])
                sopen(c, 0);
            if (!c->ready) {
                c->ready = 1;
                nready++;
                inflight_setup--;
                free(c->acc);
                c->acc = 0;
                if (r->upclose && c->s[1].fd >= 0)
                    sclose(&c->s[1]);
            }
            return;
        }
        step *t = &r->steps[c->step];
        if (c->s[t->sock].fd < 0)
            sopen(c, t->sock);
        if (t->capture) {
            c->keycap = 1;
            c->keyn = 0;
        }
        c->waiting = t->wait;
        if (t->send) {
            int k = render(t->send, c, 0, rb);
            sput(&c->s[t->sock], rb, k);
            if (t->wait == W_RESP)
                c->s[t->sock].resp_pending = 1;
            sflush(&c->s[t->sock]);
        }
        if (t->wait == W_NONE) {
            c->step++;
            continue;
        }
        if (t->wait == W_RESP)
            return;
    }
}

static void cinit(client *c, role *r, int idx) {
    memset(c, 0, sizeof *c);
    c->r = r;
    c->idx = idx;
    c->s[0].fd = c->s[1].fd = -1;
    inflight_setup++;
    advance(c);
}

static void echo_send(client *c) {
    if (quitting || echo_started >= echo_total)
        return;
    echo_started++;
    c->seq++;
    c->pend_deliv = 1;
    c->t0 = now();
    sk *s = &c->s[c->r->pubsock];
    if (s->fd < 0)
        sopen(c, c->r->pubsock);
    int k = render(c->r->pub, c, c->seq, rb);
    sput(s, rb, k);
    if (c->r->pubwait)
        s->resp_pending = 1;
    sflush(s);
}

/* Send something that is not a message. */
static void answer(client *c, int sock, tmpl *t) {
    static u8 bytes[1 << 14];
    sk *s = &c->s[sock];
    if (s->fd < 0)
        sopen(c, sock);
    sput(s, bytes, render(t, c, 0, bytes));
    sflush(s);
}

static void readable(sk *s) {
    static u8 buf[1 << 18];
    ssize_t n = recv(s->fd, buf, sizeof buf, 0);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR)
            return;
        n = 0;
    }
    if (n == 0) {
        client *c = s->c;
        sclose(s);
        if (s->which == 0 && c->r->repoll && c->ready && !quitting) {
            sopen(c, 0);
            int k = render(c->r->repoll, c, 0, rb);
            sput(s, rb, k);
            sflush(s);
            return;
        }
        if (s->which == 1 || c == &pubc) {
            if (c == &pubc) {
                closed_early++;
                if (getenv("LG_DEBUG"))
                    fprintf(stderr, "publisher closed\n");
            }
            return;
        }
        closed_early++;
        if (getenv("LG_DEBUG"))
            fprintf(stderr, "closed idx %d step %d\n", c->idx, c->step);
        return;
    }
    switch (s->c->r->l1[s->which]) {
    case L1_HTTP:
        http_in(s, buf, n);
        break;
    case L1_WS:
        ws_in(s, buf, n);
        break;
    default:
        if (s->c == &pubc && s->c->ready)
            break;
        if (s->c->r->l2 == L2_ORB)
            orb(s->c, buf, n);
        else
            feed(s->c, buf, n);
    }
}

static int pump(int ms) {
    static struct epoll_event ev[512];
    int n = epoll_wait(ep, ev, maxev, ms);
    if (n > 0)
        tbatch = now();
    for (int i = 0; i < n; i++) {
        sk *s = ev[i].data.ptr;
        if (s->fd < 0)
            continue;
        if (ev[i].events & EPOLLOUT)
            sflush(s);
        if (s->fd >= 0 && (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            readable(s);
    }
    return n;
}

/* ---------- CPU accounting ---------- */
static int pids[256], npids;

typedef struct {
    double u, s, exact, self, busy, t;
    double per[256];
} snap;

static double tick;

/* CPU time of all threads of a process, to the nanosecond; those that have ended are not in it. */
static double exact_seconds(int pid) {
    char path[600];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 0;
    double total = 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE *h = task->d_name[0] == '.' ? 0 : fopen(path, "r");
        if (!h)
            continue;
        unsigned long long ns;
        if (fscanf(h, "%llu", &ns) == 1)
            total += ns * 1e-9;
        fclose(h);
    }
    closedir(tasks);
    return total;
}

static void take(snap *o) {
    memset(o, 0, sizeof *o);
    o->t = now();
    for (int i = 0; i < npids; i++) {
        char f[64], b[1024];
        snprintf(f, sizeof f, "/proc/%d/stat", pids[i]);
        FILE *h = fopen(f, "r");
        if (!h)
            continue;
        size_t k = fread(b, 1, sizeof b - 1, h);
        b[k] = 0;
        fclose(h);
        char *x = strrchr(b, ')');
        if (!x)
            continue;
        unsigned long ut, st;
        if (sscanf(x + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st) == 2) {
            o->u += ut / tick;
            o->s += st / tick;
            o->per[i] = (ut + st) / tick;
            o->exact += exact_seconds(pids[i]);
        }
    }
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    o->self = ru.ru_utime.tv_sec + ru.ru_utime.tv_usec * 1e-6 + ru.ru_stime.tv_sec +
              ru.ru_stime.tv_usec * 1e-6;
    FILE *h = fopen("/proc/stat", "r");
    if (h) {
        unsigned long a[10] = {0};
        if (fscanf(h, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", a, a + 1, a + 2, a + 3, a + 4, a + 5,
                   a + 6, a + 7) >= 7)
            o->busy = (a[0] + a[1] + a[2] + a[5] + a[6]) / tick;
        fclose(h);
    }
}

static u8 *unhex(const char *h, int *n) {
    int l = strlen(h) / 2;
    u8 *o = malloc(l + 1);
    for (int i = 0; i < l; i++) {
        unsigned v;
        sscanf(h + 2 * i, "%2x", &v);
        o[i] = v;
    }
    o[l] = 0;
    *n = l;
    return o;
}

static void load(const char *fn) {
    FILE *h = fopen(fn, "r");
    if (!h)
        die("spec");
    static char ln[1 << 17];
    role *r = &roles[0];
    while (fgets(ln, sizeof ln, h)) {
        char *a[8];
        int n = 0;
        for (char *t = strtok(ln, " \t\r\n"); t && n < 8; t = strtok(0, " \t\r\n"))
            a[n++] = t;
        if (!n || a[0][0] == '#')
            continue;
        if (!strcmp(a[0], "role"))
            r = &roles[!strcmp(a[1], "pub")];
        else if (!strcmp(a[0], "addr")) {
            int w = !strcmp(a[1], "up");
            r->has[w] = 1;
            r->addr[w].sin_family = AF_INET;
            inet_pton(AF_INET, a[2], &r->addr[w].sin_addr);
            r->addr[w].sin_port = htons(atoi(a[3]));
            r->l1[w] = n > 4 ? (!strcmp(a[4], "http") ? L1_HTTP
                                : !strcmp(a[4], "ws") ? L1_WS
                                                      : L1_RAW)
                             : L1_RAW;
        } else if (!strcmp(a[0], "late")) {
            r->haslate = r->upclose = 1;
            r->late.sin_family = AF_INET;
            inet_pton(AF_INET, a[1], &r->late.sin_addr);
            r->late.sin_port = htons(atoi(a[2]));
        } else if (!strcmp(a[0], "packets")) {
            r->l2 = L2_ORB;
            r->is_raw = n > 1 && !strcmp(a[1], "raw");
            r->is_sse = n > 1 && !strcmp(a[1], "sse");
        } else if (!strcmp(a[0], "given")) {
            if (ngiven == MAX_GIVEN)
                die("too many clients were given something");
            for (int i = 1; i < n && i <= GIVEN_VALUES; i++)
                given[ngiven].bytes[i - 1] = unhex(a[i], &given[ngiven].length[i - 1]);
            ngiven++;
        } else if (!strcmp(a[0], "ack")) {
            int k;
            if (n < 5)
                die("bad spec line");
            r->acksock = !strcmp(a[1], "up");
            u8 *b = unhex(a[2], &k);
            r->ack = compile(b, k);
            *(!strcmp(a[3], "packets") ? &r->ack_packets : &r->ack_bytes) = atol(a[4]);
        } else if (!strcmp(a[0], "pong")) {
            int k;
            r->pongsock = !strcmp(a[1], "up");
            u8 *b = unhex(a[2], &k);
            r->pong = compile(b, k);
        } else if (!strcmp(a[0], "upclose"))
            r->upclose = 1;
        else if (!strcmp(a[0], "eio"))
            r->eio = 1;
        else if (!strcmp(a[0], "step")) { /* step down|up HEX|- none|resp|capture|pat [HEX] */
            if (r->nsteps >= 24)
                die("too many steps");
            step *t = &r->steps[r->nsteps++];
            int k;
            t->sock = !strcmp(a[1], "up");
            if (strcmp(a[2], "-")) {
                u8 *b = unhex(a[2], &k);
                t->send = compile(b, k);
            }
            if (!strcmp(a[3], "resp"))
                t->wait = W_RESP;
            else if (!strcmp(a[3], "capture")) {
                t->wait = W_RESP;
                t->capture = 1;
            } else if (!strcmp(a[3], "pat")) {
                t->wait = W_PAT;
                t->pat = unhex(a[4], &t->patlen);
            } else
                t->wait = W_NONE;
        } else if (!strcmp(a[0], "publish")) {
            int k;
            r->pubsock = !strcmp(a[1], "up");
            u8 *b = unhex(a[2], &k);
            r->pub = compile(b, k);
            r->pubwait = n > 3 && !strcmp(a[3], "resp");
        } else if (!strcmp(a[0], "repoll")) {
            int k;
            u8 *b = unhex(a[1], &k);
            r->repoll = compile(b, k);
        } else
            die("bad spec line");
    }
    fclose(h);
}

int main(int argc, char **argv) {
    int n = 100, window = 64, conc = 32;
    long msgs = 1000, warm = 0;
    double timeout = 60, settle = 0.3, rate = 0, seconds = 0;
    const char *spec = 0;
    int stages[16], nst = 0;
    tick = sysconf(_SC_CLK_TCK);
    memset(D64, -1, sizeof D64);
    for (int i = 0; i < 64; i++)
        D64[(u8)B64[i]] = i;
    for (int i = 1; i + 1 < argc; i += 2) {
        char *k = argv[i], *v = argv[i + 1];
        if (!strcmp(k, "--mode"))
            mode = !strcmp(v, "echo") ? M_ECHO : !strcmp(v, "hold") ? M_HOLD : M_FAN;
        else if (!strcmp(k, "--spec"))
            spec = v;
        else if (!strcmp(k, "--n"))
            n = atoi(v);
        else if (!strcmp(k, "--msgs"))
            msgs = atol(v);
        else if (!strcmp(k, "--warm"))
            warm = atol(v);
        else if (!strcmp(k, "--window"))
            window = atoi(v);
        else if (!strcmp(k, "--timeout"))
            timeout = atof(v);
        else if (!strcmp(k, "--settle"))
            settle = atof(v);
        else if (!strcmp(k, "--conc"))
            conc = atoi(v);
        else if (!strcmp(k, "--stall"))
            stall = atof(v);
        else if (!strcmp(k, "--rate"))
            rate = atof(v);
        else if (!strcmp(k, "--seconds"))
            seconds = atof(v);
        else if (!strcmp(k, "--pids"))
            for (char *t = strtok(v, ","); t && npids < 256; t = strtok(0, ","))
                pids[npids++] = atoi(t);
        else if (!strcmp(k, "--stages"))
            for (char *t = strtok(v, ","); t && nst < 16; t = strtok(0, ","))
                stages[nst++] = atoi(t);
        else
            die("bad option");
    }
    if (!spec)
        die("--spec needed");
    load(spec);
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
    ep = epoll_create1(0);
    if (mode == M_HOLD) {
        if (!nst)
            stages[nst++] = n;
        n = stages[nst - 1];
    }
    cl = calloc(n, sizeof *cl);
    double t0 = now(), deadline = t0 + timeout;
    int st = 0;
    int upto = mode == M_HOLD ? stages[0] : n;
    double last = now();
    int lr = -1;
    for (;;) {
        while (ncl < upto && inflight_setup < conc) {
            cinit(&cl[ncl], &roles[0], ncl);
            ncl++;
        }
        if (nready >= upto) {
            if (mode != M_HOLD)
                break;
            printf("READY %d %.3f\n", nready, now() - t0);
            fflush(stdout);
            double hold_end = now() + 120;
            int go = 0;
            fcntl(0, F_SETFL, O_NONBLOCK);
            while (now() < hold_end && !go) {
                char b[16];
                pump(100);
                ssize_t k = read(0, b, sizeof b);
                if (k > 0 || k == 0)
                    go = 1;
            }
            if (++st >= nst) {
                printf("DONE closed_early=%ld\n", closed_early);
                return 0;
            }
            upto = stages[st];
            deadline = now() + timeout;
            last = now();
            continue;
        }
        pump(20);
        if (nready != lr) {
            lr = nready;
            last = now();
        }
        if (now() > deadline || now() - last > 25) {
            printf("{\"ok\":false,\"error\":\"setup\",\"ready\":%d,\"of\":%d,\"step\":%d}\n",
                   nready, upto, cl[ncl - 1].step);
            return 3;
        }
    }
    double tsetup = now() - t0;
    if (mode == M_FAN) {
        cinit(&pubc, &roles[1], 9999999);
        double e = now() + 30;
        while (!pubc.ready && now() < e)
            pump(20);
        if (!pubc.ready) {
            printf("{\"ok\":false,\"error\":\"publisher setup\"}\n");
            return 3;
        }
    }
    {
        double e = now() + settle;
        while (now() < e)
            pump(10);
    }
    closed_early = 0;
    snap a, b;
    double tend = 0, lastp = 0;
    long d0 = 0;
    if (mode == M_ECHO) {
        echo_total = warm;
        quitting = 0;
        for (int ph = 0; ph < 2; ph++) {
            if (ph == 0 && !warm)
                continue;
            if (ph == 1) {
                echo_total = warm + msgs;
                d0 = delivered;
                take(&a);
                measuring = 1;
            }
            for (int i = 0; i < n; i++)
                if (!cl[i].pend_deliv && !cl[i].s[cl[i].r->pubsock].resp_pending)
                    echo_send(&cl[i]);
            while (echo_done < echo_total) {
                long q = delivered;
                pump(50);
                double x = now();
                if (delivered != q || lastp == 0)
                    lastp = x;
                if (x > deadline || x - lastp > stall)
                    break;
            }
            double e = now() + 0.5;
            int busy = 1;
            while (ph == 0 && busy && now() < e) {
                busy = 0;
                for (int i = 0; i < n; i++)
                    busy |= cl[i].s[cl[i].r->pubsock].resp_pending;
                if (busy)
                    pump(5);
            }
        }
        take(&b);
    } else {
        long most = seconds > 0 ? MAX_MESSAGES : warm + msgs;
        npub_total = most;
        pubt = calloc(most + 1, sizeof *pubt);
        role *r = &roles[1];
        sk *s = &pubc.s[r->pubsock];
        double start = 0;
        for (int ph = 0; ph < 2; ph++) {
            long target = ph ? warm + msgs : warm;
            if (ph == 0 && !warm)
                continue;
            if (ph == 1) {
                d0 = delivered;
                take(&a);
                measuring = 1;
                start = now();
            }
            while (delivered < target * n) {
                double t = 0;
                int k = 0;
                if (ph && published + window > target && published + window <= most &&
                    now() < start + seconds) {
                    msgs += published + window - target;
                    target = published + window;
                }
                while (published < target && k < 60000) {
                    if (rate > 0 && ph == 1) {
                        if (now() < start + (published - warm) / rate)
                            break;
                    } else if (delivered < (published - window + 1) * n)
                        break;
                    if (s->on > 65536)
                        break;
                    if (s->fd < 0) {
                        if (!r->pubwait)
                            break;
                        sopen(&pubc, r->pubsock);
                    }
                    if (r->pubwait && s->resp_pending)
                        break;
                    if (t == 0)
                        t = now();
                    pubt[published] = t;
                    int z = render(r->pub, &pubc, published, rb);
                    sput(s, rb, z);
                    k += z;
                    published++;
                    if (r->pubwait) {
                        s->resp_pending = 1;
                        break;
                    }
                }
                if (k)
                    sflush(s);
                int wait = 20;
                if (rate > 0 && ph == 1 && published < target) {
                    double dt = start + (published - warm) / rate - now();
                    wait = dt < 0 ? 0 : dt > 0.02 ? 20 : (int)(dt * 1000);
                }
                if (rate > 0 && delivered < published * n)
                    wait = 0; /* how long a core takes to wake is not the system's doing */
                long q = delivered;
                pump(wait);
                double x = now();
                if (delivered != q || lastp == 0)
                    lastp = x;
                if (x > deadline || x - lastp > stall)
                    break;
            }
        }
        take(&b);
    }
    tend = b.t - a.t;
    long exp = mode == M_ECHO ? msgs : msgs * n, got = delivered - d0;
    /* late duplicates */
    {
        double e = now() + 0.1;
        while (now() < e)
            pump(10);
    }
    /* utime and stime are told in hundredths of a second; the exact figure is taken unless threads
     * have ended meanwhile, or the kernel does not have it. */
    double cpu = b.u + b.s - a.u - a.s, exact = b.exact - a.exact;
    if (exact > cpu - 0.03)
        cpu = exact;
    double self = b.self - a.self;
    printf("{\"ok\":%s,\"mode\":\"%s\",\"n\":%d,\"msgs\":%ld,\"window\":%d,\"expected\":%ld,"
           "\"delivered\":%ld,\"gaps\":%ld,\"dups\":%ld,\"closed\":%ld,\"setup_s\":%.3f,\"wall_s\":"
           "%.4f,\"rate\":%.1f,\"cpu_s\":%.4f,\"cpu_user\":%.2f,\"cpu_sys\":%.2f,\"us_per_"
           "delivery\":%.3f,\"loadgen_cpu_s\":%.3f,\"loadgen_us\":%.3f,\"p50_us\":%.0f,\"p99_us\":%"
           ".0f,\"noise\":%.3f,\"per_pid\":[",
           got == exp && !gaps && !dups ? "true" : "false", mode == M_ECHO ? "echo" : "fanout", n,
           msgs, window, exp, got, gaps, dups, closed_early, tsetup, tend, got / tend, cpu,
           b.u - a.u, b.s - a.s, got ? cpu / got * 1e6 : 0, self, got ? self / got * 1e6 : 0,
           hq(.5), hq(.99), (b.busy - a.busy - cpu - self) / tend);
    for (int i = 0; i < npids; i++)
        printf("%s%.2f", i ? "," : "", b.per[i] - a.per[i]);
    printf("]}\n");
    return got == exp ? 0 : 4;
}
