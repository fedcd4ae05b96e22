/* options: what a request says in its query, checked before anything is done: tables of parameters and of the
 * fields that lists can be selected by. */
#include "kube/selector.h"
#include "local/apiserver/server.h"
#include <string.h>

/* ---- how a wrong option is told ---- */

/* The options' own kind stands in the place of the object's in the answer. */
static gboolean wrong(Request *request, const char *kind, const char *reason, const char *field,
                      const char *message, GError **error)
{
    request->options = kind;
    schema_cause_add(request->causes, reason, field, "%s", message);
    g_clear_error(error);
    g_set_error_literal(error, GANTRY_ERROR, ERROR_KUBE_INVALID, message);
    return FALSE;
}

static gboolean one_of(Request *request, const char *kind, const char *field, const char *const *values,
                       const char *supported, GError **error)
{
    const char *given = http_exchange_query(request->x, field);
    g_autofree char *message = NULL;

    if (!given || !*given || g_strv_contains(values, given))
        return TRUE;
    message = g_strdup_printf(!strcmp(field, "dryRun") ? "Unsupported value: [\"%s\"]: supported values: %s"
                                                       : "Unsupported value: \"%s\": supported values: %s",
                              given, supported);
    return wrong(request, kind, "FieldValueNotSupported", field, message, error);
}

static G_GNUC_PRINTF(2, 3) gboolean bad(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, message);
    return FALSE;
}

/* ---- writes ---- */

static gboolean check_write(Request *request, const char *kind, GError **error)
{
    static const char *const all[] = {"All", NULL};
    static const char *const levels[] = {"Ignore", "Strict", "Warn", NULL};
    gboolean deletes = !strcmp(kind, "DeleteOptions");

    return one_of(request, kind, "dryRun", all, "\"All\"", error) &&
           (deletes || one_of(request, kind, "fieldValidation", levels,
                              "\"\", \"Ignore\", \"Strict\", \"Warn\"", error));
}

static gboolean check_patch(Request *request, GError **error)
{
    const char *type = http_exchange_header(request->x, "Content-Type");
    const char *manager = http_exchange_query(request->x, "fieldManager");
    gboolean applies = type && g_str_has_prefix(type, "application/apply-patch");

    if (applies && (!manager || !*manager))
        return wrong(request, "PatchOptions", "FieldValueRequired", "fieldManager",
                     "Required value: is required for apply patch", error);
    if (!applies && http_exchange_query(request->x, "force"))
        return wrong(request, "PatchOptions", "FieldValueForbidden", "force",
                     "Forbidden: may not be specified for non-apply patch", error);
    return check_write(request, "PatchOptions", error);
}

gboolean options_check_delete(Request *request, const json_t *body, GError **error)
{
    static const char *const policies[] = {"Foreground", "Background", "Orphan", NULL};
    const char *query = http_exchange_query(request->x, "propagationPolicy");
    const char *policy = json_string_at(body, "propagationPolicy", query);
    const char *kind = json_string_at(body, "kind", "DeleteOptions");
    g_autofree char *message = NULL;

    if (strcmp(kind, "DeleteOptions") != 0)
        return bad(error, "the body of a deletion must be DeleteOptions, not %s", kind);
    if (policy && json_is_boolean(json_object_get(body, "orphanDependents"))) {
        message = g_strdup_printf(
            "Invalid value: \"%s\": orphanDependents and deletionPropagation cannot be both set", policy);
        return wrong(request, "DeleteOptions", "FieldValueInvalid", "propagationPolicy", message, error);
    }
    if (!policy || g_strv_contains(policies, policy))
        return TRUE;
    message = g_strdup_printf("Unsupported value: \"%s\": supported values: \"Foreground\", \"Background\", "
                              "\"Orphan\", \"nil\"",
                              policy);
    return wrong(request, "DeleteOptions", "FieldValueNotSupported", "propagationPolicy", message, error);
}

/* ---- lists and watches ---- */

static gboolean check_numbers(Request *request, GError **error)
{
    const char *limit = http_exchange_query(request->x, "limit");
    const char *version = http_exchange_query(request->x, "resourceVersion");
    const char *next = http_exchange_query(request->x, "continue");

    if (limit && *limit && !g_ascii_string_to_signed(limit, 10, G_MININT64, G_MAXINT64, NULL, NULL))
        return bad(error, "strconv.ParseInt: parsing \"%s\": invalid syntax", limit);
    if (version && *version && !g_ascii_string_to_unsigned(version, 10, 0, G_MAXUINT64, NULL, NULL))
        return bad(
            error,
            "invalid resource version: resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing "
            "\"%s\": invalid syntax",
            version, version);
    if (next && *next && version && *version && strcmp(version, "0") != 0)
        return bad(error, "specifying resource version is not allowed when using %s", "continue");
    return TRUE;
}

static gboolean check_match(Request *request, GError **error)
{
    static const char *const matches[] = {"Exact", "NotOlderThan", NULL};
    const char *match = http_exchange_query(request->x, "resourceVersionMatch");
    const char *version = http_exchange_query(request->x, "resourceVersion");

    if (!match || !*match)
        return TRUE;
    if (!version || !*version)
        return wrong(request, "ListOptions", "FieldValueForbidden", "resourceVersionMatch",
                     "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
                     error);
    return one_of(request, "ListOptions", "resourceVersionMatch", matches,
                  "\"Exact\", \"NotOlderThan\", \"\"", error);
}

static gboolean check_watch(Request *request, GError **error)
{
    const char *match = http_exchange_query(request->x, "resourceVersionMatch");
    gboolean initial = http_exchange_query(request->x, "sendInitialEvents") != NULL;
    gboolean right = !g_strcmp0(match, "NotOlderThan");

    if (initial && !right)
        return wrong(request, "ListOptions", "FieldValueForbidden", "resourceVersionMatch",
                     "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                     error);
    if (!match || !*match || initial)
        return TRUE;
    wrong(request, "ListOptions", "FieldValueForbidden", "resourceVersionMatch",
          "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
          error);
    if (!right) {
        g_autofree char *message =
            g_strdup_printf("Unsupported value: \"%s\": supported values: \"NotOlderThan\"", match);
        wrong(request, "ListOptions", "FieldValueNotSupported", "resourceVersionMatch", message, error);
    }
    return FALSE;
}

/* Beside metadata.name and metadata.namespace, which every kind is selected by. */
static const struct {
    const char *resource, *fields[12];
} selectable[] = {
    {"pods",
     {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
      "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"}},
    {"secrets", {"type"}},
    {"namespaces", {"status.phase", "name"}},
    {"events",
     {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
      "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
      "reportingComponent", "source", "type"}},
    {"jobs.batch", {"status.successful"}},
    {"nodes", {"spec.unschedulable"}},
    {"replicasets.apps", {"status.replicas"}},
    {"services", {"spec.clusterIP", "spec.type"}},
};

static gboolean is_selectable(const Kind *kind, const char *field)
{
    if (!strcmp(field, "metadata.name") || (!strcmp(field, "metadata.namespace") && kind->namespaced))
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(selectable); i++)
        if (!strcmp(selectable[i].resource, kind->resource))
            return g_strv_contains(selectable[i].fields, field);
    return FALSE;
}

static gboolean check_fields(Request *request, GError **error)
{
    const char *text = http_exchange_query(request->x, "fieldSelector");
    g_autoptr(Selector) selector = selector_parse_fields(text, error);
    g_auto(GStrv) terms = g_strsplit(text ? text : "", ",", -1);

    if (!selector)
        return FALSE;
    for (char **term = terms; *term; term++) {
        g_autofree char *field = g_strndup(*term, strcspn(*term, "!="));
        if (*field && !is_selectable(request->kind, field))
            return bad(error, "field label not supported: %s", field);
    }
    return TRUE;
}

static gboolean check_list(Request *request, GError **error)
{
    static const char *const objects[] = {"Metadata", "Object", "None", NULL};
    const char *include = http_exchange_query(request->x, "includeObject");
    gboolean watches = request_flag(request, "watch");

    if (!(watches ? check_watch(request, error) : check_match(request, error)) ||
        !check_numbers(request, error) || !check_fields(request, error))
        return FALSE;
    if (request->shape == SHAPE_TABLE && include && *include && !g_strv_contains(objects, include))
        return bad(error,
                   "Unable to convert to Table as requested: includeObject: Invalid value: \"%s\": must be "
                   "'Metadata', 'Object', 'None', or empty",
                   include);
    return TRUE;
}

gboolean options_check(Request *request, GError **error)
{
    const char *method = http_exchange_method(request->x);

    if (!strcmp(method, "POST"))
        return check_write(request, "CreateOptions", error);
    if (!strcmp(method, "PUT"))
        return check_write(request, "UpdateOptions", error);
    if (!strcmp(method, "PATCH"))
        return check_patch(request, error);
    if (!strcmp(method, "DELETE"))
        return check_write(request, "DeleteOptions", error) && (*request->name || check_list(request, error));
    return *request->name || check_list(request, error);
}
