/* events: an Event's name is made of what it says, so saying it again finds the first one, in any process. */
#include "kube/events.h"
#include "base/clock.h"
#include "base/log.h"
#include <string.h>

#define MOST_MESSAGE 1024 /* bytes, as the API accepts */
#define MOST_NAME    200

static char *name_of(const Object *about, const char *type, const char *reason, const char *message,
                     const char *component)
{
    g_autofree char *all =
        g_strjoin("\n", object_uid(about), object_namespace(about), type, reason, message, component, NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all, -1);

    return g_strdup_printf("%.*s.%.16s", MOST_NAME, object_name(about), hash);
}

/* The message, cut between characters where it is too long. */
static char *shorten(const char *message)
{
    if (strlen(message) <= MOST_MESSAGE)
        return g_strdup(message);
    return g_strndup(message, g_utf8_find_prev_char(message, message + MOST_MESSAGE) - message);
}

static json_t *new_event(const Object *about, const char *type, const char *reason, const char *message,
                         const char *component)
{
    g_autofree char *name = name_of(about, type, reason, message, component), *now = clock_now();
    const char *ns = *object_namespace(about) ? object_namespace(about) : "default";

    return json_pack("{s:{s:s,s:s},s:{s:s,s:s,s:s*,s:s,s:s,s:s},s:s,s:s,s:s,s:{s:s},s:s,s:s,s:s,s:i,s:s}",
                     "metadata", "name", name, "namespace", ns, "involvedObject", "apiVersion",
                     json_string_at(object_json(about), "apiVersion", ""), "kind", object_kind(about),
                     "namespace", *object_namespace(about) ? object_namespace(about) : NULL, "name",
                     object_name(about), "uid", object_uid(about), "resourceVersion",
                     object_resource_version(about), "type", type, "reason", reason, "message", message,
                     "source", "component", component, "reportingComponent", component, "firstTimestamp", now,
                     "lastTimestamp", now, "count", 1, "reportingInstance", "");
}

static gboolean raise_count(KubeClient *client, const Object *event, GError **error)
{
    g_autofree char *now = clock_now();
    g_autoptr(json_t) patch = json_pack("{s:I,s:s}", "count", json_int_at(object_json(event), "count", 1) + 1,
                                        "lastTimestamp", now);
    g_autoptr(Object) raised = kube_patch(client, &KUBE_EVENT, object_namespace(event), object_name(event),
                                          KUBE_PATCH_MERGE, patch, NULL, NULL, error);
    return raised != NULL;
}

void event_record(KubeClient *client, const Object *about, gboolean warning, const char *reason,
                  const char *message, const char *component)
{
    g_autofree char *text = shorten(message);
    g_autoptr(json_t) body = new_event(about, warning ? "Warning" : "Normal", reason, text, component);
    g_autoptr(GError) error = NULL;
    gboolean created;
    g_autoptr(Object) event = kube_create_or_get(client, &KUBE_EVENT, NULL, body, &created, NULL, &error);

    if (!event || (!created && !raise_count(client, event, &error)))
        log_warn("an event was not recorded", "namespace", object_namespace(about), "name",
                 object_name(about), "reason", reason, "error", error->message, NULL);
}
