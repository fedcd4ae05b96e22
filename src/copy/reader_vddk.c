/* reader_vddk: a disk read with VMware's VDDK, where the user has it: libvixDiskLib, loaded by this process
 * alone.
 *
 *   "source": {"type": "vddk", "url": "https://vc/sdk", "vm": "vm-12", "file": "[datastore] dir/x.vmdk",
 *              "snapshot": "snapshot-3"?, "library": "/opt/vmware-vix-disklib-distrib", "generation": TEXT}
 *
 * One connection and one handle, and one thread that makes every call on them, as the library wants it: the
 * readers' threads leave their wishes in its queue and wait. Reads are handed to the library without waiting
 * for them, so that as many are under way as there are threads; their ends come by callback, in any order. A
 * library without such reads (before 6.5) reads one at a time. It is set up once in a process and stays. It
 * knows its peer by a fingerprint only, so the trust has to have one. Allocated blocks are asked for in whole
 * chunks; the disk's odd end counts as allocated. Errors also: VDDK_LIBRARY.
 */
#include "copy/credentials.h"
#include "copy/reader.h"
#include "copy/vddk.h"
#include <dlfcn.h>
#include <string.h>

#define REQUEST    ((gsize)2 << 20) /* bytes of one read */
#define TRANSPORTS "file:nbdssl:nbd"

typedef struct {
    Reader reader;
    const VddkLibrary *library;
    char *server, *vm, *file, *snapshot, *fingerprint, *credentials;
    guint port;
    GMutex renewing; /* one renews, the others find it done */

    GThread *caller;     /* the only one that calls the library, from open_vddk() to close_vddk() */
    GAsyncQueue *wishes; /* of Wish */
    GMutex lock;
    GCond ended; /* some wish->done */

    /* the caller's own */
    VddkConnection *connection;
    VddkHandle *handle;
    char *transport; /* when it was opened last; NULL: it never was */
} VddkReader;

typedef enum { CONNECT, READ, FIND_BLOCKS, STOP } WishKind;

/* Something that the caller is to do; on the stack of who waits for it. */
typedef struct {
    VddkReader *reader;
    WishKind kind;
    guint64 start, sectors;
    guint8 *buffer;      /* READ */
    VddkBlockList *list; /* FIND_BLOCKS: the answer */
    VddkResult result;
    GError *error;
    gboolean done; /* under reader->lock */
} Wish;

/* ---- the library ------------------------------------------------------------------------------- */

static void keep_quiet(const char *format, va_list args) {}

static gboolean load_symbols(void *object, VddkLibrary *library, GError **error)
{
    const struct {
        const char *name;
        void *slot;
        gboolean optional;
    } symbols[] = {
        {"VixDiskLib_InitEx", &library->init},
        {"VixDiskLib_Exit", &library->exit},
        {"VixDiskLib_GetErrorText", &library->error_text},
        {"VixDiskLib_FreeErrorText", &library->free_error_text},
        {"VixDiskLib_AllocateConnectParams", &library->new_params},
        {"VixDiskLib_FreeConnectParams", &library->free_params},
        {"VixDiskLib_ConnectEx", &library->connect},
        {"VixDiskLib_Disconnect", &library->disconnect},
        {"VixDiskLib_Open", &library->open},
        {"VixDiskLib_Close", &library->close},
        {"VixDiskLib_GetInfo", &library->info},
        {"VixDiskLib_FreeInfo", &library->free_info},
        {"VixDiskLib_Read", &library->read},
        {"VixDiskLib_ReadAsync", &library->read_async, TRUE},
        {"VixDiskLib_Wait", &library->wait, TRUE},
        {"VixDiskLib_GetTransportMode", &library->transport},
        {"VixDiskLib_QueryAllocatedBlocks", &library->blocks, TRUE},
        {"VixDiskLib_FreeBlockList", &library->free_blocks, TRUE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(symbols); i++) {
        void *found = dlsym(object, symbols[i].name);

        if (!found && !symbols[i].optional) {
            g_set_error(error, GANTRY_ERROR, ERROR_VDDK_LIBRARY, "the VDDK has no %s: it is older than 6.7",
                        symbols[i].name);
            return FALSE;
        }
        memcpy(symbols[i].slot, &found, sizeof found);
    }
    if (!library->wait)
        library->read_async = NULL;
    return TRUE;
}

static gboolean open_library(const char *directory, VddkLibrary *library, guint *major, GError **error)
{
    g_autofree char *why = NULL;

    for (*major = 9; *major >= 6; --*major) {
        g_autofree char *path = g_strdup_printf("%s/lib64/libvixDiskLib.so.%u", directory, *major);
        void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

        if (object)
            return load_symbols(object, library, error);
        if (!why || g_file_test(path, G_FILE_TEST_EXISTS)) {
            g_free(why);
            why = g_strdup(dlerror());
        }
    }
    g_set_error(error, GANTRY_ERROR, ERROR_VDDK_LIBRARY, "%s holds no VDDK that can be loaded: %s", directory,
                why);
    return FALSE;
}

static guint code_of(VddkResult result)
{
    return result & 0xffff;
}

static gboolean check(const VddkLibrary *library, VddkResult result, int code, const char *what,
                      GError **error)
{
    char *text;

    if (code_of(result) == VDDK_OK)
        return TRUE;
    text = library->error_text(result, NULL);
    g_set_error(error, GANTRY_ERROR, code, "VDDK, %s: %s (%" G_GUINT64_FORMAT ")", what,
                text ? text : "no text", result);
    if (text)
        library->free_error_text(text);
    return FALSE;
}

/* Once in a process, and never undone: its threads do not survive that well. */
static const VddkLibrary *get_library(const char *directory, GError **error)
{
    static VddkLibrary library;
    static gboolean ready;
    static GMutex lock;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&lock);
    guint major;

    if (ready)
        return &library;
    if (!open_library(directory, &library, &major, error) ||
        !check(&library, library.init(major, 0, keep_quiet, keep_quiet, keep_quiet, directory, NULL),
               ERROR_VDDK_LIBRARY, "setting it up", error))
        return NULL;
    ready = TRUE;
    return &library;
}

/* ---- connecting -------------------------------------------------------------------------------- */

static void disconnect(VddkReader *self)
{
    if (self->handle && self->library->wait)
        self->library->wait(self->handle);
    if (self->handle)
        self->library->close(self->handle);
    if (self->connection)
        self->library->disconnect(self->connection);
    self->handle = NULL;
    self->connection = NULL;
}

static gboolean connect_vddk(VddkReader *self, GError **error)
{
    const VddkLibrary *library = self->library;
    g_autoptr(Credentials) credentials = credentials_read(self->credentials, error);
    g_autofree char *vmx = g_strdup_printf("moref=%s", self->vm);
    VddkConnectParams *params = credentials ? library->new_params() : NULL;
    /* what it never opened may be read in another way */
    const int failure = self->transport ? ERROR_SOURCE_READ : ERROR_VDDK_LIBRARY;
    VddkResult result;

    if (!params)
        return FALSE;
    params->vmx_spec = vmx;
    params->server_name = self->server;
    params->thumb_print = self->fingerprint;
    params->credentials_type = VDDK_CREDENTIALS_USER;
    params->credentials.user.user = credentials->user;
    params->credentials.user.password = credentials->password;
    params->port = self->port;
    result = library->connect(params, 1, self->snapshot, TRANSPORTS, &self->connection);
    params->vmx_spec = params->server_name = params->thumb_print = NULL; /* ours, not the library's to free */
    params->credentials.user.user = params->credentials.user.password = NULL;
    library->free_params(params);
    return check(library, result, code_of(result) == VDDK_ACCESS ? ERROR_SOURCE_LOGIN : failure,
                 "connecting (a wrong fingerprint is called an unknown error)", error) &&
           check(library, library->open(self->connection, self->file, VDDK_OPEN_READ_ONLY, &self->handle),
                 failure, "opening the disk", error);
}

/* The first time it is learned, later it must be the same. */
static gboolean check_size(VddkReader *self, GError **error)
{
    VddkInfo *info = NULL;
    guint64 size;

    if (!check(self->library, self->library->info(self->handle, &info), ERROR_SOURCE_READ,
               "asking for the size", error))
        return FALSE;
    size = info->capacity * VDDK_SECTOR;
    self->library->free_info(info);
    if (!self->transport)
        self->reader.size = size;
    if (size == self->reader.size)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_CHANGED,
                "the disk had %" G_GUINT64_FORMAT " bytes and has %" G_GUINT64_FORMAT " now",
                self->reader.size, size);
    return FALSE;
}

/* ---- the thread that calls the library --------------------------------------------------------- */

static void end_wish(Wish *wish, VddkResult result)
{
    VddkReader *self = wish->reader;

    g_mutex_lock(&self->lock);
    wish->result = result;
    wish->done = TRUE; /* it may be gone when the lock is */
    g_cond_broadcast(&self->ended);
    g_mutex_unlock(&self->lock);
}

static void read_ended(void *data, VddkResult result)
{
    end_wish(data, result);
}

static void begin_read(VddkReader *self, Wish *wish)
{
    VddkResult result;

    if (!self->library->read_async) {
        end_wish(wish, self->library->read(self->handle, wish->start, wish->sectors, wish->buffer));
        return;
    }
    result =
        self->library->read_async(self->handle, wish->start, wish->sectors, wish->buffer, read_ended, wish);
    if (code_of(result) != VDDK_ASYNC)
        end_wish(wish, result);
}

static gboolean connect_anew(VddkReader *self, GError **error)
{
    disconnect(self);
    if (!connect_vddk(self, error) || !check_size(self, error))
        return FALSE;
    g_free(self->transport);
    self->transport = g_strdup(self->library->transport(self->handle));
    return TRUE;
}

static gpointer call_library(gpointer user_data)
{
    VddkReader *self = user_data;
    Wish *wish;

    while ((wish = g_async_queue_pop(self->wishes))->kind != STOP) {
        if (wish->kind == CONNECT) {
            connect_anew(self, &wish->error);
            end_wish(wish, VDDK_OK);
        } else if (!self->handle) {
            g_set_error(&wish->error, GANTRY_ERROR, ERROR_SESSION_EXPIRED, "VDDK: there is no connection");
            end_wish(wish, VDDK_OK);
        } else if (wish->kind == READ) {
            begin_read(self, wish);
        } else {
            end_wish(wish, self->library->blocks(self->handle, wish->start, wish->sectors, VDDK_LEAST_CHUNK,
                                                 &wish->list));
        }
    }
    disconnect(self);
    end_wish(wish, VDDK_OK);
    return NULL;
}

/* Waits until it is done, whatever happens: the library may be writing to the wish's buffer. */
static gboolean have_done(VddkReader *self, Wish *wish, GError **error)
{
    wish->reader = self;
    g_async_queue_push(self->wishes, wish);
    g_mutex_lock(&self->lock);
    while (!wish->done)
        g_cond_wait(&self->ended, &self->lock);
    g_mutex_unlock(&self->lock);
    if (!wish->error)
        return TRUE;
    g_propagate_error(error, wish->error);
    return FALSE;
}

static void close_vddk(Reader *reader)
{
    VddkReader *self = (VddkReader *)reader;
    Wish stop = {.kind = STOP};

    if (self->caller) {
        have_done(self, &stop, NULL);
        g_thread_join(self->caller);
    }
    g_async_queue_unref(self->wishes);
    g_mutex_clear(&self->renewing);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->ended);
    g_free(self->server);
    g_free(self->vm);
    g_free(self->file);
    g_free(self->snapshot);
    g_free(self->fingerprint);
    g_free(self->credentials);
    g_free(self->transport);
    g_free(self);
}

/* ---- opening and renewing ---------------------------------------------------------------------- */

static gboolean take_spec(VddkReader *self, const CopySpec *spec, GError **error)
{
    const char *url = copy_spec_source_text(spec, "url", 2048, error),
               *vm = url ? copy_spec_source_text(spec, "vm", 256, error) : NULL,
               *file = vm ? copy_spec_source_text(spec, "file", 2048, error) : NULL;
    g_autoptr(GUri) uri = file ? g_uri_parse(url, G_URI_FLAGS_NONE, error) : NULL;

    if (!uri)
        return FALSE;
    self->server = g_strdup(g_uri_get_host(uri));
    self->port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : 443;
    self->vm = g_strdup(vm);
    self->file = g_strdup(file);
    self->snapshot = g_strdup(json_string_at(spec->source, "snapshot", NULL));
    self->fingerprint = g_strdup(spec->fingerprint);
    self->credentials = g_strdup(spec->credentials);
    if (self->server && self->fingerprint && self->credentials)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_VDDK_LIBRARY,
                "the VDDK knows its peer by a fingerprint and a user; the provider's thumbprint or its user "
                "is missing");
    return FALSE;
}

static Reader *open_vddk(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *directory = copy_spec_source_text(spec, "library", 4096, error);
    VddkReader *self = g_new0(VddkReader, 1);
    g_autoptr(Reader) reader = &self->reader;
    Wish connect = {.kind = CONNECT};

    reader->type = &reader_vddk;
    g_mutex_init(&self->renewing);
    g_mutex_init(&self->lock);
    g_cond_init(&self->ended);
    self->wishes = g_async_queue_new();
    if (!directory || !take_spec(self, spec, error) || !(self->library = get_library(directory, error)))
        return NULL;
    self->caller = g_thread_new("vddk", call_library, self); /* after the library's own threads */
    if (!have_done(self, &connect, error))
        return NULL;
    reader->parallel = self->library->read_async ? spec->connections : 1;
    reader->identity = json_pack("{s:s}", "type", "vddk");
    reader->choice = g_strdup_printf("vddk: transport %s, %s, %s", self->transport,
                                     self->library->read_async ? "asynchronous reads" : "one read at a time",
                                     self->library->blocks ? "with a map" : "no map");
    return g_steal_pointer(&reader);
}

static gboolean renew_vddk(Reader *reader, gint session, GCancellable *cancel, GError **error)
{
    VddkReader *self = (VddkReader *)reader;
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&self->renewing);
    Wish connect = {.kind = CONNECT};

    if (g_atomic_int_get(&reader->session) != session)
        return TRUE;
    if (!have_done(self, &connect, error))
        return FALSE;
    g_atomic_int_inc(&reader->session);
    return TRUE;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* Allocated blocks become data, what lies between them zeros, clipped to what was asked for. */
static void add_blocks(const VddkBlockList *list, guint64 start, guint64 end, GArray *extents)
{
    for (guint32 i = 0; i <= list->len; i++) {
        guint64 from = i < list->len ? CLAMP(list->blocks[i].start * VDDK_SECTOR, start, end) : end,
                to = i < list->len
                         ? CLAMP((list->blocks[i].start + list->blocks[i].size) * VDDK_SECTOR, start, end)
                         : end;
        Extent zeros = {start, from - start, TRUE}, data = {from, to - from, FALSE};

        if (zeros.size)
            g_array_append_val(extents, zeros);
        if (data.size)
            g_array_append_val(extents, data);
        start = MAX(start, to);
    }
}

/* What is allocated in whole chunks of the disk; NULL: the library does not know. */
static VddkBlockList *find_blocks(VddkReader *self, guint64 from, guint64 to)
{
    Wish wish = {.kind = FIND_BLOCKS, .start = from / VDDK_SECTOR, .sectors = (to - from) / VDDK_SECTOR};

    if (!self->library->blocks || !have_done(self, &wish, NULL) || code_of(wish.result) != VDDK_OK)
        return NULL;
    return wish.list;
}

static gboolean vddk_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                             GCancellable *cancel, GError **error)
{
    VddkReader *self = (VddkReader *)reader;
    const guint64 chunk = VDDK_LEAST_CHUNK * VDDK_SECTOR, whole = reader->size / chunk * chunk,
                  end = start + size, most = VDDK_MOST_CHUNKS * chunk;

    while (start < MIN(end, whole)) {
        guint64 from = start / chunk * chunk,
                to = MIN(whole, MIN(from + most, (end + chunk - 1) / chunk * chunk));
        VddkBlockList *list = find_blocks(self, from, to);

        if (!list)
            break; /* not known: it is read */
        add_blocks(list, start, MIN(to, end), extents);
        self->library->free_blocks(list);
        start = MIN(to, end);
    }
    if (start < end) {
        Extent rest = {start, end - start, FALSE};
        g_array_append_val(extents, rest);
    }
    return TRUE;
}

/* The library does not tell a lost session from other failures: a new one is what heals most. */
static int error_of_read(VddkResult result)
{
    return code_of(result) == VDDK_NO_MEMORY ? ERROR_SOURCE_BUSY : ERROR_SESSION_EXPIRED;
}

static gboolean read_vddk(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                          GCancellable *cancel, GError **error)
{
    VddkReader *self = (VddkReader *)reader;

    while (*done < size) {
        gsize part = MIN(size - *done, REQUEST);
        Wish wish = {.kind = READ,
                     .start = (start + *done) / VDDK_SECTOR,
                     .sectors = part / VDDK_SECTOR,
                     .buffer = buffer + *done};

        if (g_cancellable_set_error_if_cancelled(cancel, error) || !have_done(self, &wish, error) ||
            !check(self->library, wish.result, error_of_read(wish.result), "reading", error))
            return FALSE;
        *done += part;
    }
    return TRUE;
}

const ReaderType reader_vddk = {.type = "vddk",
                                .open = open_vddk,
                                .extents = vddk_extents,
                                .read = read_vddk,
                                .renew = renew_vddk,
                                .close = close_vddk};
