/* reader_lease: a disk that the source streams by an NFC lease, decoded straight to its place. It is how
 * disks that are no files are read without a library of VMware's (vSAN, vVol): once through, forward.
 *
 *   "source": {"type": "lease", "url": "https://vc/sdk", "vm": "vm-12", "snapshot": "snapshot-3"?,
 * "generation": TEXT}
 *
 * Without a snapshot the VM has to be off. What a restarted copy has already is decoded once more, and
 * dropped.
 */
#include "copy/credentials.h"
#include "copy/reader.h"
#include "copy/vmdk_stream.h"
#include "source/export.h"
#include <string.h>

typedef struct {
    Reader reader;
    Source *source;
    char *vm, *snapshot, *disk_id;
    SourceExport *export;
    VmdkStream *stream;

    guint64 start; /* the grain that was decoded last */
    gsize size;    /* 0: none was, or none is left */
    const guint8 *bytes;
    guint64 passed; /* bytes of the disk before it: they cannot be read again */
    gboolean ended;
} LeaseReader;

static void end_export(LeaseReader *self)
{
    g_clear_pointer(&self->stream, vmdk_stream_free);
    source_export_close(self->export, self->ended);
    self->export = NULL;
}

static void close_lease(Reader *reader)
{
    LeaseReader *self = (LeaseReader *)reader;

    end_export(self);
    source_close(self->source);
    g_free(self->vm);
    g_free(self->snapshot);
    g_free(self->disk_id);
    g_free(self);
}

/* ---- opening ----------------------------------------------------------------------------------- */

static gboolean begin_export(LeaseReader *self, GCancellable *cancel, GError **error)
{
    self->export = source_export_open(self->source, self->vm, self->snapshot, self->disk_id, cancel, error);
    if (!self->export)
        return FALSE;
    self->stream = vmdk_stream_open(source_export_peek_stream(self->export), cancel, error);
    self->start = self->passed = 0;
    self->size = 0;
    self->ended = FALSE;
    return self->stream != NULL;
}

static gboolean open_source(LeaseReader *self, const CopySpec *spec, GError **error)
{
    const char *url = copy_spec_source_text(spec, "url", 2048, error);
    g_autoptr(Credentials) credentials =
        url && spec->credentials ? credentials_read(spec->credentials, error) : NULL;
    SourceAccess access = {
        .type = "vsphere",
        .url = url,
        .trust = {.ca_pem = spec->ca_pem, .fingerprint = spec->fingerprint, .insecure = spec->insecure}};

    if (!url || (spec->credentials && !credentials))
        return FALSE;
    if (!credentials) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "copy spec: credentials are missing; a lease is given to a user only");
        return FALSE;
    }
    access.user = credentials->user;
    access.password = credentials->password;
    self->source = source_open(&access, error);
    return self->source != NULL;
}

static Reader *open_lease(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *vm = copy_spec_source_text(spec, "vm", 256, error), *snapshot = NULL;
    LeaseReader *self = g_new0(LeaseReader, 1);
    g_autoptr(Reader) reader = &self->reader;

    reader->type = &reader_lease;
    if (!vm || (json_object_get(spec->source, "snapshot") &&
                !(snapshot = copy_spec_source_text(spec, "snapshot", 256, error))))
        return NULL;
    self->vm = g_strdup(vm);
    self->snapshot = g_strdup(snapshot);
    self->disk_id = g_strdup(spec->disk_id);
    if (!open_source(self, spec, error) || !begin_export(self, cancel, error))
        return NULL;
    reader->size = vmdk_stream_size(self->stream);
    reader->parallel = 1;
    reader->sequential = TRUE;
    reader->identity = json_pack("{s:s}", "type", "lease");
    reader->choice = g_strdup_printf("lease: one stream of the %s, from its beginning",
                                     snapshot ? "snapshot" : "VM that is off");
    return g_steal_pointer(&reader);
}

static gboolean renew_lease(Reader *reader, gint session, GCancellable *cancel, GError **error)
{
    LeaseReader *self = (LeaseReader *)reader;

    if (g_atomic_int_get(&reader->session) != session)
        return TRUE;
    end_export(self);
    if (!begin_export(self, cancel, error))
        return FALSE;
    g_atomic_int_inc(&reader->session);
    return TRUE;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* Decodes the next grain. */
static gboolean advance(LeaseReader *self, GCancellable *cancel, GError **error)
{
    self->passed = self->size ? self->start + self->size : self->passed;
    if (!vmdk_stream_next(self->stream, &self->start, &self->bytes, &self->size, cancel, error))
        return FALSE;
    self->ended = !self->size;
    source_export_set_percent(self->export, (guint)((double)self->passed / self->reader.size * 100));
    return TRUE;
}

/* The part of the grain that lies in [at, end). */
static void copy_part(const LeaseReader *self, guint64 at, guint64 end, guint8 *into)
{
    const guint64 from = MAX(at, self->start), to = MIN(end, self->start + self->size);

    if (from < to)
        memcpy(into + (from - at), self->bytes + (from - self->start), to - from);
}

/* A lease that ended, or a stream that broke, begins anew: what broke is not a matter of this range alone. */
static gboolean broke(LeaseReader *self, GError *failed, GError **error)
{
    g_autoptr(GError) why = failed;
    g_autoptr(GError) lost = NULL;

    if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CANCELLED) || error_class(why) == FATAL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    source_export_check(self->export, &lost);
    g_set_error(error, GANTRY_ERROR, ERROR_LEASE_LOST, "%s", lost ? lost->message : why->message);
    return FALSE;
}

static gboolean read_lease(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                           GCancellable *cancel, GError **error)
{
    LeaseReader *self = (LeaseReader *)reader;
    const guint64 at = start + *done, end = start + size;
    const gboolean to_the_end = end == reader->size;
    GError *failed = NULL;

    if (!self->stream || at < self->passed) {
        g_set_error(error, GANTRY_ERROR, ERROR_LEASE_LOST, "the stream is past byte %" G_GUINT64_FORMAT, at);
        return FALSE;
    }
    memset(buffer + *done, 0, end - at);
    copy_part(self, at, end, buffer + *done);
    /* the disk's end is only good when the stream's was */
    while (!self->ended && (to_the_end || self->start + self->size < end)) {
        if (!advance(self, cancel, &failed))
            return broke(self, failed, error);
        copy_part(self, at, end, buffer + *done);
        if (self->size && self->start >= end)
            break;
    }
    *done = size;
    return TRUE;
}

const ReaderType reader_lease = {
    .type = "lease", .open = open_lease, .read = read_lease, .renew = renew_lease, .close = close_lease};
