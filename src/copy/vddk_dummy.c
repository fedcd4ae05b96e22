/* vddk_dummy: a libvixDiskLib for tests, over a raw file. It does what the real one documents, holds its
 * callers to the rules, and goes wrong as the environment says:
 *
 *   DUMMY_FILE           the raw disk
 *   DUMMY_LOSE_AFTER     reads after which the session is lost, once
 *   DUMMY_DELAY_MS       how long a read takes
 *
 * A caller that breaks a rule gets RULE_BROKEN: no InitEx, NULL where there must be something, two calls on a
 * handle at once, a query that is not of whole chunks.
 */
#include "copy/vddk.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT        __attribute__((visibility("default")))
#define RULE_BROKEN   3
#define SESSION_LOST  3014
#define WRONG_ACCOUNT 13

struct VddkConnection {
    int unused;
};
struct VddkHandle {
    int fd;
    gint busy; /* atomic */
    gboolean lost;
};

static gboolean ready, lost_once;
static guint reads;

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
EXPORT const char *VixDiskLib_GetTransportMode(VddkHandle *handle);
EXPORT VddkResult VixDiskLib_QueryAllocatedBlocks(VddkHandle *handle, guint64 start, guint64 sectors,
                                                  guint64 chunk, VddkBlockList **list);
EXPORT VddkResult VixDiskLib_FreeBlockList(VddkBlockList *list);

VddkResult VixDiskLib_InitEx(guint32 major, guint32 minor, VddkLog log, VddkLog warn, VddkLog panic,
                             const char *directory, const char *config)
{
    if (ready || !log || !warn || !panic || !directory)
        return RULE_BROKEN;
    ready = TRUE;
    return VDDK_OK;
}

void VixDiskLib_Exit(void)
{
    ready = FALSE;
}

char *VixDiskLib_GetErrorText(VddkResult result, const char *locale)
{
    return g_strdup(result == RULE_BROKEN    ? "One of the parameters was invalid"
                    : result == SESSION_LOST ? "The session was lost"
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

VddkResult VixDiskLib_Open(VddkConnection *connection, const char *path, guint32 flags, VddkHandle **handle)
{
    int fd = open(g_getenv("DUMMY_FILE"), O_RDONLY | O_CLOEXEC);

    if (!connection || !path || flags != VDDK_OPEN_READ_ONLY || fd < 0)
        return RULE_BROKEN;
    *handle = g_new0(VddkHandle, 1);
    (*handle)->fd = fd;
    return VDDK_OK;
}

VddkResult VixDiskLib_Close(VddkHandle *handle)
{
    close(handle->fd);
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

static guint64 number(const char *name)
{
    const char *text = g_getenv(name);
    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

VddkResult VixDiskLib_Read(VddkHandle *handle, guint64 start, guint64 sectors, guint8 *buffer)
{
    gboolean alone = g_atomic_int_add(&handle->busy, 1) == 0;
    gboolean good = alone && buffer && sectors && start + sectors <= capacity(handle);

    g_usleep(number("DUMMY_DELAY_MS") * 1000);
    if (number("DUMMY_LOSE_AFTER") && ++reads > number("DUMMY_LOSE_AFTER") && !lost_once)
        handle->lost = lost_once = TRUE;
    good = good && !handle->lost &&
           pread(handle->fd, buffer, sectors * VDDK_SECTOR, start * VDDK_SECTOR) ==
               (gssize)(sectors * VDDK_SECTOR);
    g_atomic_int_add(&handle->busy, -1);
    return good ? VDDK_OK : handle->lost ? SESSION_LOST : RULE_BROKEN;
}

VddkResult VixDiskLib_QueryAllocatedBlocks(VddkHandle *handle, guint64 start, guint64 sectors, guint64 chunk,
                                           VddkBlockList **list)
{
    guint64 chunks = sectors / MAX(chunk, 1);

    if (chunk < VDDK_LEAST_CHUNK || start % chunk || sectors % chunk || !chunks ||
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
