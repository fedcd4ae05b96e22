/* write: create, update and patch: one way for all of them from what the client sent to what is stored. */
#include "base/clock.h"
#include "kube/patch.h"
#include "local/apiserver/apply.h"
#include "local/apiserver/quota.h"
#include "local/apiserver/rbac.h"
#include "local/apiserver/rules.h"
#include "local/apiserver/server.h"
#include <string.h>

enum { most_tries = 100 };

static gboolean is_definition(const Kind *kind)
{
    return !strcmp(kind->resource, "customresourcedefinitions.apiextensions.k8s.io");
}

Unknown unknown_of_query(const Request *request)
{
    const char *text = http_exchange_query(request->x, "fieldValidation");

    if (!g_strcmp0(text, "Strict"))
        return UNKNOWN_STRICT;
    return !g_strcmp0(text, "Ignore") ? UNKNOWN_IGNORE : UNKNOWN_WARN;
}

/* ---- metadata ---- */

/* What only the server writes is as it was. */
static void keep_metadata(const json_t *before, json_t *object)
{
    static const char *const kept[] = {
        "uid",        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "generation", "generateName",      "namespace",         "name"};
    json_t *metadata = json_object_get(object, "metadata");
    const json_t *old = json_object_get(before, "metadata");

    for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
        json_t *value = json_object_get(old, kept[i]);
        if (value)
            json_object_set(metadata, kept[i], value);
        else
            json_object_del(metadata, kept[i]);
    }
    json_object_del(metadata, "selfLink");
    json_object_del(metadata, "resourceVersion");
}

static void new_metadata(const Request *request, json_t *object)
{
    static const char *const refused[] = {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
                                          "generation", "resourceVersion"};
    json_t *metadata = json_object_get(object, "metadata");
    g_autofree char *uid = g_uuid_string_random();
    g_autofree char *now = clock_now();

    for (guint i = 0; i < G_N_ELEMENTS(refused); i++)
        json_object_del(metadata, refused[i]);
    if (request->kind->namespaced)
        json_object_set_new(metadata, "namespace", json_string(request->ns));
    else
        json_object_del(metadata, "namespace");
    json_object_set_new(metadata, "name", json_string(request->name));
    json_object_set_new(metadata, "uid", json_string(uid));
    json_object_set_new(metadata, "creationTimestamp", json_string(now));
    if (request->kind->has_generation)
        json_object_set_new(metadata, "generation", json_integer(1));
}

/* An applier's notes on fields stay when somebody else writes, unless the object comes from apply.c, which
 * renews them. */
static void keep_managers(const json_t *before, json_t *object)
{
    json_t *old = before ? json_at(before, "metadata.managedFields") : NULL;

    if (old)
        json_object_set(json_object_get(object, "metadata"), "managedFields", old);
    else
        json_object_del(json_object_get(object, "metadata"), "managedFields");
}

/* The desired state has changed: something besides metadata and status. */
static gboolean state_changed(const Request *request, const json_t *before, const json_t *object)
{
    g_autoptr(json_t) old = json_copy((json_t *)before);
    g_autoptr(json_t) new = json_copy((json_t *)object);

    json_object_del(old, "metadata");
    json_object_del(new, "metadata");
    if (request->kind->has_status) {
        json_object_del(old, "status");
        json_object_del(new, "status");
    }
    return !json_equal(old, new);
}

static gboolean same_but_version(const json_t *before, const json_t *object)
{
    g_autoptr(json_t) old = json_copy((json_t *)before);
    g_autoptr(json_t) metadata = json_copy(json_object_get(before, "metadata"));

    json_object_del(metadata, "resourceVersion");
    json_object_set(old, "metadata", metadata);
    return json_equal(old, object);
}

/* ---- the steps ---- */

static gboolean check_namespace(Request *request, GError **error)
{
    g_autoptr(Record) ns = NULL;
    g_autoptr(json_t) json = NULL;

    if (!request->kind->namespaced)
        return TRUE;
    if (!(ns = store_get(request->server->store, "namespaces", "", request->ns))) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "namespaces \"%s\" not found", request->ns);
        return FALSE;
    }
    json = record_json(ns);
    if (json_at(json, "metadata.deletionTimestamp")) {
        schema_cause_add(request->causes, "NamespaceTerminating", "metadata.namespace",
                         "namespace %s is being terminated", request->ns);
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN,
                    "%s \"%s\" is forbidden: unable to create new content in namespace %s because it is "
                    "being terminated",
                    request->kind->resource, request->name, request->ns);
        return FALSE;
    }
    return TRUE;
}

/* Drops, tells or refuses fields that the kind does not have. */
static gboolean handle_unknown(Request *request, json_t *object, Unknown unknown, GError **error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    const Schema *metadata = schema_set_type(kinds_core_types(request->server->kinds), "ObjectMeta");
    g_autoptr(GString) list = g_string_new(NULL);

    schema_prune_part(metadata, json_object_get(object, "metadata"), "metadata", fields);
    if (request->kind->schema)
        schema_prune(request->kind->schema, object, fields);
    if (!fields->len || unknown == UNKNOWN_IGNORE)
        return TRUE;
    for (guint i = 0; i < fields->len; i++) {
        g_autofree char *text = g_strdup_printf("unknown field \"%s\"", (char *)g_ptr_array_index(fields, i));
        if (unknown == UNKNOWN_WARN && i < 20)
            answer_warning(request, text);
        g_string_append_printf(list, "%s%s", i ? ", " : "", text);
    }
    if (unknown == UNKNOWN_WARN)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
                request->kind->kind, request->kind->version, request->kind->kind, list->str);
    return FALSE;
}

Object *admission_look(const char *resource, const char *ns, const char *name, gpointer store)
{
    g_autoptr(Record) record = store_get(store, resource, ns ? ns : "", name);
    return record ? object_new_take(record_json(record)) : NULL;
}

static gboolean run_admission(Request *request, const char *operation, const json_t *before, json_t *object,
                              GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    AdmissionReview review = {.operation = operation,
                              .group = request->kind->group,
                              .resource = request->kind->plural,
                              .kind = request->kind->kind,
                              .subresource = request->sub,
                              .ns = request->ns,
                              .name = request->name,
                              .user = request->user->name,
                              .before = before,
                              .object = object,
                              .dry_run = request->dry_run,
                              .warnings = warnings,
                              .look = admission_look,
                              .store = request->server->store};
    gboolean admitted = TRUE;

    for (const Admission *rule = request->server->admission; admitted && rule && rule->review; rule++) {
        g_autoptr(GError) why = NULL;
        if ((strcmp(rule->group, "*") != 0 && strcmp(rule->group, review.group) != 0) ||
            (strcmp(rule->resource, "*") != 0 && strcmp(rule->resource, review.resource) != 0))
            continue;
        admitted = rule->review(&review, request->server->admission_data, &why);
        if (!admitted) {
            gboolean invalid = g_error_matches(why, GANTRY_ERROR, ERROR_BAD_INPUT) ||
                               g_error_matches(why, GANTRY_ERROR, ERROR_KUBE_INVALID);
            g_set_error_literal(error, GANTRY_ERROR, invalid ? ERROR_KUBE_INVALID : ERROR_KUBE_FORBIDDEN,
                                why->message);
        }
    }
    for (guint i = 0; i < warnings->len; i++)
        answer_warning(request, g_ptr_array_index(warnings, i));
    return admitted;
}

static gboolean validate(Request *request, const json_t *before, const json_t *object, GError **error)
{
    GPtrArray *causes = request->causes;

    g_ptr_array_set_size(causes, 0);
    rules_validate_metadata(request, before, object, causes);
    if (request->kind->schema)
        schema_validate(request->kind->schema, object, causes);
    if (!causes->len)
        rules_validate(request, before, object, causes);
    if (!causes->len)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID, "invalid");
    return FALSE;
}

/* Whether only what the collection of garbage goes by is changed, as the real server asks. */
static gboolean is_for_garbage(const json_t *before, const json_t *object)
{
    static const char *const own[] = {"ownerReferences", "finalizers", "managedFields",
                                      "resourceVersion", "generation", NULL};
    g_autoptr(json_t) was = json_deep_copy(before), is = json_deep_copy(object);

    for (guint i = 0; own[i]; i++) {
        json_object_del(json_object_get(was, "metadata"), own[i]);
        json_object_del(json_object_get(is, "metadata"), own[i]);
    }
    return before && json_equal(was, is);
}

/* Roles and bindings that a client writes give no more than it has. */
static gboolean may_grant(const Request *request, const json_t *before, const json_t *object, GError **error)
{
    return !request->x || strcmp(request->kind->group, "rbac.authorization.k8s.io") != 0 ||
           is_for_garbage(before, object) || rbac_check_grant(request, object, error);
}

/* Whether the last hindrance to the object's removal has gone with this write. */
static gboolean is_over(const Request *request, const json_t *object)
{
    const json_t *metadata = json_object_get(object, "metadata");

    if (!json_object_get(metadata, "deletionTimestamp") ||
        json_array_size(json_object_get(metadata, "finalizers")))
        return FALSE;
    if (!strcmp(request->kind->resource, "namespaces"))
        return !json_array_size(json_at(object, "spec.finalizers"));
    return json_int_at(metadata, "deletionGracePeriodSeconds", 0) == 0;
}

/* Pods of a namespace count on its default account and on the CA's certificate. */
static void furnish_namespace(ApiServer *server, const char *ns)
{
    json_t *root = json_pack("{s:{s:s}, s:{s:s}}", "metadata", "name", "kube-root-ca.crt", "data", "ca.crt",
                             server->pki->ca->pem);

    apiserver_write(server, "", "v1", "serviceaccounts", ns,
                    json_pack("{s:{s:s}}", "metadata", "name", "default"), NULL);
    apiserver_write(server, "", "v1", "configmaps", ns, root, NULL);
}

/* What the rest of the server has to know of a write. */
static void after_write(Request *request, StoreVerb verb, const Record *record)
{
    if (verb == STORE_CREATE && !strcmp(request->kind->resource, "namespaces"))
        furnish_namespace(request->server, record->name);
    if (is_definition(request->kind)) {
        g_autoptr(json_t) definition = record_json(record);
        if (verb == STORE_DELETE)
            kinds_remove_definition(request->server->kinds, record->name);
        else
            kinds_add_definition(request->server->kinds, definition,
                                 NULL); /* it was checked before it was stored */
    }
}

static gboolean store_object(Request *request, StoreVerb verb, Record *before, json_t *object,
                             Record **written, GError **error)
{
    g_autoptr(Record) record = NULL;

    if (request->dry_run && verb == STORE_CREATE) {
        g_autoptr(Record) taken =
            store_get(request->server->store, request->kind->resource, request->ns, request->name);
        if (taken) {
            json_decref(object);
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_ALREADY_EXISTS, "%s \"%s\" already exists",
                        request->kind->resource, request->name);
            return FALSE;
        }
    }
    if (request->dry_run) {
        if (before) {
            g_autofree char *version = g_strdup_printf("%" G_GUINT64_FORMAT, before->revision);
            json_set_at_new(object, "metadata.resourceVersion", json_string(version));
        }
        record = record_new_unstored(request->ns, request->name, object);
        json_decref(object);
    } else if (!store_write(request->server->store, verb, request->kind->resource, request->ns, request->name,
                            before ? before->revision : 0, object, &record, error)) {
        return FALSE;
    } else {
        after_write(request, verb, record);
    }
    *written = g_steal_pointer(&record);
    return TRUE;
}

/* Everything between what the client wants and the state that is stored. */
static gboolean prepare(Request *request, const json_t *before, json_t *object, Unknown unknown,
                        gboolean applied, GError **error)
{
    g_autofree char *version =
        *request->kind->group ? g_strconcat(request->kind->group, "/", request->kind->storage_version, NULL)
                              : g_strdup(request->kind->storage_version);

    json_object_set_new(object, "apiVersion", json_string(version));
    json_object_set_new(object, "kind", json_string(request->kind->kind));
    if (before)
        keep_metadata(before, object);
    else
        new_metadata(request, object);
    if (!applied)
        keep_managers(before, object);
    if (!*request->sub) {
        if (request->kind->has_status) { /* written by its own subresource only */
            json_t *status = before ? json_object_get(before, "status") : NULL;
            if (status)
                json_object_set(object, "status", status);
            else
                json_object_del(object, "status");
        }
        rules_prepare(request, before, object);
    }
    if (!handle_unknown(request, object, unknown, error))
        return FALSE;
    if (request->kind->schema)
        schema_default(request->kind->schema, object);
    return run_admission(request, before ? "UPDATE" : "CREATE", before, object, error) &&
           validate(request, before, object, error) && may_grant(request, before, object, error) &&
           quota_check(request, before, object, error);
}

static gboolean write_prepared(Request *request, Record *before, json_t *object_taken, Unknown unknown,
                               gboolean applied, Record **written, GError **error)
{
    g_autoptr(json_t) object = object_taken;
    g_autoptr(json_t) old = before ? record_json(before) : NULL;
    StoreVerb verb = before ? STORE_UPDATE : STORE_CREATE;

    if (!json_is_object(json_object_get(object, "metadata")))
        json_object_set_new(object, "metadata", json_object());
    if (!prepare(request, old, object, unknown, applied, error))
        return FALSE;
    if (old && same_but_version(old, object)) {
        *written = record_ref(before);
        return TRUE;
    }
    if (old && request->kind->has_generation && state_changed(request, old, object))
        json_set_at_new(object, "metadata.generation",
                        json_integer(json_int_at(old, "metadata.generation", 0) + 1));
    if (old && is_over(request, object))
        verb = STORE_DELETE;
    return store_object(request, verb, before, g_steal_pointer(&object), written, error);
}

gboolean write_object(Request *request, Record *before, json_t *object, Unknown unknown, Record **written,
                      GError **error)
{
    return write_prepared(request, before, object, unknown, FALSE, written, error);
}

/* ---- what came with the request ---- */

static gboolean bad_request(GError **error, const char *message)
{
    g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, message);
    return FALSE;
}

/* Kind, version, namespace and name of the body are those of the path. */
static gboolean check_envelope(const Request *request, json_t *object, GError **error)
{
    g_autofree char *version = kind_api_version(request->kind);
    const char *kind = json_string_at(object, "kind", request->kind->kind);
    const char *given = json_string_at(object, "apiVersion", version);
    const char *ns = json_string_at(object, "metadata.namespace", "");
    const char *name = json_string_at(object, "metadata.name", "");

    if (!json_is_object(object))
        return bad_request(error, "the request body must be an object");
    if (request->kind->custom && !json_object_get(object, "kind"))
        return bad_request(error,
                           "the object has no kind: kind and apiVersion of a custom object are required");
    if (strcmp(kind, request->kind->kind) != 0 || strcmp(given, version) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "%s, Kind=%s in the body does not match the path, which is of %s, Kind=%s", given, kind,
                    version, request->kind->kind);
        return FALSE;
    }
    if (*ns && request->kind->namespaced && strcmp(ns, request->ns) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the namespace of the provided object does not match the namespace sent on the request: "
                    "metadata.namespace is %s, the "
                    "request's %s",
                    ns, request->ns);
        return FALSE;
    }
    if (*request->name && !*name && strcmp(http_exchange_method(request->x), "PATCH") != 0 &&
        strcmp(http_exchange_method(request->x), "POST") != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the name of the object (%s based on URL) was undeterminable: name must be provided",
                    request->name);
        return FALSE;
    }
    if (*request->name && *name && strcmp(name, request->name) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the name of the object (%s) does not match the name on the URL (%s)", name,
                    request->name);
        return FALSE;
    }
    return TRUE;
}

static void set_name(Request *request, const char *name)
{
    g_free(request->name);
    request->name = g_strdup(name);
}

static char *generated_name(const char *prefix)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    g_autofree char *start = g_strndup(prefix, 248);
    char tail[6] = "";

    for (int i = 0; i < 5; i++)
        tail[i] = letters[g_random_int_range(0, sizeof letters - 1)];
    return g_strconcat(start, tail, NULL);
}

/* ---- create ---- */

static gboolean create(Request *request, json_t *object, Unknown unknown, Record **written, GError **error)
{
    g_autofree char *prefix = g_strdup(json_string_at(object, "metadata.generateName", ""));
    gboolean generate = !*json_string_at(object, "metadata.name", "") && *prefix;

    if (!generate)
        set_name(request, json_string_at(object, "metadata.name", ""));
    if (!generate && !*request->name) {
        schema_cause_add(request->causes, "FieldValueRequired", "metadata.name",
                         "Required value: name or generateName is required");
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID, "name is required");
        return FALSE;
    }
    for (guint i = 0; i < 8; i++) {
        g_clear_error(error);
        if (generate) {
            g_autofree char *name = generated_name(prefix);
            set_name(request, name);
        }
        if (!check_namespace(request, error))
            return FALSE;
        if (write_object(request, NULL, json_deep_copy(object), unknown, written, error))
            return TRUE;
        if (!generate || (error && !g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_ALREADY_EXISTS)))
            return FALSE;
    }
    return FALSE;
}

void serve_create(Request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) object = request_body(request, &error);
    g_autoptr(Record) written = NULL;

    if (object && *json_string_at(object, "metadata.resourceVersion", ""))
        bad_request(&error, "resourceVersion should not be set on objects to be created");
    else if (object && check_envelope(request, object, &error) &&
             create(request, object, unknown_of_query(request), &written, &error)) {
        answer_record(request, 201, written);
        return;
    }
    answer_error(request, error);
}

/* ---- update ---- */

static Record *stored(Request *request, GError **error)
{
    Record *record = store_get(request->server->store, request->kind->resource, request->ns, request->name);

    if (!record)
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s \"%s\" not found", request->kind->resource,
                    request->name);
    return record;
}

/* The client's resourceVersion and uid, where it sent them, are those of what is stored. */
static gboolean check_preconditions(const Record *before, const json_t *object, GError **error)
{
    const char *version = json_string_at(object, "metadata.resourceVersion", "");
    const char *uid = json_string_at(object, "metadata.uid", "");
    g_autofree char *current = g_strdup_printf("%" G_GUINT64_FORMAT, before->revision);

    if (*version && strcmp(version, "0") != 0 && strcmp(version, current) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT, "the object has been modified");
        return FALSE;
    }
    if (*uid) {
        g_autoptr(json_t) old = record_json(before);
        const char *stored_uid = json_string_at(old, "metadata.uid", "");
        if (strcmp(uid, stored_uid) != 0) {
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT,
                        "Precondition failed: UID in precondition: %s, UID in object meta: %s", uid,
                        stored_uid);
            return FALSE;
        }
    }
    return TRUE;
}

/* The stored object with the subresource's part taken from what the client sent; the whole of it where there
 * is none. */
static json_t *merged(const Request *request, const Record *before, json_t *sent)
{
    json_t *object, *part = NULL;
    const char *member = !strcmp(request->sub, "status")     ? "status"
                         : !strcmp(request->sub, "finalize") ? "spec"
                                                             : NULL;

    if (!member)
        return json_deep_copy(sent);
    object = record_json(before);
    part = json_object_get(sent, member);
    if (part)
        json_object_set_new(object, member, json_deep_copy(part));
    else
        json_object_del(object, member);
    return object;
}

static gboolean update(Request *request, json_t *sent, Record **written, GError **error)
{
    Unknown unknown = *request->sub ? UNKNOWN_IGNORE : unknown_of_query(request);
    gboolean conditional = *json_string_at(sent, "metadata.resourceVersion", "") != 0;

    if (!conditional && request->kind->custom) {
        schema_cause_add(request->causes, "FieldValueInvalid", "metadata.resourceVersion",
                         "Invalid value: 0: must be specified for an update");
        g_set_error_literal(error, GANTRY_ERROR, ERROR_KUBE_INVALID, "metadata.resourceVersion");
        return FALSE;
    }
    for (guint try = 0;; try++) {
        g_autoptr(Record) before = stored(request, error);
        if (!before || !check_preconditions(before, sent, error))
            return FALSE;
        if (write_object(request, before, merged(request, before, sent), unknown, written, error))
            return TRUE;
        if (conditional || try == most_tries || !error ||
            !g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_CONFLICT))
            return FALSE;
        g_clear_error(error);
    }
}

void serve_update(Request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) sent = request_body(request, &error);
    g_autoptr(Record) written = NULL;

    if (sent && check_envelope(request, sent, &error) && update(request, sent, &written, &error))
        answer_record(request, 200, written);
    else
        answer_error(request, error);
}

/* ---- patch ---- */

typedef enum { PATCH_MERGE, PATCH_JSON, PATCH_STRATEGIC, PATCH_APPLY, PATCH_UNKNOWN } PatchType;

static PatchType patch_type(const Request *request)
{
    static const char *const types[] = {"application/merge-patch+json", "application/json-patch+json",
                                        "application/strategic-merge-patch+json",
                                        "application/apply-patch+yaml"};
    const char *type = http_exchange_header(request->x, "Content-Type");

    for (guint i = 0; type && i < G_N_ELEMENTS(types); i++)
        if (g_str_has_prefix(type, types[i]))
            return i;
    return PATCH_UNKNOWN;
}

static json_t *patched(const Request *request, PatchType type, const Record *before, const json_t *patch,
                       GError **error)
{
    g_autoptr(json_t) document = object_of_record(request, before);

    return type == PATCH_MERGE  ? patch_merge(document, patch, error)
           : type == PATCH_JSON ? patch_json(document, patch, error)
                                : patch_strategic(document, patch, error);
}

static gboolean patch_once(Request *request, PatchType type, const json_t *patch, Record **written,
                           gboolean *conditional, GError **error)
{
    g_autoptr(Record) before = stored(request, error);
    g_autoptr(json_t) object = NULL;
    g_autofree char *current = NULL;

    if (!before || !(object = patched(request, type, before, patch, error)))
        return FALSE;
    current = g_strdup_printf("%" G_GUINT64_FORMAT, before->revision);
    *conditional = strcmp(json_string_at(object, "metadata.resourceVersion", current), current) != 0;
    if (!check_envelope(request, object, error) || !check_preconditions(before, object, error))
        return FALSE;
    return write_object(request, before, merged(request, before, object), unknown_of_query(request), written,
                        error);
}

static gboolean patch(Request *request, PatchType type, const json_t *change, Record **written,
                      GError **error)
{
    gboolean conditional = FALSE;

    for (guint try = 0;; try++) {
        if (patch_once(request, type, change, written, &conditional, error))
            return TRUE;
        if (conditional || try == most_tries || !g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_CONFLICT))
            return FALSE;
        g_clear_error(error);
    }
}

/* A Pod is given its node once. */
static gboolean bind(Request *request, const char *node, GError **error)
{
    g_autoptr(Record) before = stored(request, error), written = NULL;
    g_autoptr(json_t) pod = before ? record_json(before) : NULL;
    const char *taken = json_string_at(pod, "spec.nodeName", "");

    if (!pod)
        return FALSE;
    if (*taken) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT, "pod %s is already assigned to node \"%s\"",
                    request->name, taken);
        return FALSE;
    }
    json_set_at_new(pod, "spec.nodeName", json_string(node));
    return write_object(request, before, g_steal_pointer(&pod), UNKNOWN_IGNORE, &written, error);
}

void serve_binding(Request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) binding = request_body(request, &error);
    const char *node = json_string_at(binding, "target.name", "");
    gboolean done = FALSE;

    g_free(request->sub);
    request->sub = g_strdup("");
    if (binding && !*node) {
        schema_cause_add(request->causes, "FieldValueRequired", "target.name", "Required value");
        g_set_error_literal(&error, GANTRY_ERROR, ERROR_KUBE_INVALID, "target.name");
    }
    for (guint try = 0; !error && !done && try < most_tries; try++) {
        done = bind(request, node, &error);
        if (!done && try + 1 < most_tries && g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT) &&
            !strstr(error->message, "assigned"))
            g_clear_error(&error); /* somebody wrote it meanwhile: look again */
    }
    if (done)
        answer_json(request, 201,
                    json_pack("{s:s, s:s, s:{}, s:s, s:i}", "kind", "Status", "apiVersion", "v1", "metadata",
                              "status", "Success", "code", 201));
    else
        answer_error(request, error);
}

/* Server-side apply also creates. */
static gboolean apply(Request *request, json_t *config, Record **written, gboolean *created, GError **error)
{
    const char *manager = http_exchange_query(request->x, "fieldManager");
    gboolean force = request_flag(request, "force");

    if (json_array_size(json_at(config, "metadata.managedFields")))
        return bad_request(error, "metadata.managedFields must be nil");
    if (!json_object_get(config, "kind") || !json_object_get(config, "apiVersion"))
        return bad_request(error, "invalid object type: apiVersion and kind are required");
    for (guint try = 0;; try++) {
        g_autoptr(Record) before =
            store_get(request->server->store, request->kind->resource, request->ns, request->name);
        json_t *object;

        *created = !before;
        if ((!before && !check_namespace(request, error)) ||
            (before && !check_preconditions(before, config, error)))
            return FALSE;
        object = apply_config(request, before, config, manager, force, error);
        if (!object)
            return FALSE;
        if (write_prepared(request, before, object, unknown_of_query(request), TRUE, written, error))
            return TRUE;
        if (try == most_tries || (!g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_CONFLICT) &&
                                  !g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_ALREADY_EXISTS)))
            return FALSE;
        g_clear_error(error);
    }
}

void serve_patch(Request *request)
{
    PatchType type = patch_type(request);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) change = NULL;
    g_autoptr(Record) written = NULL;
    gboolean created = FALSE, done = FALSE;

    if (type == PATCH_UNKNOWN || (type == PATCH_STRATEGIC && request->kind->custom))
        g_set_error(&error, HTTP_STATUS_ERROR, 415,
                    "the body of the request was in an unknown format - accepted media types include: "
                    "application/json-patch+json, "
                    "application/merge-patch+json, application/apply-patch+yaml%s",
                    request->kind->custom ? "" : ", application/strategic-merge-patch+json");
    else if ((change = request_body(request, &error)))
        done = type == PATCH_APPLY ? check_envelope(request, change, &error) &&
                                         apply(request, change, &written, &created, &error)
                                   : patch(request, type, change, &written, &error);
    if (!done && error->code == ERROR_KUBE_BAD_PATCH && json_is_array(change) != (type == PATCH_JSON))
        error->code = ERROR_BAD_INPUT; /* not even the shape of a patch */
    if (done)
        answer_record(request, created ? 201 : 200, written);
    else
        answer_error(request, error);
}
