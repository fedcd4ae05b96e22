/* remove: delete and deletecollection: at once, or marked while finalizers or a Pod's grace hold the object.
 */
#include "base/clock.h"
#include "kube/selector.h"
#include "local/apiserver/server.h"
#include <string.h>

enum { most_tries = 100, default_grace = 30 };

/* A DeleteOptions member: from the body, else the query. */
static const char *option(const Request *request, const json_t *options, const char *name)
{
    const char *text = json_string_at(options, name, NULL);
    return text ? text : http_exchange_query(request->x, name);
}

/* Foreground and orphaning deletions are carried out by the garbage collector, which a finalizer makes the
 * object wait for. */
static const char *finalizer_for(const char *propagation)
{
    if (!g_strcmp0(propagation, "Foreground"))
        return "foregroundDeletion";
    return !g_strcmp0(propagation, "Orphan") ? "orphan" : NULL;
}

static void add_finalizer(json_t *object, const char *name)
{
    json_t *list = json_at(object, "metadata.finalizers");
    size_t i;
    json_t *each;

    if (!json_is_array(list)) {
        json_set_at_new(object, "metadata.finalizers", json_array());
        list = json_at(object, "metadata.finalizers");
    }
    json_array_foreach (list, i, each)
        if (!g_strcmp0(json_string_value(each), name))
            return;
    json_array_append_new(list, json_string(name));
}

/* Seconds that a Pod has for its end: none when nothing of it can run. */
static gint64 grace_of(const Request *request, const json_t *object, const json_t *options)
{
    const char *phase = json_string_at(object, "status.phase", "");
    const char *asked = http_exchange_query(request->x, "gracePeriodSeconds");
    gint64 grace = json_int_at(object, "spec.terminationGracePeriodSeconds", default_grace);

    if (strcmp(request->kind->resource, "pods") != 0)
        return 0;
    if (asked)
        grace = g_ascii_strtoll(asked, NULL, 10);
    grace = json_int_at(options, "gracePeriodSeconds", grace);
    if (!*json_string_at(object, "spec.nodeName", "") || !strcmp(phase, "Succeeded") ||
        !strcmp(phase, "Failed"))
        return 0;
    return MAX(grace, 0);
}

static void mark(json_t *object, gint64 grace)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) end = g_date_time_add_seconds(now, grace);
    g_autofree char *text = g_date_time_format(end, "%Y-%m-%dT%H:%M:%SZ");

    json_set_at_new(object, "metadata.deletionTimestamp", json_string(text));
    json_set_at_new(object, "metadata.deletionGracePeriodSeconds", json_integer(grace));
    if (json_at(object, "metadata.generation"))
        json_set_at_new(object, "metadata.generation",
                        json_integer(json_int_at(object, "metadata.generation", 0) + 1));
}

/* Every object of the defined kind goes with its definition. */
static void remove_instances(Request *request, const Record *definition)
{
    guint64 revision;
    g_autoptr(GPtrArray) records =
        store_list(request->server->store, definition->name, NULL, NULL, NULL, &revision);

    for (guint i = 0; i < records->len; i++) {
        Record *record = g_ptr_array_index(records, i);
        store_write(request->server->store, STORE_DELETE, definition->name, record->ns, record->name, 0,
                    record_json(record), NULL, NULL);
    }
}

static gboolean take_out(Request *request, Record *before, json_t *object, GError **error)
{
    gboolean definition = !strcmp(request->kind->resource, "customresourcedefinitions.apiextensions.k8s.io");

    if (request->dry_run) {
        json_decref(object);
        return TRUE;
    }
    if (definition) {
        kinds_remove_definition(request->server->kinds, before->name);
        remove_instances(request, before);
    }
    return store_write(request->server->store, STORE_DELETE, request->kind->resource, before->ns,
                       before->name, before->revision, object, NULL, error);
}

static gboolean check_options(const Record *before, const json_t *object, const json_t *options,
                              GError **error)
{
    const char *uid = json_string_at(options, "preconditions.uid", NULL);
    const char *version = json_string_at(options, "preconditions.resourceVersion", NULL);
    g_autofree char *current = g_strdup_printf("%" G_GUINT64_FORMAT, before->revision);

    if (uid && strcmp(uid, json_string_at(object, "metadata.uid", "")) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT,
                    "Precondition failed: UID in precondition: %s, UID in object meta: %s", uid,
                    json_string_at(object, "metadata.uid", ""));
        return FALSE;
    }
    if (version && strcmp(version, current) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT,
                    "Precondition failed: ResourceVersion in precondition: %s, in object meta: %s", version,
                    current);
        return FALSE;
    }
    return TRUE;
}

static gboolean admit(Request *request, const json_t *object, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    AdmissionReview review = {.operation = "DELETE",
                              .group = request->kind->group,
                              .resource = request->kind->plural,
                              .kind = request->kind->kind,
                              .subresource = "",
                              .ns = request->ns,
                              .name = request->name,
                              .user = request->user->name,
                              .before = object,
                              .dry_run = request->dry_run,
                              .warnings = warnings,
                              .look = admission_look,
                              .store = request->server->store};

    for (const Admission *rule = request->server->admission; rule && rule->review; rule++) {
        g_autoptr(GError) why = NULL;
        if ((strcmp(rule->group, "*") != 0 && strcmp(rule->group, review.group) != 0) ||
            (strcmp(rule->resource, "*") != 0 && strcmp(rule->resource, review.resource) != 0))
            continue;
        if (!rule->review(&review, request->server->admission_data, &why)) {
            g_set_error_literal(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN, why->message);
            return FALSE;
        }
    }
    return TRUE;
}

/* Without these there is no cluster. */
static gboolean is_needed(const char *namespace)
{
    return !strcmp(namespace, "default") || !strcmp(namespace, "kube-system") ||
           !strcmp(namespace, "kube-public");
}

gboolean delete_object(Request *request, Record *before, const json_t *options, Record **left, GError **error)
{
    g_autoptr(json_t) object = record_json(before);
    const char *finalizer = finalizer_for(option(request, options, "propagationPolicy"));
    gboolean namespace = !strcmp(request->kind->resource, "namespaces");
    gboolean deleting = json_at(object, "metadata.deletionTimestamp") != NULL;
    gint64 grace = grace_of(request, object, options);

    *left = NULL;
    if (namespace && is_needed(before->name)) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN,
                    "namespaces \"%s\" is forbidden: this namespace may not be deleted", before->name);
        return FALSE;
    }
    if (!check_options(before, object, options, error) || !admit(request, object, error))
        return FALSE;
    if (finalizer && !deleting)
        add_finalizer(object, finalizer);
    if (!grace && !json_array_size(json_at(object, "metadata.finalizers")) &&
        !(namespace && json_array_size(json_at(object, "spec.finalizers"))))
        return take_out(request, before, g_steal_pointer(&object), error);

    /* It stays for now; a second deletion can only shorten a Pod's grace. */
    if (deleting && json_int_at(object, "metadata.deletionGracePeriodSeconds", 0) <= grace) {
        *left = record_ref(before);
        return TRUE;
    }
    mark(object, grace);
    if (namespace)
        json_set_at_new(object, "status.phase", json_string("Terminating"));
    if (request->dry_run) {
        *left = record_new_unstored(before->ns, before->name, object);
        return TRUE;
    }
    return store_write(request->server->store, STORE_UPDATE, request->kind->resource, before->ns,
                       before->name, before->revision, g_steal_pointer(&object), left, error);
}

/* DeleteOptions in the body, or nothing. */
static gboolean delete_options(Request *request, json_t **options, GError **error)
{
    *options = NULL;
    if (!g_bytes_get_size(http_exchange_body(request->x)))
        return options_check_delete(request, NULL, error);
    *options = request_body(request, error);
    if (*options && json_array_size(json_object_get(*options, "dryRun")))
        request->dry_run = TRUE;
    return *options && options_check_delete(request, *options, error);
}

/* Again when somebody else wrote in between. */
static gboolean delete_stored(Request *request, const json_t *options, Record **gone, Record **left,
                              GError **error)
{
    for (guint try = 0;; try++) {
        g_autoptr(Record) before =
            store_get(request->server->store, request->kind->resource, request->ns, request->name);
        if (!before) {
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s \"%s\" not found",
                        request->kind->resource, request->name);
            return FALSE;
        }
        if (delete_object(request, before, options, left, error)) {
            *gone = g_steal_pointer(&before);
            return TRUE;
        }
        if (try == most_tries || !g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_CONFLICT) ||
            json_at(options, "preconditions.resourceVersion"))
            return FALSE;
        {
            g_autoptr(Record) now =
                store_get(request->server->store, request->kind->resource, request->ns, request->name);
            if (now && now->revision == before->revision)
                return FALSE; /* the conflict is with the client's preconditions */
        }
        g_clear_error(error);
    }
}

void serve_delete(Request *request)
{
    g_autoptr(json_t) options = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) gone = NULL;
    g_autoptr(Record) left = NULL;

    if (!delete_options(request, &options, &error) ||
        !delete_stored(request, options, &gone, &left, &error)) {
        answer_error(request, error);
    } else if (left) {
        answer_record(request, 200, left);
    } else {
        g_autoptr(json_t) object = record_json(gone);
        answer_json(request, 200, status_success(request, json_string_at(object, "metadata.uid", NULL)));
    }
}

void serve_delete_collection(Request *request)
{
    g_autoptr(json_t) options = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Selector) labels =
        selector_parse_labels(http_exchange_query(request->x, "labelSelector"), &error);
    g_autoptr(Selector) fields =
        labels ? selector_parse_fields(http_exchange_query(request->x, "fieldSelector"), &error) : NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(json_t) items = json_array();
    guint64 revision;

    if (!fields || !delete_options(request, &options, &error)) {
        answer_error(request, error);
        return;
    }
    records = store_list(request->server->store, request->kind->resource, *request->ns ? request->ns : NULL,
                         NULL, NULL, &revision);
    for (guint i = 0; i < records->len; i++) {
        Record *record = g_ptr_array_index(records, i);
        g_autoptr(json_t) object = object_of_record(request, record);
        g_autoptr(Record) gone = NULL;
        g_autoptr(Record) left = NULL;
        if (!selector_matches(labels, object) || !selector_matches(fields, object))
            continue;
        g_free(request->name);
        request->name = g_strdup(record->name);
        g_free(request->ns);
        request->ns = g_strdup(record->ns);
        if (delete_stored(request, options, &gone, &left, &error))
            json_array_append(items, object);
        else if (!g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
            break;
        g_clear_error(&error);
    }
    if (error) {
        answer_error(request, error);
        return;
    }
    {
        g_autofree char *version = kind_api_version(request->kind);
        g_autofree char *number =
            g_strdup_printf("%" G_GUINT64_FORMAT, store_revision(request->server->store));
        answer_json(request, 200,
                    json_pack("{s:s, s:s, s:{s:s}, s:O}", "kind", request->kind->list_kind, "apiVersion",
                              version, "metadata", "resourceVersion", number, "items", items));
    }
}
