/* watch_frames: the changes in a watch's answer, which comes in pieces of any size: one JSON document a line.
 *
 * Threads: any. Limits: MOST_EVENT bytes a line. Errors: BAD_JSON; HTTP_TOO_LARGE; what an ERROR event's
 * Status means (KUBE_GONE and so on).
 */
#pragma once
#include "base/json.h"

/* type: "ADDED", "MODIFIED", "DELETED" or "BOOKMARK"; object is borrowed. */
typedef void (*WatchFrame)(const char *type, json_t *object, gpointer user_data);

/* Takes the whole lines out of text and leaves the rest. FALSE: the watch is to be ended. */
gboolean watch_frames_take(GByteArray *text, WatchFrame take, gpointer user_data, GError **error);
