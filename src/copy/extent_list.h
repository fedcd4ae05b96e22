/* extent_list: a whole disk's extents of two kinds, as a source told them at once: data and zeros, or, for
 * changes, what has changed (not zero) and what has not.
 *
 * Threads: immutable after it was made.
 */
#pragma once
#include "copy/reader.h"

ExtentList *extent_list_new(void);
void extent_list_free(ExtentList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExtentList, extent_list_free)

/* In order, from 0, without gaps; neighbours of a kind become one. FALSE: it does not begin where the last
 * ended, or is empty or too large. */
gboolean extent_list_add(ExtentList *list, guint64 start, guint64 size, gboolean zero);
/* The list that ovirt-imageio answers with: [{"start", "length", "zero"}, …], which must cover a disk of that
 * size. NULL with SOURCE_READ or BAD_JSON. */
ExtentList *extent_list_parse(const char *text, gsize size, guint64 disk_size, GError **error);

/* The same of the list that it answers with when it is asked for changes: [{"start", "length", "dirty"}, …]. */
ExtentList *extent_list_parse_changes(const char *text, gsize size, guint64 disk_size, GError **error);

guint64 extent_list_size(const ExtentList *list); /* bytes covered */

gboolean extent_list_is_zero(const ExtentList *list, guint64 start, guint64 size);

/* Adds the part of the list in [start, start + size) to extents, clipped. */
void extent_list_find(const ExtentList *list, guint64 start, guint64 size, GArray *extents);
