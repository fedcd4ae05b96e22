/* tarball: a .tar.gz that is whole or not there.
 *
 * Entries are written as they come; the file has its name only once tarball_close() has succeeded. An archive
 * that is freed before leaves nothing behind. Written by libarchive: pax format, gzip. Threads: one at a
 * time. Errors: IO, with the path.
 */
#pragma once
#include "base/errors.h"

typedef struct Tarball Tarball;
Tarball *tarball_new(const char *path, GError **error);
void tarball_free(Tarball *tarball);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tarball, tarball_free)

/* A file of mode 0644 in the archive. Nothing is written when text is empty. */
gboolean tarball_add(Tarball *tarball, const char *path, const char *text, GError **error);
guint tarball_count(const Tarball *tarball);
gboolean tarball_close(Tarball *tarball, GError **error);
