/* history: snapshots made, ended, looked up. */
#include "plan/history.h"
#include "crd/conditions.h"
#include <string.h>

static json_t *reference(const Object *object)
{
    return json_pack("{s:s, s:s, s:s, s:I}", "namespace", object_namespace(object), "name",
                     object_name(object), "uid", object_uid(object), "generation",
                     (json_int_t)object_generation(object));
}

static json_t *snapshot_new(const HistoryEntry *entry)
{
    return json_pack("{s:[], s:{s:o, s:o}, s:o, s:{s:o, s:o}, s:o}", "conditions", "provider", "source",
                     reference(entry->provider), "destination", reference(entry->destination), "plan",
                     reference(entry->plan), "map", "network", reference(entry->network_map), "storage",
                     reference(entry->storage_map), "migration", reference(entry->migration));
}

/* A snapshot has one condition at a time. */
static void say(json_t *snapshot, const char *type, const char *message)
{
    g_autoptr(Conditions) conditions = conditions_begin(NULL);

    conditions_set_durable(conditions, type, CONDITION_ADVISORY, NULL, "%s", message);
    json_object_set_new(snapshot, "conditions", conditions_end(conditions));
}

void history_begin(json_t *status, const HistoryEntry *entry)
{
    json_t *snapshot = snapshot_new(entry), *history = (json_t *)json_at(status, "migration.history");

    if (!history) {
        history = json_array();
        json_set_at_new(status, "migration.history", history);
    }
    say(snapshot, "Executing", "The plan is EXECUTING.");
    json_array_append_new(history, snapshot);
}

void history_end(json_t *active, const char *type, const char *message)
{
    say(active, type, message);
}

json_t *history_active(const json_t *status)
{
    const json_t *history = json_at(status, "migration.history");
    size_t len = json_array_size(history);
    json_t *last = len ? json_array_get(history, len - 1) : NULL;

    return last && conditions_find(json_object_get(last, "conditions"), "Executing") ? last : NULL;
}

static gboolean has_run(const json_t *status, const Object *migration)
{
    size_t i;
    json_t *snapshot;

    json_array_foreach (json_at(status, "migration.history"), i, snapshot)
        if (!strcmp(json_string_at(snapshot, "migration.uid", ""), object_uid(migration)))
            return TRUE;
    return FALSE;
}

static const char *created(const Object *object)
{
    return json_string_at(object_json(object), "metadata.creationTimestamp", "");
}

const Object *history_next(const json_t *status, GPtrArray *migrations)
{
    const Object *oldest = NULL;

    for (guint i = 0; i < migrations->len; i++) {
        const Object *one = migrations->pdata[i];
        if (object_deleting(one) || has_run(status, one) || json_at(object_json(one), "status.completed"))
            continue;
        if (!oldest || strcmp(created(one), created(oldest)) < 0)
            oldest = one;
    }
    return oldest;
}

gboolean history_modified(const json_t *active, const HistoryEntry *now)
{
    return strcmp(json_string_at(active, "map.network.uid", ""), object_uid(now->network_map)) ||
           strcmp(json_string_at(active, "map.storage.uid", ""), object_uid(now->storage_map)) ||
           strcmp(json_string_at(active, "provider.source.uid", ""), object_uid(now->provider));
}
