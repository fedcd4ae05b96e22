/* manifest: written and read line by line, so that a disk of any size fits into little memory. */
#include "copy/manifest.h"
#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_LIMIT 65536

typedef struct {
    FILE *file;
    HashStream *stream;
    Hash hash; /* of the run */
    guint64 run;
} Writing;

static void end_run(Writing *writing)
{
    char text[33];

    if (!writing->run)
        return;
    hash_text(&writing->hash, text);
    fprintf(writing->file, "%s %" G_GUINT64_FORMAT "\n", text, writing->run);
    writing->run = 0;
}

static void add_hash(Writing *writing, const Hash *hash)
{
    hash_stream_add(writing->stream, hash->bytes, sizeof hash->bytes);
    if (!hash_equal(hash, &writing->hash))
        end_run(writing);
    writing->hash = *hash;
    writing->run++;
}

static gboolean write_hashes(FILE *file, guint64 chunks, Journal *journal, Hash *digest, GError **error)
{
    Writing writing = {.file = file, .stream = hash_stream_new()};
    Hash hashes[256];
    gboolean good = TRUE;
    char text[33];

    for (guint64 chunk = 0; chunk < chunks && good; chunk += G_N_ELEMENTS(hashes)) {
        gsize len = MIN(G_N_ELEMENTS(hashes), chunks - chunk);
        good = journal_hashes(journal, chunk, len, hashes, error);
        for (gsize i = 0; i < len && good; i++)
            add_hash(&writing, &hashes[i]);
    }
    end_run(&writing);
    *digest = hash_stream_end(writing.stream);
    hash_text(digest, text);
    fprintf(file, "digest %s\n", text);
    return good;
}

gboolean manifest_write(const char *path, const json_t *head, guint64 disk_size, Journal *journal,
                        Hash *digest, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".new", NULL), *line = NULL, *now = clock_now();
    g_autoptr(json_t) all = json_pack("{s:s,s:i,s:I,s:I,s:s,s:s,s:s}", "format", "gantry-manifest", "version",
                                      1, "size", (json_int_t)disk_size, "chunkSize", (json_int_t)CHUNK_SIZE,
                                      "hash", "xxh3-128", "readBack", "equal", "completed", now);
    FILE *file = fopen(temporary, "we");
    gboolean good;

    json_object_update_missing(all, (json_t *)head);
    line = json_text(all);
    good = file && fprintf(file, "%s\n", line) > 0;
    if (good && !write_hashes(file, chunk_count(disk_size), journal, digest, error)) {
        fclose(file);
        unlink(temporary);
        return FALSE;
    }
    good = good && fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
    if (file && fclose(file))
        good = FALSE;
    if (good && rename(temporary, path) == 0)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "manifest %s: %s", path, g_strerror(errno));
    unlink(temporary);
    return FALSE;
}

/* ---- reading ----------------------------------------------------------------------------------- */

void manifest_result_clear(ManifestResult *result)
{
    g_clear_pointer(&result->head, json_decref);
}

typedef struct {
    const char *path;
    FILE *file;
    char *line; /* getline()'s */
    gsize room;
    guint number;
} Lines;

static void lines_close(Lines *lines)
{
    if (lines->file)
        fclose(lines->file);
    free(lines->line);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lines, lines_close)

static gboolean wrong(const Lines *lines, const char *what, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "manifest %s, line %u: %s", lines->path, lines->number,
                what);
    return FALSE;
}

static gboolean next_line(Lines *lines, GError **error)
{
    ssize_t len = getline(&lines->line, &lines->room, lines->file);

    lines->number++;
    if (len < 0)
        return wrong(lines, "it ends before its digest", error);
    if (len > HEAD_LIMIT)
        return wrong(lines, "the line is longer than any of a manifest", error);
    if (lines->line[len - 1] == '\n')
        lines->line[len - 1] = 0;
    return TRUE;
}

static gboolean open_lines(Lines *lines, ManifestResult *result, GError **error)
{
    json_t *head;

    lines->file = fopen(lines->path, "re");
    if (!lines->file) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "manifest %s: %s", lines->path, g_strerror(errno));
        return FALSE;
    }
    if (!next_line(lines, error))
        return FALSE;
    result->head = head = json_parse(lines->line, strlen(lines->line), HEAD_LIMIT, lines->path, error);
    if (!head)
        return FALSE;
    if (g_strcmp0(json_string_at(head, "format", NULL), "gantry-manifest") ||
        json_int_at(head, "version", 0) != 1 || json_int_at(head, "chunkSize", 0) != (gint64)CHUNK_SIZE ||
        json_int_at(head, "size", -1) < 0)
        return wrong(lines, "it is no manifest of version 1", error);
    result->size = json_int_at(head, "size", 0);
    return TRUE;
}

json_t *manifest_read_head(const char *path, GError **error)
{
    g_auto(Lines) lines = {.path = path};
    g_auto(ManifestResult) result = {0};

    return open_lines(&lines, &result, error) ? g_steal_pointer(&result.head) : NULL;
}

/* "HASH COUNT"; at most left chunks. */
static gboolean parse_run(const Lines *lines, guint64 left, Hash *hash, guint64 *count, GError **error)
{
    if (strlen(lines->line) < 34 || lines->line[32] != ' ' ||
        !g_ascii_string_to_unsigned(lines->line + 33, 10, 1, left, count, NULL))
        return wrong(lines, "a hash and a number of chunks were expected", error);
    lines->line[32] = 0;
    return hash_parse(lines->line, hash) || wrong(lines, "the hash is not of 32 hexadecimal digits", error);
}

static gboolean compare(const Target *target, guint64 chunk, const Hash *hash, guint8 *buffer,
                        ManifestResult *result, GError **error)
{
    gsize size = chunk_size(target->size, chunk);
    Hash seen;

    if (target_hole(target, chunk_start(chunk), size) == size)
        seen = hash_of_zeros(size);
    else if (target_read(target, chunk_start(chunk), size, buffer, error))
        seen = hash_of(buffer, size);
    else
        return FALSE;
    if (!hash_equal(hash, &seen)) {
        g_set_error(error, GANTRY_ERROR, ERROR_READ_BACK,
                    "target %s: bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                    " are not those of the manifest",
                    target->path, chunk_start(chunk), chunk_start(chunk) + size - 1);
        return FALSE;
    }
    result->bytes_equal += size;
    return TRUE;
}

/* One pass over the lines: with a target it compares, without it checks the digest. */
static gboolean pass(const char *path, const Target *target, ManifestResult *result, GCancellable *cancel,
                     GError **error)
{
    g_auto(Lines) lines = {.path = path};
    g_auto(ManifestResult) head = {0};
    guint8 *buffer = target ? g_aligned_alloc(1, CHUNK_SIZE, TARGET_ALIGN) : NULL;
    HashStream *stream = hash_stream_new();
    guint64 chunk = 0, count, chunks;
    gboolean good = open_lines(&lines, &head, error);
    Hash hash, digest;

    for (chunks = chunk_count(head.size); good && chunk < chunks;) {
        good = next_line(&lines, error) && parse_run(&lines, chunks - chunk, &hash, &count, error);
        for (; good && count; count--, chunk++) {
            hash_stream_add(stream, hash.bytes, sizeof hash.bytes);
            good = !g_cancellable_set_error_if_cancelled(cancel, error) &&
                   (!target || compare(target, chunk, &hash, buffer, result, error));
        }
    }
    digest = hash_stream_end(stream);
    if (good)
        good = next_line(&lines, error);
    if (good && (!g_str_has_prefix(lines.line, "digest ") || !hash_parse(lines.line + 7, &hash) ||
                 !hash_equal(&hash, &digest)))
        good = wrong(&lines, "its digest is not that of its hashes", error);
    if (good && !target) {
        result->head = g_steal_pointer(&head.head);
        result->size = head.size;
        result->digest = digest;
    }
    g_aligned_free(buffer);
    return good;
}

gboolean manifest_verify(const char *path, const char *target_path, ManifestResult *result,
                         GCancellable *cancel, GError **error)
{
    g_autoptr(Target) target = NULL;

    return pass(path, NULL, result, cancel, error) &&
           (target = target_open_to_read(target_path, result->size, error)) &&
           pass(path, target, result, cancel, error);
}
