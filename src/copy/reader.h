/* reader: where a disk's bytes come from, whatever the protocol.
 *
 * A reader has a size and reads ranges. Reads are asynchronous by threads: up to `parallel` of them may call
 * reader_read() at once, each for its own range; a `sequential` reader is read by one thread, forward. A read
 * is one try. Who calls decides by the error's class what comes next (copy/fetch.h): STALE asks for
 * reader_renew() first. Guarantee: nothing is ever written to the source. Errors: SOURCE_READ, SOURCE_BUSY,
 * SESSION_EXPIRED, SOURCE_CHANGED (it is not the disk that was opened any more), SOURCE_FORBIDDEN,
 * SOURCE_NOT_FOUND, SOURCE_NO_RANGES, SOURCE_LOGIN, HTTP_CERTIFICATE, HTTP_UNREACHABLE.
 */
#pragma once
#include "copy/spec.h"

typedef struct {
    guint64 start, size; /* bytes */
    gboolean zero;       /* known to read as zeros: need not be read */
} Extent;

typedef struct Reader Reader;

typedef struct {
    const char *type; /* source.type of the spec */

    /* Looks at the disk, reads none of its data. Errors also: BAD_INPUT, DISK_DESCRIPTOR, DISK_FORMAT. */
    Reader *(*open)(const CopySpec *spec, GCancellable *cancel, GError **error);

    /* Adds the extents of [start, start + size) in order, without gaps. NULL: everything may be data. */
    gboolean (*extents)(Reader *reader, guint64 start, guint64 size, GArray *extents, GCancellable *cancel,
                        GError **error);

    /* Fills buffer from *done on and moves *done along, also when it fails: the next try goes on there. */
    gboolean (*read)(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                     GCancellable *cancel, GError **error);

    /* What the source itself knows to have been written since the generation that spec.changes.since names:
     * changed (not zero) and unchanged extents of the whole disk; NULL without an error: it does not know. NULL:
     * no such source. */
    ExtentList *(*changes)(Reader *reader, GCancellable *cancel, GError **error);

    /* Gets a new session or ticket, unless somebody has since reader->session had this value. NULL: nothing
     * to renew. */
    gboolean (*renew)(Reader *reader, gint session, GCancellable *cancel, GError **error);

    void (*close)(Reader *reader);
} ReaderType;

/* The head of every reader's own struct; set by open(), constant after but for session. */
struct Reader {
    const ReaderType *type;
    guint64 size;
    guint parallel;
    gboolean sequential;
    gint session;     /* atomic: counts renewals; look at it before a read, for reader_renew() */
    json_t *identity; /* what tells this content from any other: content id, times, tags; owned */
    char *choice;     /* which way was chosen and why, for log and report; owned */
};

/* Opens what spec.source says, or where that is no way to this disk (SOURCE_NO_RANGES, DISK_FORMAT, VDDK_LIBRARY) the first of
 * spec.source.others (a list of sources) that is; the choice and its reason are in reader->choice. It refuses a disk whose size is not the spec's (DISK_DESCRIPTOR). */
Reader *reader_open(const CopySpec *spec, GCancellable *cancel, GError **error);
gboolean reader_extents(Reader *reader, guint64 start, guint64 size, GArray *extents, GCancellable *cancel,
                        GError **error);
gboolean reader_read(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                     GCancellable *cancel, GError **error);
ExtentList *reader_changes(Reader *reader, GCancellable *cancel, GError **error);
gboolean reader_renew(Reader *reader, gint session, GCancellable *cancel, GError **error);
void reader_close(Reader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reader, reader_close)

extern const ReaderType reader_file, reader_https, reader_imageio, reader_lease, reader_nbd, reader_vddk, reader_vmdk;
