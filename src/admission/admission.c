/* admission: a function per kind. */
#include "admission/admission.h"
#include "crd/conditions.h"
#include <string.h>

#define GROUP            ".forklift.konveyor.io"
#define TRANSFER_NETWORK "forklift.konveyor.io/defaultTransferNetwork"
#define NAD              "network-attachment-definitions.k8s.cni.cncf.io"

static const char *name_of(const json_t *object)
{
    return json_string_at(object, "metadata.name", "");
}
static const char *namespace_of(const json_t *object)
{
    return json_string_at(object, "metadata.namespace", "");
}
static gboolean is(const AdmissionRequest *request, const char *operation)
{
    return !strcmp(request->operation, operation);
}

static gboolean has(const json_t *object, const char *condition)
{
    return conditions_find(json_at(object, "status.conditions"), condition) != NULL;
}

/* What a reference of object names, or NULL. */
static Object *follow(const AdmissionRequest *request, const char *path, const char *resource)
{
    const json_t *ref = json_at(request->object, path);
    const char *ns = json_string_at(ref, "namespace", ""), *name = json_string_at(ref, "name", "");

    if (!*name || !request->look)
        return NULL;
    return request->look(resource, *ns ? ns : namespace_of(request->object), name, request->store);
}

/* ---- Plan ---- */

/* The destination's migration network, when it exists in the namespace that it names or, unnamed, in the
 * target's. */
static void default_transfer_network(const AdmissionRequest *request)
{
    json_t *plan = request->object;
    g_autoptr(Object) provider = follow(request, "spec.provider.destination", "providers" GROUP),
                      network = NULL;
    const char *text = provider ? object_annotation(provider, TRANSFER_NETWORK, "") : "";
    const char *slash = strchr(text, '/');
    g_autofree char *ns =
        slash ? g_strndup(text, slash - text) : g_strdup(json_string_at(plan, "spec.targetNamespace", ""));
    const char *name = slash ? slash + 1 : text;

    if (!*name || json_at(plan, "spec.transferNetwork"))
        return;
    network = request->look(NAD, ns, name, request->store);
    if (network)
        json_set_at_new(plan, "spec.transferNetwork", json_pack("{s:s, s:s}", "namespace", ns, "name", name));
}

/* type is the newer word for warm; a client may write either, and read either. */
static void agree_on_warm(json_t *plan)
{
    const char *type = json_string_at(plan, "spec.type", "");

    if (*type)
        json_set_at_new(plan, "spec.warm", json_boolean(!strcmp(type, "warm")));
}

/* Equal but for the fields that a running or finished plan may still change. */
static gboolean same_work(const json_t *before, const json_t *after)
{
    g_autoptr(json_t) left = json_copy(json_object_get(before, "spec")),
                      right = json_copy(json_object_get(after, "spec"));

    for (const char *const *field = (const char *const[]){"archived", "description", NULL}; *field; field++) {
        json_object_del(left, *field);
        json_object_del(right, *field);
    }
    return json_equal(left, right);
}

static gboolean G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN, message);
    return FALSE;
}

/* An uninstall, which deletes the namespace, is not held up by a plan. */
static gboolean is_of_an_uninstall(const AdmissionRequest *request)
{
    g_autoptr(Object) ns = NULL;

    if (request->user && g_str_has_prefix(request->user, "system:serviceaccount:kube-system:"))
        return TRUE;
    ns = request->look
             ? request->look("namespaces", NULL, json_string_at(request->before, "metadata.namespace", ""),
                             request->store)
             : NULL;
    return ns && object_deleting(ns);
}

static gboolean review_plan(const AdmissionRequest *request, GError **error)
{
    const json_t *before = request->before;

    if (is(request, "DELETE")) {
        if (has(before, "Executing") && !is_of_an_uninstall(request))
            return refuse(error, "plan '%s' is running: cancel its migration first (delete the Migration)",
                          name_of(before));
        return TRUE;
    }
    agree_on_warm(request->object);
    if (is(request, "CREATE")) {
        default_transfer_network(request);
        return TRUE;
    }
    if (has(before, "Executing") && !same_work(before, request->object))
        return refuse(error, "spec: plan '%s' is running and cannot be edited until its migration has ended",
                      name_of(before));
    if (json_bool_at(before, "spec.archived", FALSE) &&
        !json_bool_at(request->object, "spec.archived", FALSE))
        return refuse(error,
                      "spec.archived: plan '%s' has been archived, which cannot be undone; make a new plan "
                      "from its spec",
                      name_of(before));
    return TRUE;
}

/* ---- Migration ---- */

static gboolean review_migration(const AdmissionRequest *request, GError **error)
{
    json_t *migration = request->object;
    g_autoptr(Object) plan = NULL;
    const json_t *misplaced;

    if (is(request, "DELETE"))
        return TRUE;
    /* the guide prints cutover inside plan */
    misplaced = json_at(migration, "spec.plan.cutover");
    if (misplaced && !json_at(migration, "spec.cutover"))
        json_set_at_new(migration, "spec.cutover", json_incref((json_t *)misplaced));
    json_set_at_new(migration, "spec.plan.cutover", NULL);
    plan = follow(request, "spec.plan", "plans" GROUP);
    if (!plan)
        return TRUE;
    if (is(request, "CREATE") && json_bool_at(object_json(plan), "spec.archived", FALSE))
        return refuse(
            error, "spec.plan: plan '%s' has been archived and cannot be run; make a new plan from its spec",
            object_name(plan));
    if (!*json_string_at(migration, "spec.plan.uid", ""))
        json_set_at_new(migration, "spec.plan.uid", json_string(object_uid(plan)));
    return TRUE;
}

/* ---- Provider ---- */

static gboolean review_provider(const AdmissionRequest *request, GError **error)
{
    const char *before = json_string_at(request->before, "spec.type", "");
    const char *after = json_string_at(request->object, "spec.type", "");
    const char *endpoint = json_string_at(request->object, "spec.settings.sdkEndpoint", "vcenter");

    if (is(request, "DELETE"))
        return TRUE;
    if (*before && strcmp(before, after)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "spec.type: '%s' cannot become '%s'; create another Provider for another type", before,
                    after);
        return FALSE;
    }
    if (strcmp(endpoint, "vcenter") && strcmp(endpoint, "esxi")) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "spec.settings.sdkEndpoint: '%s' must be vcenter or esxi", endpoint);
        return FALSE;
    }
    return TRUE;
}

/* ---- all ---- */

static const struct {
    const char *resource;
    gboolean (*review)(const AdmissionRequest *request, GError **error);
} kinds[] = {
    {"plans", review_plan},
    {"migrations", review_migration},
    {"providers", review_provider},
};

gboolean admission_review(const AdmissionRequest *request, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!strcmp(kinds[i].resource, request->resource))
            return kinds[i].review(request, error);
    return TRUE;
}
