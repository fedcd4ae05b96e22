/* extent_list: a sorted array, 8 bytes an extent: where it begins; the lowest bit says zero. */
#include "copy/extent_list.h"
#include "base/json.h"
#include <string.h>

#define ONE_LIMIT (64 * 1024) /* of one extent's text */

/* Sizes are whole sectors, so that the lowest bit of an offset is free. */
struct ExtentList {
    GArray *starts; /* of guint64 */
    guint64 size;
};

ExtentList *extent_list_new(void)
{
    ExtentList *list = g_new0(ExtentList, 1);
    list->starts = g_array_new(FALSE, FALSE, sizeof(guint64));
    return list;
}

void extent_list_free(ExtentList *list)
{
    if (!list)
        return;
    g_array_unref(list->starts);
    g_free(list);
}

guint64 extent_list_size(const ExtentList *list)
{
    return list->size;
}

typedef enum { ZEROS, UNCHANGED } SecondKind;

static gboolean parse_one(ExtentList *list, const char *text, gsize size, SecondKind second, GError **error)
{
    g_autoptr(json_t) one = json_parse(text, size, ONE_LIMIT, "extents", error);
    gint64 start = json_int_at(one, "start", -1), length = json_int_at(one, "length", -1);
    gboolean is_second =
        second == ZEROS ? json_bool_at(one, "zero", FALSE) : !json_bool_at(one, "dirty", TRUE);

    if (!one)
        return FALSE;
    if (start >= 0 && length >= 0 && extent_list_add(list, start, length, is_second))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                "the extent at %" G_GINT64_FORMAT " does not follow the one before", start);
    return FALSE;
}

/* The document is a list of flat objects. One is parsed at a time: as a whole it would take more memory than
 * the copy. */
static ExtentList *parse(const char *text, gsize size, guint64 disk_size, SecondKind second, GError **error)
{
    g_autoptr(ExtentList) list = extent_list_new();
    const char *at = text, *end = text + size, *open, *close;

    while ((open = memchr(at, '{', end - at)) && (close = memchr(open, '}', end - open))) {
        at = close + 1;
        if (!parse_one(list, open, at - open, second, error))
            return NULL;
    }
    if (list->size == disk_size)
        return g_steal_pointer(&list);
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                "the extents cover %" G_GUINT64_FORMAT " bytes of a disk of %" G_GUINT64_FORMAT, list->size,
                disk_size);
    return NULL;
}

ExtentList *extent_list_parse(const char *text, gsize size, guint64 disk_size, GError **error)
{
    return parse(text, size, disk_size, ZEROS, error);
}

ExtentList *extent_list_parse_changes(const char *text, gsize size, guint64 disk_size, GError **error)
{
    return parse(text, size, disk_size, UNCHANGED, error);
}

static guint64 entry(const ExtentList *list, guint i)
{
    return g_array_index(list->starts, guint64, i);
}

gboolean extent_list_add(ExtentList *list, guint64 start, guint64 size, gboolean zero)
{
    guint64 value = start | (zero ? 1 : 0);
    guint len = list->starts->len;

    if (start != list->size || !size || start % 2 || size > G_MAXINT64 - start)
        return FALSE;
    list->size += size;
    if (!len || (entry(list, len - 1) & 1) != (value & 1))
        g_array_append_val(list->starts, value);
    return TRUE;
}

/* The last entry that begins at start or before. */
static guint find(const ExtentList *list, guint64 start)
{
    guint low = 0, high = list->starts->len;

    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if ((entry(list, middle) & ~(guint64)1) <= start)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void extent_list_find(const ExtentList *list, guint64 start, guint64 size, GArray *extents)
{
    guint64 end = start + size;

    g_assert(end <= list->size);
    for (guint i = find(list, start); start < end; i++) {
        guint64 next = i + 1 < list->starts->len ? entry(list, i + 1) & ~(guint64)1 : list->size;
        Extent extent = {start, MIN(next, end) - start, entry(list, i) & 1};
        g_array_append_val(extents, extent);
        start += extent.size;
    }
}

gboolean extent_list_is_zero(const ExtentList *list, guint64 start, guint64 size)
{
    guint i = find(list, start);
    guint64 next = i + 1 < list->starts->len ? entry(list, i + 1) & ~(guint64)1 : list->size;

    return entry(list, i) & 1 && next >= start + size; /* neighbours differ in kind */
}
