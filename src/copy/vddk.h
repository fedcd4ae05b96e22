/* vddk: the part of VMware's libvixDiskLib that the copier calls, as its programming guide ("Virtual Disk
 * Development Kit Programming Guide", 6.7 to 8.0) describes it: types and names only, nothing of the library
 * itself. It is for x86-64 alone. The library is loaded at run time and is the user's.
 */
#pragma once
#include <glib.h>

typedef struct VddkConnection VddkConnection;
typedef struct VddkHandle VddkHandle;

enum {
    VDDK_OK = 0,
    VDDK_NO_MEMORY = 2, /* also of the host: too much is under way */
    VDDK_ACCESS = 13,
    VDDK_ASYNC = 25000 /* under way: its callback will be called, or has been */
};                     /* the low 16 bits of a result */
enum { VDDK_OPEN_READ_ONLY = 4 };
enum { VDDK_CREDENTIALS_USER = 1 };

#define VDDK_SECTOR      512
#define VDDK_LEAST_CHUNK 128          /* sectors: 64 KiB */
#define VDDK_MOST_CHUNKS (512 * 1024) /* of one query */

typedef struct {
    char *vmx_spec, *server_name, *thumb_print;
    long reserved;
    int credentials_type;
    union {
        struct {
            char *user, *password;
        } user;
        struct {
            char *cookie, *user, *key;
        } session;
    } credentials;
    guint32 port, nfc_host_port;
    char *private_pointer;
    char private_bytes[8];
    void *private_data;
    struct {
        char *id, *datastore, *ss_id;
    } spec;
    int spec_type;
} VddkConnectParams;

typedef struct {
    guint32 bios_geometry[3], physical_geometry[3];
    guint64 capacity; /* sectors */
    int adapter_type, links;
    char *parent_hint, *uuid;
} VddkInfo; /* newer ones go on after this */

typedef struct {
    guint32 len;
    struct {
        guint64 start, size; /* sectors */
    } blocks[];
} VddkBlockList;

typedef void (*VddkLog)(const char *format, va_list args);
typedef guint64 VddkResult;
typedef void (*VddkCompleted)(void *data, VddkResult result); /* by a thread of the library */

typedef struct {
    VddkResult (*init)(guint32 major, guint32 minor, VddkLog log, VddkLog warn, VddkLog panic,
                       const char *directory, const char *config);
    void (*exit)(void);
    char *(*error_text)(VddkResult result, const char *locale);
    void (*free_error_text)(char *text);
    VddkConnectParams *(*new_params)(void);
    void (*free_params)(VddkConnectParams *params);
    VddkResult (*connect)(const VddkConnectParams *params, char read_only, const char *snapshot,
                          const char *transports, VddkConnection **connection);
    VddkResult (*disconnect)(VddkConnection *connection);
    VddkResult (*open)(VddkConnection *connection, const char *path, guint32 flags, VddkHandle **handle);
    VddkResult (*close)(VddkHandle *handle);
    VddkResult (*info)(VddkHandle *handle, VddkInfo **info);
    void (*free_info)(VddkInfo *info);
    VddkResult (*read)(VddkHandle *handle, guint64 start, guint64 sectors, guint8 *buffer);
    VddkResult (*read_async)(VddkHandle *handle, guint64 start, guint64 sectors, guint8 *buffer,
                             VddkCompleted completed, void *data); /* NULL before 6.5, as is this */
    VddkResult (*wait)(VddkHandle *handle);                        /* until none is under way */
    const char *(*transport)(VddkHandle *handle);
    VddkResult (*blocks)(VddkHandle *handle, guint64 start, guint64 sectors, guint64 chunk,
                         VddkBlockList **list);     /* NULL before 6.7 */
    VddkResult (*free_blocks)(VddkBlockList *list); /* likewise */
} VddkLibrary;
