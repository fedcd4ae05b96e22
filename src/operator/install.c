/* install: templates, one after the other. */
#include "operator/install.h"
#include "base/log.h"
#include "operator/authority.h"
#include "operator/sign_in.h"
#include "operator/upgrade.h"
#include "operator/values.h"
#include <string.h>

#define CONTROLLER "forklift-controller"
#define VERSION    "gantry.io/version"

/* A user of the image; OpenShift chooses one itself. */
enum { USER = 107 };

typedef struct {
    const Installation *installation;
    GHashTable *values, *served;   /* served: "group/version" → GINT_TO_POINTER(2: yes, 1: no) */
    json_t *owner, *cluster_owner; /* ownerReferences */
    gboolean own_authority, openshift;
} Pass;

static void pass_clear(Pass *pass)
{
    g_clear_pointer(&pass->values, g_hash_table_unref);
    g_clear_pointer(&pass->served, g_hash_table_unref);
    json_decref(pass->owner);
    json_decref(pass->cluster_owner);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pass, pass_clear)

static gboolean forgive_missing(gboolean done, GError **problem, GError **error)
{
    if (done || g_error_matches(*problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_clear_error(problem);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(problem));
    return FALSE;
}

/* ---- what the cluster has ---- */

static gboolean is_served(Pass *pass, const char *group_version, gboolean *yes, GCancellable *cancel,
                          GError **error)
{
    gint known = GPOINTER_TO_INT(g_hash_table_lookup(pass->served, group_version));
    g_autoptr(GError) problem = NULL;

    if (!known) {
        g_autofree char *path = g_strconcat("/apis/", group_version, NULL);
        g_autoptr(json_t) list = kube_get_path(pass->installation->kube, path, cancel, &problem);
        known = json_array_size(json_object_get(list, "resources")) ? 2 : 1;
        if (!forgive_missing(list != NULL, &problem, error))
            return FALSE;
        g_hash_table_insert(pass->served, g_strdup(group_version), GINT_TO_POINTER(known));
    }
    *yes = known == 2;
    return TRUE;
}

/* Whether the object is to be there. */
static gboolean is_wanted(Pass *pass, const Template *one, gboolean *wanted, gboolean *known,
                          GCancellable *cancel, GError **error)
{
    gboolean negated = one->needs && *one->needs == '!', served = TRUE;

    if (one->needs && !is_served(pass, one->needs + negated, &served, cancel, error))
        return FALSE;
    *known = !one->needs || served || negated;
    *wanted =
        (!one->needs || served != negated) && (!one->feature || value_is_on(pass->values, one->feature));
    return TRUE;
}

/* ---- one object ---- */

static gboolean is_ours(const Object *deployment, const json_t *manifest)
{
    return json_equal(json_at(object_json(deployment), "spec.selector.matchLabels"),
                      json_at(manifest, "spec.selector.matchLabels"));
}

/* A Deployment of another installation has other Pods under the same name: it goes, and they with it, before
 * ours comes. */
static gboolean make_room(const Installation *to, const Template *one, GCancellable *cancel, GError **error)
{
    const char *name = json_string_at(one->manifest, "metadata.name", "");
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) there = kube_get(to->kube, &KUBE_DEPLOYMENT, to->ns, name, cancel, &problem);

    if (!there)
        return forgive_missing(FALSE, &problem, error);
    if (is_ours(there, one->manifest))
        return TRUE;
    if (!object_deleting(there)) {
        log_info("a deployment of another installation is replaced", "namespace", to->ns, "name", name, NULL);
        gboolean done = kube_delete(to->kube, &KUBE_DEPLOYMENT, to->ns, name, "Foreground", cancel, &problem);
        if (!forgive_missing(done, &problem, error))
            return FALSE;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_NOT_READY,
                "deployment %s of another installation has not gone yet", name);
    return FALSE;
}

static void set_authority(json_t *manifest, const char *bundle)
{
    g_autofree char *encoded = g_base64_encode((const guchar *)bundle, strlen(bundle));
    size_t i;
    json_t *webhook;

    json_array_foreach (json_object_get(manifest, "webhooks"), i, webhook)
        json_set_at_new(webhook, "clientConfig.caBundle", json_string(encoded));
}

static gboolean finish_manifest(Pass *pass, const Template *one, GCancellable *cancel, GError **error)
{
    const char *bundle = g_hash_table_lookup(pass->values, "authority");

    if (!one->keep)
        json_set_at_new(one->manifest, "metadata.ownerReferences",
                        json_deep_copy(one->resource->namespaced ? pass->owner : pass->cluster_owner));
    if (pass->own_authority && bundle)
        set_authority(one->manifest, bundle);
    if (one->resource == &KUBE_DEPLOYMENT && !pass->openshift) {
        json_set_at_new(one->manifest, "spec.template.spec.securityContext.runAsUser", json_integer(USER));
        json_set_at_new(one->manifest, "spec.template.spec.securityContext.fsGroup", json_integer(USER));
    }
    return sign_in_fill(pass->installation->kube, pass->installation->ns, one, cancel, error);
}

static gboolean apply(Pass *pass, const Template *one, GCancellable *cancel, GError **error)
{
    const Installation *to = pass->installation;
    const char *name = json_string_at(one->manifest, "metadata.name", "");
    g_autoptr(Object) applied = NULL;

    if (!finish_manifest(pass, one, cancel, error) ||
        (one->resource == &KUBE_DEPLOYMENT && !make_room(to, one, cancel, error)))
        return FALSE;
    applied = kube_patch(to->kube, one->resource, one->resource->namespaced ? to->ns : NULL, name,
                         KUBE_PATCH_APPLY, one->manifest, NULL, cancel, error);
    return applied != NULL;
}

static gboolean take_away(const Installation *from, const Template *one, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    gboolean done =
        kube_delete(from->kube, one->resource, one->resource->namespaced ? from->ns : NULL,
                    json_string_at(one->manifest, "metadata.name", ""), "Background", cancel, &problem);

    return forgive_missing(done, &problem, error);
}

static gboolean settle(Pass *pass, const Template *one, GCancellable *cancel, GError **error)
{
    gboolean wanted, known, done;

    if (!is_wanted(pass, one, &wanted, &known, cancel, error))
        return FALSE;
    if (!wanted && (!known || one->keep))
        return TRUE;
    done = wanted ? apply(pass, one, cancel, error) : take_away(pass->installation, one, cancel, error);
    if (!done)
        g_prefix_error(error, "%s %s: ", one->resource->kind,
                       json_string_at(one->manifest, "metadata.name", ""));
    return done;
}

/* One that cannot be had yet holds no other up: Provider host waits for the webhook that judges it, which is
 * a service of ours. The first error is the pass's. */
static gboolean settle_all(Pass *pass, GPtrArray *templates, GCancellable *cancel, GError **error)
{
    GError *first = NULL;

    for (guint i = 0; i < templates->len && !g_cancellable_is_cancelled(cancel); i++) {
        g_autoptr(GError) problem = NULL;
        if (!settle(pass, templates->pdata[i], cancel, &problem) && !first)
            first = g_steal_pointer(&problem);
    }
    if (first)
        g_propagate_error(error, first);
    return !first;
}

/* ---- a pass ---- */

static json_t *owner_of(const char *api_version, const char *kind, const Object *object)
{
    return json_pack("[{s:s,s:s,s:s,s:s}]", "apiVersion", api_version, "kind", kind, "name",
                     object_name(object), "uid", object_uid(object));
}

static gboolean check_version(const Installation *to, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) there = kube_get(to->kube, &KUBE_DEPLOYMENT, to->ns, CONTROLLER, cancel, &problem);

    if (!there)
        return forgive_missing(FALSE, &problem, error);
    return upgrade_allowed(object_annotation(there, VERSION, ""), to->version, error);
}

static void set_value(Pass *pass, const char *name, const char *text)
{
    g_hash_table_insert(pass->values, g_strdup(name), g_strdup(text));
}

/* What the templates ask for besides settings. */
static void add_facts(Pass *pass)
{
    const Installation *to = pass->installation;
    g_autofree char *policy_agent = g_strdup_printf("https://forklift-validation.%s.svc:8181", to->ns);

    set_value(pass, "namespace", to->ns);
    set_value(pass, "version", to->version);
    set_value(pass, "ca_key", pass->openshift ? "service-ca.crt" : "ca.crt");
    set_value(pass, "policy_agent_url", value_is_on(pass->values, "feature_validation") ? policy_agent : "");
    set_value(pass, "certificates", "cluster");
}

/* The authority's certificates come before what mounts them; their sum, in the Pods' templates, starts Pods
 * anew with new ones. */
static gboolean keep_authority(Pass *pass, GCancellable *cancel, GError **error)
{
    const Installation *to = pass->installation;
    g_autoptr(GPtrArray) templates = templates_load(to->templates, pass->values, error);
    g_autofree char *bundle = NULL, *sum = NULL;

    if (!templates || !authority_keep(to->kube, to->ns, pass->owner, templates, &bundle, &sum, cancel, error))
        return FALSE;
    set_value(pass, "authority", bundle);
    set_value(pass, "certificates", sum);
    return TRUE;
}

static gboolean begin(Pass *pass, const Object *settings, const Object *ns, GPtrArray *wrong,
                      GCancellable *cancel, GError **error)
{
    gboolean routes;

    pass->served = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pass->values = values_read(json_object_get(object_json(settings), "spec"), wrong);
    pass->owner = owner_of("forklift.konveyor.io/v1beta1", "ForkliftController", settings);
    pass->cluster_owner = owner_of("v1", "Namespace", ns);
    if (!is_served(pass, "route.openshift.io/v1", &routes, cancel, error) ||
        !is_served(pass, "config.openshift.io/v1", &pass->openshift, cancel, error))
        return FALSE;
    pass->own_authority = !routes;
    add_facts(pass);
    return !pass->own_authority || keep_authority(pass, cancel, error);
}

gboolean install(const Installation *installation, const Object *settings, GPtrArray *wrong,
                 gboolean *leaving, GCancellable *cancel, GError **error)
{
    g_auto(Pass) pass = {.installation = installation};
    g_autoptr(Object) ns =
        kube_get(installation->kube, &KUBE_NAMESPACE, NULL, installation->ns, cancel, error);
    g_autoptr(GPtrArray) templates = NULL;

    if (!ns)
        return FALSE;
    *leaving = object_deleting(ns);
    if (*leaving)
        return TRUE;
    if (!check_version(installation, cancel, error) || !begin(&pass, settings, ns, wrong, cancel, error))
        return FALSE;
    templates = templates_load(installation->templates, pass.values, error);
    return templates && settle_all(&pass, templates, cancel, error);
}

gboolean uninstall(const Installation *installation, GCancellable *cancel, GError **error)
{
    g_auto(Pass) pass = {.installation = installation};
    g_autoptr(GPtrArray) templates = NULL;

    pass.served = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pass.values = values_read(NULL, NULL);
    add_facts(&pass);
    templates = templates_load(installation->templates, pass.values, error);
    for (guint i = 0; templates && i < templates->len; i++) {
        const Template *one = templates->pdata[i];
        gboolean wanted, known;
        if (!is_wanted(&pass, one, &wanted, &known, cancel, error) ||
            (!one->resource->namespaced && known && !take_away(installation, one, cancel, error)))
            return FALSE;
    }
    return templates != NULL;
}

/* ---- once, at the start ---- */

gboolean install_definitions(KubeClient *kube, const char *directory, GCancellable *cancel, GError **error)
{
    g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) definitions = templates_load(directory, none, error);

    for (guint i = 0; definitions && i < definitions->len; i++) {
        const Template *one = definitions->pdata[i];
        const char *name = json_string_at(one->manifest, "metadata.name", "");
        g_autoptr(Object) applied =
            kube_patch(kube, one->resource, NULL, name, KUBE_PATCH_APPLY, one->manifest, NULL, cancel, error);
        if (!applied) {
            g_prefix_error(error, "definition %s: ", name);
            return FALSE;
        }
    }
    return definitions != NULL;
}

static gboolean adopt_kind(const Installation *to, const KubeResource *kind, const json_t *owner,
                           GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) objects =
        kube_list(to->kube, kind, NULL, "app.kubernetes.io/part-of=gantry", NULL, NULL, cancel, error);

    for (guint i = 0; objects && i < objects->len; i++) {
        g_autoptr(json_t) patch = json_pack("{s:{s:O}}", "metadata", "ownerReferences", owner);
        g_autoptr(Object) patched = NULL;
        if (json_at(object_json(objects->pdata[i]), "metadata.ownerReferences"))
            continue;
        patched = kube_patch(to->kube, kind, NULL, object_name(objects->pdata[i]), KUBE_PATCH_MERGE, patch,
                             NULL, cancel, error);
        if (!patched)
            return FALSE;
    }
    return objects != NULL;
}

gboolean install_adopt(const Installation *installation, GCancellable *cancel, GError **error)
{
    g_autoptr(Object) ns =
        kube_get(installation->kube, &KUBE_NAMESPACE, NULL, installation->ns, cancel, error);
    g_autoptr(json_t) owner = ns ? owner_of("v1", "Namespace", ns) : NULL;

    return ns && adopt_kind(installation, &KUBE_CLUSTER_ROLE, owner, cancel, error) &&
           adopt_kind(installation, &KUBE_CLUSTER_ROLE_BINDING, owner, cancel, error);
}
