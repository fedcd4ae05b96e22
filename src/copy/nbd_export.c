/* nbd_export: the handshake, the requests, and a cache of blocks. */
#include "copy/nbd_export.h"
#include "copy/fetch.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BLOCK         ((gsize)256 << 10)
#define BLOCKS        256 /* kept: 64 MiB */
#define REQUEST_LIMIT ((guint32)32 << 20)
#define OPTION_LIMIT  4096

#define MAGIC         G_GUINT64_CONSTANT(0x4e42444d41474943) /* "NBDMAGIC" */
#define OPTION_MAGIC  G_GUINT64_CONSTANT(0x49484156454f5054) /* "IHAVEOPT" */
#define REPLY_MAGIC   G_GUINT64_CONSTANT(0x0003e889045565a9)
#define REQUEST_MAGIC 0x25609513
#define ANSWER_MAGIC  0x67446698

enum { FIXED_NEWSTYLE = 1, NO_ZEROES = 2 };
enum { HAS_FLAGS = 1, READ_ONLY = 2, CAN_MULTI_CONN = 256 };
enum { OPTION_EXPORT_NAME = 1, OPTION_ABORT = 2, OPTION_INFO = 6, OPTION_GO = 7 };
enum { REPLY_ACK = 1, REPLY_INFO = 3 };
#define REPLY_UNSUPPORTED 0x80000001
enum { REQUEST_READ = 0, REQUEST_DISCONNECT = 2 };

typedef struct {
    guint64 number; /* of the block; G_MAXUINT64: none */
    guint8 *bytes;
} Block;

struct NbdExport {
    Reader *reader;
    Fetch *fetch;
    char *path;
    int listener;
    GThread *acceptor;
    GCancellable *cancel;
    GMutex lock;
    GPtrArray *threads; /* of GThread; from here on under lock */
    GArray *sockets;    /* of int: those that are served */
    Block blocks[BLOCKS];
    GError *error;
    guint64 bytes;
};

/* ---- bytes ------------------------------------------------------------------------------------- */

static gboolean receive(int fd, gpointer data, gsize size)
{
    for (gsize done = 0; done < size;) {
        ssize_t got = recv(fd, (guint8 *)data + done, size - done, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return FALSE;
        done += got;
    }
    return TRUE;
}

static gboolean transmit(int fd, gconstpointer data, gsize size)
{
    for (gsize done = 0; done < size;) {
        ssize_t put = send(fd, (const guint8 *)data + done, size - done, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return FALSE;
        done += put;
    }
    return TRUE;
}

/* ---- the disk ---------------------------------------------------------------------------------- */

static void count(guint64 bytes, gpointer user_data)
{
    NbdExport *server = user_data;
    __atomic_add_fetch(&server->bytes, bytes, __ATOMIC_RELAXED);
}

/* Gives the block's bytes; under lock. NULL: it could not be read. */
static const guint8 *get_block(NbdExport *server, guint64 number)
{
    Block *block = &server->blocks[number % BLOCKS];
    gsize size = MIN(BLOCK, server->reader->size - number * BLOCK);
    GError *error = NULL;
    gboolean zero, good;

    if (block->bytes && block->number == number)
        return block->bytes;
    if (!block->bytes)
        block->bytes = g_malloc(BLOCK);
    block->number = G_MAXUINT64;
    fetch_take_turn(server->fetch);
    good = fetch_range(server->fetch, number * BLOCK, size, block->bytes, &zero, server->cancel, &error);
    fetch_give_turn_back(server->fetch);
    if (!good) {
        if (server->error)
            g_error_free(error);
        else
            server->error = error;
        return NULL;
    }
    if (zero)
        memset(block->bytes, 0, size);
    block->number = number;
    return block->bytes;
}

static gboolean read_disk(NbdExport *server, guint64 start, gsize size, guint8 *buffer)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&server->lock);

    while (size) {
        gsize within = start % BLOCK, part = MIN(size, BLOCK - within);
        const guint8 *block = get_block(server, start / BLOCK);

        if (!block)
            return FALSE;
        memcpy(buffer, block + within, part);
        buffer += part;
        start += part;
        size -= part;
    }
    return TRUE;
}

/* ---- the handshake ----------------------------------------------------------------------------- */

typedef struct __attribute__((packed)) {
    guint64 magic;
    guint32 option, size;
} Option;

typedef struct __attribute__((packed)) {
    guint64 magic;
    guint32 option, type, size;
} Reply;

typedef struct __attribute__((packed)) {
    guint16 type;
    guint64 size;
    guint16 flags;
} ExportInfo;

static gboolean reply(int fd, guint32 option, guint32 type, gconstpointer data, guint32 size)
{
    const Reply head = {GUINT64_TO_BE(REPLY_MAGIC), GUINT32_TO_BE(option), GUINT32_TO_BE(type),
                        GUINT32_TO_BE(size)};
    return transmit(fd, &head, sizeof head) && (!size || transmit(fd, data, size));
}

/* FALSE: the connection ends. *ready: requests follow. */
static gboolean answer_option(const NbdExport *server, int fd, guint32 option, gboolean no_zeroes,
                              gboolean *ready)
{
    const ExportInfo info = {0, GUINT64_TO_BE(server->reader->size),
                             GUINT16_TO_BE(HAS_FLAGS | READ_ONLY | CAN_MULTI_CONN)};
    static const guint8 zeroes[124];

    switch (option) {
    case OPTION_EXPORT_NAME:
        *ready = TRUE;
        return transmit(fd, &info.size, sizeof info - sizeof info.type) &&
               (no_zeroes || transmit(fd, zeroes, sizeof zeroes));
    case OPTION_INFO:
    case OPTION_GO:
        *ready = option == OPTION_GO;
        return reply(fd, option, REPLY_INFO, &info, sizeof info) && reply(fd, option, REPLY_ACK, NULL, 0);
    case OPTION_ABORT:
        reply(fd, option, REPLY_ACK, NULL, 0);
        return FALSE;
    default:
        return reply(fd, option, REPLY_UNSUPPORTED, NULL, 0);
    }
}

static gboolean shake_hands(const NbdExport *server, int fd)
{
    const struct __attribute__((packed)) {
        guint64 magic, option_magic;
        guint16 flags;
    } hello = {GUINT64_TO_BE(MAGIC), GUINT64_TO_BE(OPTION_MAGIC), GUINT16_TO_BE(FIXED_NEWSTYLE | NO_ZEROES)};
    guint8 data[OPTION_LIMIT];
    gboolean ready = FALSE;
    guint32 flags;

    if (!transmit(fd, &hello, sizeof hello) || !receive(fd, &flags, sizeof flags))
        return FALSE;
    while (!ready) {
        Option option;

        if (!receive(fd, &option, sizeof option) || option.magic != GUINT64_TO_BE(OPTION_MAGIC) ||
            GUINT32_FROM_BE(option.size) > sizeof data || !receive(fd, data, GUINT32_FROM_BE(option.size)) ||
            !answer_option(server, fd, GUINT32_FROM_BE(option.option), GUINT32_FROM_BE(flags) & NO_ZEROES,
                           &ready))
            return FALSE;
    }
    return TRUE;
}

/* ---- requests ---------------------------------------------------------------------------------- */

typedef struct __attribute__((packed)) {
    guint32 magic;
    guint16 flags, type;
    guint64 handle, start;
    guint32 size;
} Request;

static gboolean answer_request(NbdExport *server, int fd, const Request *request, guint8 *buffer)
{
    guint64 start = GUINT64_FROM_BE(request->start), disk = server->reader->size;
    guint32 size = GUINT32_FROM_BE(request->size);
    struct __attribute__((packed)) {
        guint32 magic, error;
        guint64 handle;
    } answer = {GUINT32_TO_BE(ANSWER_MAGIC), 0, request->handle};

    if (GUINT16_FROM_BE(request->type) != REQUEST_READ)
        answer.error = GUINT32_TO_BE(EPERM);
    else if (size > REQUEST_LIMIT || start > disk || size > disk - start)
        answer.error = GUINT32_TO_BE(EINVAL);
    else if (!read_disk(server, start, size, buffer))
        answer.error = GUINT32_TO_BE(EIO);
    return transmit(fd, &answer, sizeof answer) && (answer.error || transmit(fd, buffer, size));
}

typedef struct {
    NbdExport *server;
    int fd;
} Connection;

static gpointer serve(gpointer user_data)
{
    g_autofree Connection *connection = user_data;
    g_autofree guint8 *buffer = g_malloc(REQUEST_LIMIT);
    NbdExport *server = connection->server;
    int fd = connection->fd;
    Request request;

    if (shake_hands(server, fd))
        while (receive(fd, &request, sizeof request) && request.magic == GUINT32_TO_BE(REQUEST_MAGIC) &&
               request.type != GUINT16_TO_BE(REQUEST_DISCONNECT) &&
               answer_request(server, fd, &request, buffer))
            ;
    g_mutex_lock(&server->lock);
    for (guint i = 0; i < server->sockets->len; i++)
        if (g_array_index(server->sockets, int, i) == fd)
            g_array_remove_index_fast(server->sockets, i--);
    close(fd);
    g_mutex_unlock(&server->lock);
    return NULL;
}

static gpointer accept_all(gpointer user_data)
{
    NbdExport *server = user_data;
    int fd;

    while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        Connection *connection = g_new(Connection, 1);

        *connection = (Connection){server, fd};
        g_mutex_lock(&server->lock);
        g_array_append_val(server->sockets, fd);
        g_ptr_array_add(server->threads, g_thread_new("nbd", serve, connection));
        g_mutex_unlock(&server->lock);
    }
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------------- */

static gboolean start_listening(NbdExport *server, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(server->path);
    if (g_strlcpy(address.sun_path, server->path, sizeof address.sun_path) < sizeof address.sun_path &&
        server->listener >= 0 && bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(server->listener, 8) == 0)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "socket %s: %s", server->path, g_strerror(errno));
    return FALSE;
}

NbdExport *nbd_export_start(Reader *reader, const char *socket_path, GError **error)
{
    g_autoptr(NbdExport) server = g_new0(NbdExport, 1);

    g_mutex_init(&server->lock);
    server->reader = reader;
    server->path = g_strdup(socket_path);
    server->fetch = fetch_new(reader, NULL, count, server);
    server->cancel = g_cancellable_new();
    server->threads = g_ptr_array_new();
    server->sockets = g_array_new(FALSE, FALSE, sizeof(int));
    if (!start_listening(server, error))
        return NULL;
    server->acceptor = g_thread_new("nbd", accept_all, server);
    return g_steal_pointer(&server);
}

void nbd_export_stop(NbdExport *server)
{
    if (!server)
        return;
    g_cancellable_cancel(server->cancel);
    if (server->listener >= 0)
        shutdown(server->listener, SHUT_RDWR);
    if (server->acceptor)
        g_thread_join(server->acceptor);
    g_mutex_lock(&server->lock);
    for (guint i = 0; i < server->sockets->len; i++)
        shutdown(g_array_index(server->sockets, int, i), SHUT_RDWR);
    g_mutex_unlock(&server->lock);
    for (guint i = 0; i < server->threads->len; i++)
        g_thread_join(server->threads->pdata[i]);
    if (server->listener >= 0)
        close(server->listener);
    unlink(server->path);
    for (guint i = 0; i < BLOCKS; i++)
        g_free(server->blocks[i].bytes);
    g_ptr_array_unref(server->threads);
    g_array_unref(server->sockets);
    g_object_unref(server->cancel);
    g_clear_error(&server->error);
    g_mutex_clear(&server->lock);
    fetch_free(server->fetch);
    g_free(server->path);
    g_free(server);
}

GError *nbd_export_error(NbdExport *server)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&server->lock);
    return server->error ? g_error_copy(server->error) : NULL;
}

guint64 nbd_export_bytes(NbdExport *server)
{
    return __atomic_load_n(&server->bytes, __ATOMIC_RELAXED);
}
