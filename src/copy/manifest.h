/* manifest: the proof of a copy: a text file with every chunk's hash and the disk's digest. docs/manifest.md
 * has the format.
 *
 * Threads: none shared. Errors: IO, BAD_INPUT (what is wrong in the file, by line), READ_BACK.
 */
#pragma once
#include "copy/journal.h"
#include "copy/target.h"

/* Writes the whole file or none of it. head: members beside the format's own; digest: the disk's. */
gboolean manifest_write(const char *path, const json_t *head, guint64 disk_size, Journal *journal,
                        Hash *digest, GError **error);

/* Its first line. */
json_t *manifest_read_head(const char *path, GError **error);

typedef struct {
    json_t *head;
    guint64 size;
    Hash digest;
    guint64 bytes_equal; /* that were read back from the target */
} ManifestResult;
void manifest_result_clear(ManifestResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ManifestResult, manifest_result_clear)

/* Reads the target's chunks from its storage and compares them with the manifest, whose own digest is checked
 * first. READ_BACK names the first chunk that differs. */
gboolean manifest_verify(const char *path, const char *target, ManifestResult *result, GCancellable *cancel,
                         GError **error);
