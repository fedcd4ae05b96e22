/* kinds: a table of the core kinds, and what definitions add to it. */
#include "local/apiserver/kinds.h"
#include "apiserver-types.h"
#include "base/clock.h"
#include <string.h>

struct Kinds {
    GRWLock lock;
    GPtrArray *all; /* of Kind, ordered */
    SchemaSet *core;
};

enum { CLUSTER = 1, STATUS = 2, GENERATION = 4, SCALE = 8, REVIEW = 16 };

static const struct {
    const char *group, *version, *kind, *plural, *short_names, *categories;
    int flags;
} core_kinds[] = {
    {"", "v1", "ConfigMap", "configmaps", "cm", "", 0},
    {"", "v1", "Endpoints", "endpoints", "ep", "", 0},
    {"", "v1", "Event", "events", "ev", "", 0},
    {"", "v1", "Namespace", "namespaces", "ns", "", CLUSTER | STATUS},
    {"", "v1", "Node", "nodes", "no", "", CLUSTER | STATUS},
    {"", "v1", "PersistentVolume", "persistentvolumes", "pv", "", CLUSTER | STATUS},
    {"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "", STATUS},
    {"", "v1", "Pod", "pods", "po", "all", STATUS | GENERATION},
    {"", "v1", "ResourceQuota", "resourcequotas", "quota", "", STATUS},
    {"", "v1", "Secret", "secrets", "", "", 0},
    {"", "v1", "Service", "services", "svc", "all", STATUS},
    {"", "v1", "ServiceAccount", "serviceaccounts", "sa", "", 0},
    {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "crd,crds",
     "api-extensions", CLUSTER | STATUS | GENERATION},
    {"apps", "v1", "Deployment", "deployments", "deploy", "all", STATUS | GENERATION | SCALE},
    {"apps", "v1", "ReplicaSet", "replicasets", "rs", "all", STATUS | GENERATION | SCALE},
    {"authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", "", "", CLUSTER | REVIEW},
    {"authentication.k8s.io", "v1", "TokenReview", "tokenreviews", "", "", CLUSTER | REVIEW},
    {"authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", "", "", REVIEW},
    {"authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", "", "",
     CLUSTER | REVIEW},
    {"authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", "", "",
     CLUSTER | REVIEW},
    {"authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", "", "", CLUSTER | REVIEW},
    {"batch", "v1", "Job", "jobs", "", "all", STATUS | GENERATION},
    {"coordination.k8s.io", "v1", "Lease", "leases", "", "", 0},
    {"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "", "", 0},
    {"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "", "", CLUSTER},
    {"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "", "", CLUSTER},
    {"rbac.authorization.k8s.io", "v1", "Role", "roles", "", "", 0},
    {"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "", "", 0},
    {"storage.k8s.io", "v1", "StorageClass", "storageclasses", "sc", "", CLUSTER},
};

/* ---- one kind ---- */

Kind *kind_ref(Kind *kind)
{
    g_atomic_int_inc(&kind->refs);
    return kind;
}

void kind_unref(Kind *kind)
{
    if (!kind || !g_atomic_int_dec_and_test(&kind->refs))
        return;
    g_free(kind->group);
    g_free(kind->version);
    g_free(kind->kind);
    g_free(kind->list_kind);
    g_free(kind->plural);
    g_free(kind->singular);
    g_free(kind->resource);
    g_free(kind->storage_version);
    g_free(kind->replicas_path);
    g_free(kind->replicas_status_path);
    g_free(kind->selector_path);
    g_strfreev(kind->short_names);
    g_strfreev(kind->categories);
    schema_set_unref(kind->types);
    json_decref(kind->openapi);
    json_decref(kind->columns);
    g_free(kind);
}

char *kind_api_version(const Kind *kind)
{
    return *kind->group ? g_strconcat(kind->group, "/", kind->version, NULL) : g_strdup(kind->version);
}

char *kind_group_resource(const Kind *kind)
{
    return *kind->group ? g_strconcat(kind->plural, ".", kind->group, NULL) : g_strdup(kind->plural);
}

static char **split(const char *text)
{
    return *text ? g_strsplit(text, ",", -1) : g_new0(char *, 1);
}

static Kind *core_kind(Kinds *kinds, guint row)
{
    Kind *kind = g_new0(Kind, 1);
    int flags = core_kinds[row].flags;

    kind->refs = 1;
    kind->group = g_strdup(core_kinds[row].group);
    kind->version = g_strdup(core_kinds[row].version);
    kind->storage_version = g_strdup(kind->version);
    kind->kind = g_strdup(core_kinds[row].kind);
    kind->list_kind = g_strconcat(kind->kind, "List", NULL);
    kind->plural = g_strdup(core_kinds[row].plural);
    kind->singular = g_ascii_strdown(kind->kind, -1);
    kind->short_names = split(core_kinds[row].short_names);
    kind->categories = split(core_kinds[row].categories);
    kind->resource = kind_group_resource(kind);
    kind->namespaced = !(flags & CLUSTER);
    kind->has_status = !!(flags & STATUS);
    kind->has_generation = !!(flags & GENERATION);
    kind->unchecked = !!(flags & REVIEW);
    if (flags & SCALE) {
        kind->replicas_path = g_strdup("spec.replicas");
        kind->replicas_status_path = g_strdup("status.replicas");
    }
    if (!kind->unchecked) {
        kind->types = schema_set_ref(kinds->core);
        kind->schema = schema_set_type(kinds->core, kind->kind);
        g_assert(kind->schema);
    }
    return kind;
}

/* ---- the table ---- */

static gint kind_order(gconstpointer a, gconstpointer b)
{
    const Kind *one = *(Kind *const *)a, *two = *(Kind *const *)b;
    int order = strcmp(one->group, two->group);
    if (!order)
        order = -strcmp(one->version, two->version); /* "v1" after "v1beta1": the stable one first */
    if (!order && strlen(one->version) != strlen(two->version))
        order = strlen(one->version) < strlen(two->version) ? -1 : 1;
    return order ? order : strcmp(one->plural, two->plural);
}

Kinds *kinds_new(GError **error)
{
    g_autoptr(GBytes) types =
        g_resource_lookup_data(apiserver_types_get_resource(), "/gantry/apiserver/types.txt", 0, error);
    SchemaSet *core = types ? schema_set_from_types(g_bytes_get_data(types, NULL), error) : NULL;
    Kinds *kinds;

    if (!core)
        return NULL;
    kinds = g_new0(Kinds, 1);
    kinds->core = core;
    kinds->all = g_ptr_array_new_with_free_func((GDestroyNotify)kind_unref);
    g_rw_lock_init(&kinds->lock);
    for (guint i = 0; i < G_N_ELEMENTS(core_kinds); i++)
        g_ptr_array_add(kinds->all, core_kind(kinds, i));
    g_ptr_array_sort(kinds->all, kind_order);
    return kinds;
}

void kinds_free(Kinds *kinds)
{
    if (!kinds)
        return;
    g_ptr_array_unref(kinds->all);
    schema_set_unref(kinds->core);
    g_rw_lock_clear(&kinds->lock);
    g_free(kinds);
}

const SchemaSet *kinds_core_types(const Kinds *kinds)
{
    return kinds->core;
}

Kind *kinds_find(Kinds *kinds, const char *group, const char *version, const char *plural)
{
    Kind *found = NULL;

    g_rw_lock_reader_lock(&kinds->lock);
    for (guint i = 0; i < kinds->all->len && !found; i++) {
        Kind *kind = g_ptr_array_index(kinds->all, i);
        if (!strcmp(kind->plural, plural) && !strcmp(kind->group, group) && !strcmp(kind->version, version))
            found = kind_ref(kind);
    }
    g_rw_lock_reader_unlock(&kinds->lock);
    return found;
}

GPtrArray *kinds_all(Kinds *kinds)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)kind_unref);

    g_rw_lock_reader_lock(&kinds->lock);
    for (guint i = 0; i < kinds->all->len; i++)
        g_ptr_array_add(all, kind_ref(g_ptr_array_index(kinds->all, i)));
    g_rw_lock_reader_unlock(&kinds->lock);
    return all;
}

/* ---- definitions ---- */

static char **strings_of(const json_t *list)
{
    g_autoptr(GStrvBuilder) strings = g_strv_builder_new();
    size_t i;
    json_t *text;

    json_array_foreach(list, i, text) if (json_is_string(text))
        g_strv_builder_add(strings, json_string_value(text));
    return g_strv_builder_end(strings);
}

/* ".spec.replicas" of a definition is "spec.replicas" here. */
static char *scale_path(const json_t *version, const char *name)
{
    const json_t *scale = json_at(version, "subresources.scale");
    const char *path = json_string_at(scale, name, NULL);
    return path ? g_strdup(path + (*path == '.')) : NULL;
}

static Kind *custom_kind(const json_t *definition, const json_t *version, const char *storage, GError **error)
{
    g_autoptr(Kind) kind = g_new0(Kind, 1);
    const json_t *names = json_at(definition, "spec.names");
    json_t *openapi = json_at(version, "schema.openAPIV3Schema");

    kind->refs = 1;
    kind->group = g_strdup(json_string_at(definition, "spec.group", ""));
    kind->version = g_strdup(json_string_at(version, "name", ""));
    kind->storage_version = g_strdup(storage);
    kind->kind = g_strdup(json_string_at(names, "kind", ""));
    kind->list_kind = g_strdup(json_string_at(names, "listKind", ""));
    kind->plural = g_strdup(json_string_at(names, "plural", ""));
    kind->singular = g_strdup(json_string_at(names, "singular", ""));
    kind->short_names = strings_of(json_object_get(names, "shortNames"));
    kind->categories = strings_of(json_object_get(names, "categories"));
    kind->resource = kind_group_resource(kind);
    kind->namespaced = !strcmp(json_string_at(definition, "spec.scope", ""), "Namespaced");
    kind->custom = kind->has_generation = TRUE;
    kind->has_status = json_at(version, "subresources.status") != NULL;
    kind->replicas_path = scale_path(version, "specReplicasPath");
    kind->replicas_status_path = scale_path(version, "statusReplicasPath");
    kind->selector_path = scale_path(version, "labelSelectorPath");
    kind->columns = json_incref(json_object_get(version, "additionalPrinterColumns"));
    kind->openapi = json_incref(openapi);
    if (openapi && !(kind->types = schema_set_from_openapi(openapi, "spec.versions.schema.openAPIV3Schema",
                                                           &kind->schema, error)))
        return NULL;
    return g_steal_pointer(&kind);
}

/* All served versions of a definition. */
static GPtrArray *kinds_of(const json_t *definition, GError **error)
{
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func((GDestroyNotify)kind_unref);
    const json_t *versions = json_at(definition, "spec.versions");
    const char *storage = "";
    size_t i;
    json_t *version;

    json_array_foreach(versions, i, version) if (json_bool_at(version, "storage", FALSE)) storage =
        json_string_at(version, "name", "");
    json_array_foreach(versions, i, version)
    {
        Kind *kind;
        if (!json_bool_at(version, "served", FALSE))
            continue;
        if (!(kind = custom_kind(definition, version, storage, error)))
            return NULL;
        g_ptr_array_add(made, kind);
    }
    return g_steal_pointer(&made);
}

static void remove_kinds(Kinds *kinds, const char *resource)
{
    for (guint i = kinds->all->len; i-- > 0;) {
        const Kind *kind = g_ptr_array_index(kinds->all, i);
        if (kind->custom && !strcmp(kind->resource, resource))
            g_ptr_array_remove_index(kinds->all, i);
    }
}

gboolean kinds_add_definition(Kinds *kinds, const json_t *definition, GError **error)
{
    g_autoptr(GPtrArray) made = kinds_of(definition, error);

    if (!made)
        return FALSE;
    g_rw_lock_writer_lock(&kinds->lock);
    remove_kinds(kinds, json_string_at(definition, "metadata.name", ""));
    for (guint i = 0; i < made->len; i++)
        g_ptr_array_add(kinds->all, kind_ref(g_ptr_array_index(made, i)));
    g_ptr_array_sort(kinds->all, kind_order);
    g_rw_lock_writer_unlock(&kinds->lock);
    return TRUE;
}

void kinds_remove_definition(Kinds *kinds, const char *name)
{
    g_rw_lock_writer_lock(&kinds->lock);
    remove_kinds(kinds, name);
    g_rw_lock_writer_unlock(&kinds->lock);
}

static void fill_names(json_t *definition)
{
    json_t *names = json_at(definition, "spec.names");
    const char *kind = json_string_at(names, "kind", "");

    if (!json_object_get(names, "singular")) {
        g_autofree char *singular = g_ascii_strdown(kind, -1);
        json_object_set_new(names, "singular", json_string(singular));
    }
    if (!json_object_get(names, "listKind")) {
        g_autofree char *list = g_strconcat(kind, "List", NULL);
        json_object_set_new(names, "listKind", json_string(list));
    }
    if (!json_at(definition, "spec.conversion"))
        json_set_at_new(definition, "spec.conversion", json_pack("{s:s}", "strategy", "None"));
}

static json_t *condition(const char *type, const char *reason, const char *message)
{
    g_autofree char *now = clock_now();
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", type, "status", "True", "lastTransitionTime", now,
                     "reason", reason, "message", message);
}

static void fill_status(json_t *definition)
{
    json_t *versions, *version;
    size_t i;

    if (json_array_size(json_at(definition, "status.conditions")))
        return;
    versions = json_array();
    json_array_foreach(json_at(definition, "spec.versions"), i,
                       version) if (json_bool_at(version, "storage", FALSE))
        json_array_append(versions, json_object_get(version, "name"));
    json_set_at_new(
        definition, "status.conditions",
        json_pack("[o, o]", condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                  condition("Established", "InitialNamesAccepted", "the initial names have been accepted")));
    json_set_at_new(definition, "status.storedVersions", versions);
}

gboolean kinds_prepare_definition(Kinds *kinds, json_t *definition, GPtrArray *causes)
{
    g_autofree char *name = g_strconcat(json_string_at(definition, "spec.names.plural", ""), ".",
                                        json_string_at(definition, "spec.group", ""), NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) made = NULL;
    guint stored = 0;
    size_t i;
    json_t *version;

    if (strcmp(name, json_string_at(definition, "metadata.name", "")) != 0)
        schema_cause_add(causes, "FieldValueInvalid", "metadata.name",
                         "Invalid value: \"%s\": must be spec.names.plural+\".\"+spec.group, which is %s",
                         json_string_at(definition, "metadata.name", ""), name);
    json_array_foreach(json_at(definition, "spec.versions"), i, version)
    {
        stored += json_bool_at(version, "storage", FALSE);
        if (!json_at(version, "schema.openAPIV3Schema")) {
            g_autofree char *path = g_strdup_printf("spec.versions[%zu].schema.openAPIV3Schema", i);
            schema_cause_add(causes, "FieldValueRequired", path, "Required value: schemas are required");
        }
    }
    if (stored != 1)
        schema_cause_add(causes, "FieldValueInvalid", "spec.versions",
                         "Invalid value: must have exactly one version marked as storage version");
    if (causes->len)
        return FALSE;
    fill_names(definition);
    fill_status(definition);
    json_set_at_new(definition, "status.acceptedNames", json_deep_copy(json_at(definition, "spec.names")));
    made = kinds_of(definition, &error);
    if (!made)
        schema_cause_add(causes, "FieldValueInvalid", "spec.versions", "Invalid value: %s", error->message);
    return causes->len == 0;
}
