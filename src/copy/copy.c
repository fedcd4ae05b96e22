/* copy: puts reader, target, journal and pipeline together. */
#include "copy/copy.h"
#include "base/log.h"
#include "copy/pipeline.h"
#include "copy/reader.h"
#include "copy/report.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TAKEOVER_MS   30000
#define PROGRAM_BYTES ((guint64)32 << 20) /* what the process needs beside its buffers */

/* How one run goes on, as its caller wants it. */
typedef struct {
    Progress *progress;
    RateLimit *limit;
    gboolean verify;
} Course;

void copy_report_clear(CopyReport *report)
{
    g_clear_pointer(&report->reader, g_free);
}

static json_t *disk_json(const CopySpec *spec)
{
    return json_pack("{s:s,s:s,s:s}", "plan", spec->plan, "vm", spec->vm, "id", spec->disk_id);
}

static json_t *place_of(const Target *target)
{
    return json_pack("{s:I,s:I}", "inode", (json_int_t)target->inode, "born", (json_int_t)target->born);
}

static Journal *open_journal(const CopySpec *spec, const Reader *reader, const Target *target,
                             GCancellable *cancel, GError **error)
{
    g_autofree char *path = copy_spec_state_path(spec, ".journal");
    g_autoptr(json_t) disk = disk_json(spec);
    g_autoptr(json_t) place = place_of(target);
    JournalOptions options = {.path = path,
                              .disk_size = spec->size,
                              .disk = disk,
                              .target = place,
                              .content = reader->identity,
                              .generation = spec->generation,
                              .changes = spec->changes,
                              .changes_since = spec->changes_since,
                              .fence_uid = spec->fence_uid,
                              .fence_generation = spec->fence_generation};

    if (g_mkdir_with_parents(spec->state, 0700) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "state directory %s: %s", spec->state, g_strerror(errno));
        return NULL;
    }
    return journal_open(&options, TAKEOVER_MS, cancel, error);
}

static guint64 bytes_in(Journal *journal, guint64 size, ChunkState state)
{
    guint64 chunks = journal_count(journal, state), last = chunk_count(size);

    if (!chunks)
        return 0;
    return chunks * CHUNK_SIZE -
           (journal_state(journal, last - 1) == state ? CHUNK_SIZE - chunk_size(size, last - 1) : 0);
}

/* Whether nobody has written to the target since its manifest was written. */
static gboolean is_untouched(const char *manifest, const Target *target)
{
    g_autoptr(json_t) head = manifest_read_head(manifest, NULL), now = place_of(target);
    guint64 modified = target_modified(target);

    return modified && json_equal(json_at(head, "target"), now) &&
           json_int_at(head, "targetModified", 0) == (gint64)modified;
}

/* Something may have changed the target under a journal that is complete: a conversion that was committed, a
 * VM that ran. Then every chunk is read back, and those that differ are copied again. */
static gboolean recheck_target(const CopySpec *spec, const Target *target, Journal *journal,
                               GCancellable *cancel, GError **error)
{
    g_autofree char *overlay = copy_spec_state_path(spec, ".qcow2"),
                    *marker = g_strconcat(overlay, ".commit", NULL),
                    *manifest = copy_spec_state_path(spec, ".manifest");
    const guint known = 1 << CHUNK_LANDED | 1 << CHUNK_VERIFIED | 1 << CHUNK_STALE;
    guint64 chunks = chunk_count(spec->size), forgotten = 0;
    guint8 *buffer;
    gboolean good = TRUE;

    if (access(marker, F_OK) < 0 && access(manifest, F_OK) < 0)
        return TRUE;
    if (access(marker, F_OK) < 0 && is_untouched(manifest, target)) {
        unlink(manifest);
        return TRUE;
    }
    buffer = g_aligned_alloc(1, CHUNK_SIZE, TARGET_ALIGN);
    for (guint64 chunk = 0; good && (chunk = journal_next(journal, chunk, known)) < chunks; chunk++) {
        gsize size = chunk_size(spec->size, chunk);
        Hash wanted, seen;

        good = !g_cancellable_set_error_if_cancelled(cancel, error) &&
               journal_hash(journal, chunk, &wanted, error) &&
               target_read(target, chunk_start(chunk), size, buffer, error);
        if (!good)
            break;
        seen = hash_of(buffer, size);
        if (!hash_equal(&wanted, &seen)) {
            good = journal_forget(journal, chunk, error);
            forgotten++;
        }
    }
    g_aligned_free(buffer);
    if (!good)
        return FALSE;
    unlink(manifest);
    unlink(overlay);
    unlink(marker);
    if (forgotten) {
        g_autofree char *count = g_strdup_printf("%" G_GUINT64_FORMAT, forgotten);
        log_info("the target has been changed since it was copied; what differs is copied again", "disk",
                 spec->disk_id, "chunks", count, NULL);
    }
    return TRUE;
}

static gboolean move(const CopySpec *spec, Reader *reader, Target *target, Journal *journal,
                     const Course *course, CopyReport *report, GCancellable *cancel, GError **error)
{
    Progress *progress = course->progress;
    Pipeline pipeline = {.reader = reader,
                         .target = target,
                         .journal = journal,
                         .progress = progress,
                         .changes = spec->changes,
                         .limit = course->limit,
                         .memory = spec->memory_limit - PROGRAM_BYTES,
                         .verify = course->verify};
    guint64 verified = bytes_in(journal, spec->size, CHUNK_VERIFIED);
    gboolean good;

    report->resumed_from = verified + bytes_in(journal, spec->size, CHUNK_LANDED);
    progress_add(progress, PROGRESS_DONE, report->resumed_from);
    progress_add(progress, PROGRESS_VERIFIED, verified);
    if (journal_resumed(journal)) /* what lies between the records may have been written */
        target->fresh = FALSE;
    good = pipeline_run(&pipeline, cancel, error);
    report->bytes_read = progress_get(progress, PROGRESS_READ);
    report->bytes_read_in_all = journal_read_bytes(journal);
    report->bytes_written = progress_get(progress, PROGRESS_WRITTEN);
    report->bytes_read_twice =
        journal_read_bytes(journal) > spec->size ? journal_read_bytes(journal) - spec->size : 0;
    return good;
}

/* A Pod's container is started again whatever it said. A password that was refused must not be sent each
 * time, or the account is locked: it is tried again only for another Pod or generation. */
static char *refusal_of(const CopySpec *spec)
{
    return g_strdup_printf("%s %" G_GUINT64_FORMAT "\n", spec->fence_uid, spec->fence_generation);
}

static gboolean check_refused_before(const CopySpec *spec, GError **error)
{
    g_autofree char *path = copy_spec_state_path(spec, ".login-refused"), *now = refusal_of(spec),
                    *before = NULL;

    if (!g_file_get_contents(path, &before, NULL, NULL) || !g_str_has_prefix(before, now))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_LOGIN, "%s (not tried again)", before + strlen(now));
    return FALSE;
}

static void remember_refusal(const CopySpec *spec, const GError *error)
{
    g_autofree char *path = copy_spec_state_path(spec, ".login-refused"), *now = refusal_of(spec),
                    *text = g_strconcat(now, error->message, NULL);

    if (g_mkdir_with_parents(spec->state, 0700) == 0)
        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

/* For people who look into the state directory; programs have the result and the manifest. */
static gboolean write_report(const CopySpec *spec, const char *manifest, const CopyReport *report,
                             GError **error)
{
    g_autoptr(json_t) head = manifest_read_head(manifest, error), json = NULL;
    const ManifestResult done = {
        .head = head, .size = spec->size, .digest = report->digest, .bytes_equal = spec->size};
    g_autofree char *path = copy_spec_state_path(spec, ".report"), *text = NULL;

    if (!head)
        return FALSE;
    json = report_json(&done);
    text = report_text(json);
    return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

static gboolean write_manifest(const CopySpec *spec, const Reader *reader, const Target *target,
                               Journal *journal, CopyReport *report, GError **error)
{
    g_autofree char *path = copy_spec_state_path(spec, ".manifest");
    g_autoptr(json_t) disk = disk_json(spec), place = place_of(target);
    g_autoptr(json_t) head =
        json_pack("{s:O,s:s,s:O,s:s,s:O,s:I,s:I,s:I,s:s}", "disk", disk, "name", spec->disk_name, "source",
                  reader->identity, "generation", spec->generation, "target", place, "targetModified",
                  (json_int_t)target_modified(target), "bytesRead", (json_int_t)report->bytes_read,
                  "bytesWritten", (json_int_t)report->bytes_written, "reader", report->reader);
    return manifest_write(path, head, spec->size, journal, &report->digest, error) &&
           write_report(spec, path, report, error);
}

static gboolean copy_from(const CopySpec *spec, Reader *reader, const Course *course, CopyReport *report,
                          GCancellable *cancel, GError **error)
{
    g_autoptr(Target) target = NULL;
    g_autoptr(Journal) journal = NULL;

    if (!(target = target_open(spec->target, spec->size, spec->overcommit, error)) ||
        !(journal = open_journal(spec, reader, target, cancel, error)) ||
        !recheck_target(spec, target, journal, cancel, error) ||
        !move(spec, reader, target, journal, course, report, cancel, error))
        return FALSE;
    return !course->verify || write_manifest(spec, reader, target, journal, report, error);
}

/* Everything may have changed where the source does not say what has. */
static gboolean ask_for_changes(const CopySpec *spec, Reader *reader, ExtentList **changes,
                                GCancellable *cancel, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (!spec->source_knows_changes)
        return TRUE;
    *changes = reader_changes(reader, cancel, &failed);
    if (failed) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    if (!*changes)
        log_warn("the source does not say what has changed: the disk is compared as a whole", "disk",
                 spec->disk_id, NULL);
    return TRUE;
}

static gboolean run(const CopySpec *spec, const Course *course, CopyReport *report, GCancellable *cancel,
                    GError **error)
{
    g_autoptr(Reader) reader = NULL;
    g_autoptr(ExtentList) told = NULL;
    CopySpec with_changes = *spec;

    report->size = spec->size;
    if (!check_refused_before(spec, error) || !(reader = reader_open(spec, cancel, error)))
        return FALSE;
    report->reader = g_strdup(reader->choice);
    log_info("the disk is open", "disk", spec->disk_id, "reader", reader->choice, NULL);
    if (!ask_for_changes(spec, reader, &told, cancel, error))
        return FALSE;
    if (told)
        with_changes.changes = told;
    return copy_from(&with_changes, reader, course, report, cancel, error);
}

gboolean copy_run(const CopySpec *spec, RateLimit *limit, Progress *progress, gboolean verify,
                  CopyReport *report, GCancellable *cancel, GError **error)
{
    const Course course = {progress, limit, verify};
    gint64 started = g_get_monotonic_time();
    g_autoptr(GError) failed = NULL;
    gboolean good = run(spec, &course, report, cancel, &failed);

    if (good)
        progress_set_phase(progress, "Completed");
    else if (g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_LOGIN) && check_refused_before(spec, NULL))
        remember_refusal(spec, failed);
    if (failed)
        g_propagate_error(error, g_steal_pointer(&failed));
    report->seconds = (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
    return good;
}

json_t *copy_result_json(const CopyReport *report, const GError *error)
{
    g_autofree char *hash = NULL;
    char digest[33];

    if (error)
        return json_pack("{s:s,s:s,s:s,s:s,s:s}", "result", "Failed", "class",
                         error_class_name(error_class(error)), "reason", error_reason(error), "message",
                         error->message, "remedy", error_remedy(error));
    hash_text(&report->digest, digest);
    hash = g_strconcat("xxh3-128:", digest, NULL);
    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:f,s:s}", "result", "Completed", "size",
                     (json_int_t)report->size, "bytesRead", (json_int_t)report->bytes_read, "bytesReadInAll",
                     (json_int_t)report->bytes_read_in_all, "bytesWritten", (json_int_t)report->bytes_written,
                     "bytesReadTwice", (json_int_t)report->bytes_read_twice, "resumedFrom",
                     (json_int_t)report->resumed_from, "hash", hash, "readBack", "equal", "seconds",
                     report->seconds, "reader", report->reader);
}
