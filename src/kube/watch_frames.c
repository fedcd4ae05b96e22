/* watch_frames: lines, and the event in each. */
#include "kube/watch_frames.h"
#include "kube/client.h"
#include <string.h>

#define MOST_EVENT (8 * 1024 * 1024) /* bytes; an API server's own limit of an object is 3 MiB */

/* What has no object says nothing. */
static gboolean take_line(const char *line, gsize size, WatchFrame take, gpointer user_data, GError **error)
{
    g_autoptr(json_t) event = json_parse(line, size, MOST_EVENT, "watch event", error);
    const char *type = json_string_at(event, "type", "");
    json_t *object = json_object_get(event, "object");

    if (!event)
        return FALSE;
    if (!strcmp(type, "ERROR")) {
        kube_set_status_error(object, 500, error);
        return FALSE;
    }
    if (json_is_object(object))
        take(type, object, user_data);
    return TRUE;
}

gboolean watch_frames_take(GByteArray *text, WatchFrame take, gpointer user_data, GError **error)
{
    gsize from = 0;
    const guint8 *end;

    while (text->len > from && (end = memchr(text->data + from, '\n', text->len - from))) {
        gsize size = end - text->data - from;
        if (size > 1 && !take_line((const char *)text->data + from, size, take, user_data, error))
            return FALSE;
        from += size + 1;
    }
    g_byte_array_remove_range(text, 0, from);
    if (text->len <= MOST_EVENT)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE, "a watch event of more than %d bytes", MOST_EVENT);
    return FALSE;
}
