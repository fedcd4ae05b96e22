/* vddk_dummy: a libvixDiskLib for tests, over a raw file. It does what the real one documents, holds its
 * callers to the rules, and goes wrong as the environment says:
 *
 *   DUMMY_FILE           the raw disk
 *   DUMMY_LOSE_AFTER     reads on a handle after which the session is lost, once
 *   DUMMY_LOSE_EVERY     of so many reads one loses the session, by chance
 *   DUMMY_FAIL_EVERY     of so many reads one fails, by chance
 *   DUMMY_SEED           of chance
 *   DUMMY_DELAY_MS       how long a read takes; asynchronous ones end in any order
 *   DUMMY_ROOM           bytes that may be under way before there is no memory for more
 *   DUMMY_MOST           a file that is told how many reads were under way at once, at most
 *
 * A file dummy.conf in the library's directory has lines NAME=VALUE for those that the environment lacks.
 *
 * A caller that breaks a rule gets RULE_BROKEN: no InitEx, NULL where there must be something, a handle used
 * by two threads, two reads at once that wait, a read under way when it is closed, a query that is not of
 * whole chunks. With VDDK_OLD it is a version that has no asynchronous reads.
 */
#include "copy/vddk.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT        __attribute__((visibility("default")))
#define RULE_BROKEN   3
#define READ_FAILED   14009
#define SESSION_LOST  3014
#define WRONG_ACCOUNT 13

struct VddkConnection {
    int unused;
};
struct VddkHandle {
    int fd;
    GThread *owner;
    GThreadPool *readers;
    GMutex lock;
    GCond quiet;
    guint under_way, most; /* under lock, as are these */
    guint64 bytes, reads;
    gboolean lost;
    GRand *chance;
};

typedef struct {
    guint64 start, sectors;
    guint8 *buffer;
    VddkCompleted completed;
    void *data;
} Read;

static gboolean ready, lost_once;
static gint reads; /* atomic */

/* The names are VMware's. */
EXPORT VddkResult VixDiskLib_InitEx(guint32 major, guint32 minor, VddkLog log, VddkLog warn, VddkLog panic,
                                    const char *directory, const char *config);
EXPORT void VixDiskLib_Exit(void);
EXPORT char *VixDiskLib_GetErrorText(VddkResult result, const char *locale);
EXPORT void VixDiskLib_FreeErrorText(char *text);
EXPORT VddkConnectParams *VixDiskLib_AllocateConnectParams(void);
EXPORT void VixDiskLib_FreeConnectParams(VddkConnectParams *params);
EXPORT VddkResult VixDiskLib_ConnectEx(const VddkConnectParams *params, char read_only, const char *snapshot,
                                       const char *transports, VddkConnection **connection);
EXPORT VddkResult VixDiskLib_Disconnect(VddkConnection *connection);
EXPORT VddkResult VixDiskLib_Open(VddkConnection *connection, const char *path, guint32 flags,
                                  VddkHandle **handle);
EXPORT VddkResult VixDiskLib_Close(VddkHandle *handle);
EXPORT VddkResult VixDiskLib_GetInfo(VddkHandle *handle, VddkInfo **info);
EXPORT void VixDiskLib_FreeInfo(VddkInfo *info);
EXPORT VddkResult VixDiskLib_Read(VddkHandle *handle, guint64 start, guint64 sectors, guint8 *buffer);
EXPORT VddkResult VixDiskLib_ReadAsync(VddkHandle *handle, guint64 start, guint64 sectors, guint8 *buffer,
                                       VddkCompleted completed, void *data);
EXPORT VddkResult VixDiskLib_Wait(VddkHandle *handle);
EXPORT const char *VixDiskLib_GetTransportMode(VddkHandle *handle);
EXPORT VddkResult VixDiskLib_QueryAllocatedBlocks(VddkHandle *handle, guint64 start, guint64 sectors,
                                                  guint64 chunk, VddkBlockList **list);
EXPORT VddkResult VixDiskLib_FreeBlockList(VddkBlockList *list);

static void read_conf(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "dummy.conf", NULL), *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *value = strchr(*line, '=');
        if (!value)
            continue;
        *value = '\0';
        g_setenv(*line, value + 1, FALSE);
    }
}

VddkResult VixDiskLib_InitEx(guint32 major, guint32 minor, VddkLog log, VddkLog warn, VddkLog panic,
                             const char *directory, const char *config)
{
    if (ready || !log || !warn || !panic || !directory)
        return RULE_BROKEN;
    read_conf(directory);
    ready = TRUE;
    return VDDK_OK;
}

void VixDiskLib_Exit(void)
{
    ready = FALSE;
}

char *VixDiskLib_GetErrorText(VddkResult result, const char *locale)
{
    return g_strdup(result == RULE_BROKEN      ? "One of the parameters was invalid"
                    : result == SESSION_LOST   ? "The session was lost"
                    : result == VDDK_NO_MEMORY ? "Memory allocation failed. Out of memory."
                                               : "Unknown error");
}

void VixDiskLib_FreeErrorText(char *text)
{
    g_free(text);
}

VddkConnectParams *VixDiskLib_AllocateConnectParams(void)
{
    return g_new0(VddkConnectParams, 1);
}

void VixDiskLib_FreeConnectParams(VddkConnectParams *params)
{
    g_free(params);
}

VddkResult VixDiskLib_ConnectEx(const VddkConnectParams *params, char read_only, const char *snapshot,
                                const char *transports, VddkConnection **connection)
{
    if (!ready || !params->vmx_spec || !params->server_name || !params->thumb_print || !read_only ||
        !params->port || params->credentials_type != VDDK_CREDENTIALS_USER)
        return RULE_BROKEN;
    if (g_strcmp0(params->credentials.user.password, "secret"))
        return WRONG_ACCOUNT;
    *connection = g_new0(VddkConnection, 1);
    return VDDK_OK;
}

VddkResult VixDiskLib_Disconnect(VddkConnection *connection)
{
    g_free(connection);
    return VDDK_OK;
}

static guint64 number(const char *name)
{
    const char *text = g_getenv(name);
    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

static void end_read(gpointer read, gpointer handle);

VddkResult VixDiskLib_Open(VddkConnection *connection, const char *path, guint32 flags, VddkHandle **handle)
{
    int fd = open(g_getenv("DUMMY_FILE"), O_RDONLY | O_CLOEXEC);
    VddkHandle *made;

    if (!connection || !path || flags != VDDK_OPEN_READ_ONLY || fd < 0)
        return RULE_BROKEN;
    made = g_new0(VddkHandle, 1);
    made->fd = fd;
    made->owner = g_thread_self();
    made->readers = g_thread_pool_new(end_read, made, 8, FALSE, NULL);
    made->chance = g_rand_new_with_seed(number("DUMMY_SEED") + g_atomic_int_get(&reads));
    g_mutex_init(&made->lock);
    g_cond_init(&made->quiet);
    *handle = made;
    return VDDK_OK;
}

static gboolean is_mine(VddkHandle *handle)
{
    return handle->owner == g_thread_self();
}

static void tell_most(const VddkHandle *handle)
{
    g_autofree char *text = g_strdup_printf("%u", handle->most);

    if (g_getenv("DUMMY_MOST"))
        g_file_set_contents(g_getenv("DUMMY_MOST"), text, -1, NULL);
}

VddkResult VixDiskLib_Close(VddkHandle *handle)
{
    if (!is_mine(handle) || handle->under_way)
        return RULE_BROKEN;
    tell_most(handle);
    g_thread_pool_free(handle->readers, FALSE, TRUE);
    close(handle->fd);
    g_rand_free(handle->chance);
    g_mutex_clear(&handle->lock);
    g_cond_clear(&handle->quiet);
    g_free(handle);
    return VDDK_OK;
}

static guint64 capacity(VddkHandle *handle)
{
    struct stat stat = {0};
    return fstat(handle->fd, &stat) == 0 ? stat.st_size / VDDK_SECTOR : 0;
}

VddkResult VixDiskLib_GetInfo(VddkHandle *handle, VddkInfo **info)
{
    *info = g_new0(VddkInfo, 1);
    (*info)->capacity = capacity(handle);
    return VDDK_OK;
}

void VixDiskLib_FreeInfo(VddkInfo *info)
{
    g_free(info);
}

const char *VixDiskLib_GetTransportMode(VddkHandle *handle)
{
    return "file";
}

static gboolean happens(VddkHandle *handle, const char *every)
{
    guint64 of = number(every);
    return of && g_rand_int_range(handle->chance, 0, (gint32)of) == 0;
}

/* What this read comes to, before a byte of it is there; under the lock. */
static VddkResult fate(VddkHandle *handle)
{
    guint64 lose_after = number("DUMMY_LOSE_AFTER");

    g_atomic_int_inc(&reads);
    if (lose_after && ++handle->reads > lose_after && !lost_once)
        handle->lost = lost_once = TRUE;
    if (happens(handle, "DUMMY_LOSE_EVERY"))
        handle->lost = TRUE;
    return handle->lost ? SESSION_LOST : happens(handle, "DUMMY_FAIL_EVERY") ? READ_FAILED : VDDK_OK;
}

static VddkResult do_read(VddkHandle *handle, const Read *read)
{
    gssize size = read->sectors * VDDK_SECTOR;
    VddkResult result;
    guint64 delay;

    g_mutex_lock(&handle->lock);
    result = fate(handle);
    delay =
        number("DUMMY_DELAY_MS") ? g_rand_int_range(handle->chance, 0, number("DUMMY_DELAY_MS") * 2000) : 0;
    g_mutex_unlock(&handle->lock);
    g_usleep(delay);
    if (!result && pread(handle->fd, read->buffer, size, read->start * VDDK_SECTOR) != size)
        result = READ_FAILED;
    if (result)
        memset(read->buffer, 'X', size); /* what a read that failed leaves is worth nothing */
    return result;
}

static gboolean is_allowed(VddkHandle *handle, guint64 start, guint64 sectors, const guint8 *buffer)
{
    return is_mine(handle) && buffer && sectors && start + sectors <= capacity(handle);
}

VddkResult VixDiskLib_Read(VddkHandle *handle, guint64 start, guint64 sectors, guint8 *buffer)
{
    Read read = {start, sectors, buffer, NULL, NULL};

    if (!is_allowed(handle, start, sectors, buffer) || handle->under_way)
        return RULE_BROKEN;
    return do_read(handle, &read);
}

#ifndef VDDK_OLD
static void end_read(gpointer user_data, gpointer of)
{
    VddkHandle *handle = of;
    Read *read = user_data;
    VddkResult result = do_read(handle, read);

    read->completed(read->data, result);
    g_mutex_lock(&handle->lock);
    handle->bytes -= read->sectors * VDDK_SECTOR;
    if (!--handle->under_way)
        g_cond_broadcast(&handle->quiet);
    g_mutex_unlock(&handle->lock);
    g_free(read);
}

VddkResult VixDiskLib_ReadAsync(VddkHandle *handle, guint64 start, guint64 sectors, guint8 *buffer,
                                VddkCompleted completed, void *data)
{
    Read read = {start, sectors, buffer, completed, data};
    guint64 room = number("DUMMY_ROOM"), size = sectors * VDDK_SECTOR;
    gboolean fits;

    if (!is_allowed(handle, start, sectors, buffer) || !completed)
        return RULE_BROKEN;
    g_mutex_lock(&handle->lock);
    fits = !room || handle->bytes + size <= room;
    handle->bytes += fits ? size : 0;
    handle->under_way += fits;
    handle->most = MAX(handle->most, handle->under_way);
    g_mutex_unlock(&handle->lock);
    if (!fits)
        return VDDK_NO_MEMORY;
    g_thread_pool_push(handle->readers, g_memdup2(&read, sizeof read), NULL);
    return VDDK_ASYNC;
}

VddkResult VixDiskLib_Wait(VddkHandle *handle)
{
    if (!is_mine(handle))
        return RULE_BROKEN;
    g_mutex_lock(&handle->lock);
    while (handle->under_way)
        g_cond_wait(&handle->quiet, &handle->lock);
    g_mutex_unlock(&handle->lock);
    return VDDK_OK;
}
#else
static void end_read(gpointer read, gpointer handle) {}
#endif

VddkResult VixDiskLib_QueryAllocatedBlocks(VddkHandle *handle, guint64 start, guint64 sectors, guint64 chunk,
                                           VddkBlockList **list)
{
    guint64 chunks = sectors / MAX(chunk, 1);

    if (!is_mine(handle) || chunk < VDDK_LEAST_CHUNK || start % chunk || sectors % chunk || !chunks ||
        chunks > VDDK_MOST_CHUNKS || start + sectors > capacity(handle))
        return RULE_BROKEN;
    *list = g_malloc(sizeof **list + chunks * sizeof(*list)->blocks[0]);
    (*list)->len = 0;
    for (guint64 i = 0; i < chunks; i++) {
        const guint64 at = (start + i * chunk) * VDDK_SECTOR;
        const off_t data = lseek(handle->fd, at, SEEK_DATA);

        if (data < 0 || (guint64)data >= at + chunk * VDDK_SECTOR)
            continue;
        (*list)->blocks[(*list)->len].start = start + i * chunk;
        (*list)->blocks[(*list)->len++].size = chunk;
    }
    return VDDK_OK;
}

VddkResult VixDiskLib_FreeBlockList(VddkBlockList *list)
{
    g_free(list);
    return VDDK_OK;
}
