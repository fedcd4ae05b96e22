/* rbac: bindings looked through for a user, their roles' rules gathered, and an ask held against them. */
#include "local/apiserver/rbac.h"
#include "apiserver-types.h"
#include "kube/selector.h"
#include <string.h>

#define GROUP "rbac.authorization.k8s.io"

enum { most_kept = 1000, roles_limit = 1 << 20 };

static const char *const resources[] = {"roles." GROUP, "rolebindings." GROUP, "clusterroles." GROUP,
                                        "clusterrolebindings." GROUP};

struct Rbac {
    Store *store;
    StoreWatch *watches[G_N_ELEMENTS(resources)];
    guint changes;    /* counted by the store's writer */
    GMutex lock;      /* of the rest */
    GHashTable *kept; /* "user\ngroups\nnamespace" → rules */
    guint kept_at;    /* changes when they were worked out */
};

/* ---- the rules of a role ---- */

static json_t *stored(Store *store, const char *resource, const char *ns, const char *name)
{
    g_autoptr(Record) record = store_get(store, resource, ns, name);
    return record ? record_json(record) : NULL;
}

static void add_rules(json_t *rules, const json_t *role)
{
    json_t *own = json_object_get(role, "rules");
    if (json_is_array(own))
        json_array_extend(rules, own);
}

static gboolean is_selected(const json_t *selectors, const json_t *role)
{
    size_t i;
    json_t *one;

    json_array_foreach ((json_t *)selectors, i, one) {
        g_autoptr(Selector) selector = selector_from_json(one, NULL);
        if (selector && selector_matches(selector, role))
            return TRUE;
    }
    return FALSE;
}

/* A ClusterRole may be the sum of others, which it selects by their labels. */
static void add_aggregated(Store *store, json_t *rules, const json_t *role)
{
    const json_t *selectors = json_at(role, "aggregationRule.clusterRoleSelectors");
    g_autoptr(GPtrArray) records = NULL;
    guint64 revision;

    if (!json_array_size(selectors))
        return;
    records = store_list(store, "clusterroles." GROUP, NULL, NULL, NULL, &revision);
    for (guint i = 0; i < records->len; i++) {
        g_autoptr(json_t) other = record_json(g_ptr_array_index(records, i));
        if (is_selected(selectors, other))
            add_rules(rules, other);
    }
}

static void add_role(Store *store, json_t *rules, const json_t *reference, const char *ns)
{
    gboolean everywhere = !strcmp(json_string_at(reference, "kind", ""), "ClusterRole");
    g_autoptr(json_t) role = stored(store, everywhere ? "clusterroles." GROUP : "roles." GROUP,
                                    everywhere ? "" : ns, json_string_at(reference, "name", ""));

    add_rules(rules, role);
    if (everywhere)
        add_aggregated(store, rules, role);
}

/* ---- the rules of a user ---- */

static gboolean is_subject(const Identity *user, const json_t *subject, const char *ns)
{
    const char *kind = json_string_at(subject, "kind", ""), *name = json_string_at(subject, "name", "");
    g_autofree char *account = NULL;

    if (!strcmp(kind, "User"))
        return !strcmp(name, user->name);
    if (!strcmp(kind, "Group"))
        return user->groups && g_strv_contains((const char *const *)user->groups, name);
    account = g_strdup_printf("system:serviceaccount:%s:%s", json_string_at(subject, "namespace", ns), name);
    return !strcmp(kind, "ServiceAccount") && !strcmp(account, user->name);
}

static void add_bindings(Store *store, json_t *rules, const Identity *user, const char *resource,
                         const char *ns)
{
    guint64 revision;
    g_autoptr(GPtrArray) records = store_list(store, resource, ns, NULL, NULL, &revision);

    for (guint i = 0; i < records->len; i++) {
        g_autoptr(json_t) binding = record_json(g_ptr_array_index(records, i));
        size_t n;
        json_t *subject;
        json_array_foreach (json_object_get(binding, "subjects"), n, subject) {
            if (!is_subject(user, subject, ns))
                continue;
            add_role(store, rules, json_object_get(binding, "roleRef"), ns);
            break;
        }
    }
}

static json_t *gather(Rbac *rbac, const Identity *user, const char *ns)
{
    json_t *rules = json_array();

    add_bindings(rbac->store, rules, user, "clusterrolebindings." GROUP, "");
    if (*ns)
        add_bindings(rbac->store, rules, user, "rolebindings." GROUP, ns);
    return rules;
}

static json_t *rules_of(Rbac *rbac, const Identity *user, const char *ns)
{
    guint now = g_atomic_int_get(&rbac->changes);
    g_autofree char *groups = user->groups ? g_strjoinv(",", user->groups) : g_strdup("");
    g_autofree char *key = g_strconcat(user->name, "\n", groups, "\n", ns, NULL);
    json_t *rules;

    g_mutex_lock(&rbac->lock);
    if (rbac->kept_at != now || g_hash_table_size(rbac->kept) >= most_kept) {
        g_hash_table_remove_all(rbac->kept);
        rbac->kept_at = now;
    }
    rules = json_incref(g_hash_table_lookup(rbac->kept, key));
    g_mutex_unlock(&rbac->lock);
    if (rules)
        return rules;
    rules = gather(rbac, user, ns);
    g_mutex_lock(&rbac->lock);
    if (rbac->kept_at == now)
        g_hash_table_insert(rbac->kept, g_steal_pointer(&key), json_incref(rules));
    g_mutex_unlock(&rbac->lock);
    return rules;
}

json_t *rbac_rules(Rbac *rbac, const Identity *user, const char *ns)
{
    return rules_of(rbac, user, ns);
}

/* ---- an ask ---- */

static gboolean holds(const json_t *list, const char *text)
{
    size_t i;
    json_t *one;

    json_array_foreach ((json_t *)list, i, one) {
        const char *is = json_string_value(one);
        if (is && (!strcmp(is, "*") || !strcmp(is, text)))
            return TRUE;
    }
    return FALSE;
}

/* "pods/log" is also allowed by a rule for any resource's log. */
static gboolean holds_resource(const json_t *list, const char *resource)
{
    const char *sub = strchr(resource, '/');
    g_autofree char *any = sub ? g_strconcat("*", sub, NULL) : NULL;

    return holds(list, resource) || (any && holds(list, any));
}

static gboolean holds_path(const json_t *list, const char *path)
{
    size_t i;
    json_t *one;

    json_array_foreach ((json_t *)list, i, one) {
        const char *is = json_string_value(one);
        gsize size = is ? strlen(is) : 0;
        if (size && (is[size - 1] == '*' ? !strncmp(is, path, size - 1) : !strcmp(is, path)))
            return TRUE;
    }
    return FALSE;
}

static gboolean rule_allows(const json_t *rule, const RbacAsk *ask)
{
    const json_t *names = json_object_get(rule, "resourceNames");

    if (!holds(json_object_get(rule, "verbs"), ask->verb))
        return FALSE;
    if (ask->path)
        return holds_path(json_object_get(rule, "nonResourceURLs"), ask->path);
    return holds(json_object_get(rule, "apiGroups"), ask->group) &&
           holds_resource(json_object_get(rule, "resources"), ask->resource) &&
           (!json_array_size(names) || (*ask->name && holds(names, ask->name)));
}

static gboolean is_master(const Identity *user)
{
    return user->groups && g_strv_contains((const char *const *)user->groups, "system:masters");
}

gboolean rbac_allows(Rbac *rbac, const Identity *user, const RbacAsk *ask)
{
    g_autoptr(json_t) rules = NULL;
    size_t i;
    json_t *rule;

    if (is_master(user))
        return TRUE;
    rules = rules_of(rbac, user, ask->path ? "" : ask->ns);
    json_array_foreach (rules, i, rule)
        if (rule_allows(rule, ask))
            return TRUE;
    return FALSE;
}

static char *group_resource(const RbacAsk *ask)
{
    g_autofree char *plural = g_strndup(ask->resource, strcspn(ask->resource, "/"));
    return *ask->group ? g_strconcat(plural, ".", ask->group, NULL) : g_steal_pointer(&plural);
}

gboolean rbac_check(Rbac *rbac, const Identity *user, const RbacAsk *ask, GError **error)
{
    g_autofree char *what = NULL, *scope = NULL;

    if (rbac_allows(rbac, user, ask))
        return TRUE;
    if (ask->path) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN, "forbidden: User \"%s\" cannot %s path \"%s\"",
                    user->name, ask->verb, ask->path);
        return FALSE;
    }
    what = group_resource(ask);
    scope = *ask->ns ? g_strdup_printf("in the namespace \"%s\"", ask->ns) : g_strdup("at the cluster scope");
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN,
                "%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\" %s", what,
                *ask->name ? " \"" : "", ask->name, *ask->name ? "\"" : "", user->name, ask->verb,
                ask->resource, ask->group, scope);
    return FALSE;
}

/* ---- nobody gives what he has not got ---- */

typedef struct {
    Rbac *rbac;
    const Identity *user;
    RbacAsk ask;
} Grant;

/* Calls next for each string of the list; an absent list is one "". */
static gboolean each(const json_t *list, const char **place, gboolean (*next)(Grant *, const json_t *),
                     Grant *grant, const json_t *rule)
{
    size_t i;
    json_t *one;

    json_array_foreach ((json_t *)list, i, one) {
        *place = json_string_value(one) ? json_string_value(one) : "";
        if (!next(grant, rule))
            return FALSE;
    }
    if (json_array_size(list))
        return TRUE;
    *place = "";
    return next(grant, rule);
}

static gboolean has_it(Grant *grant, const json_t *rule)
{
    return rbac_allows(grant->rbac, grant->user, &grant->ask);
}
static gboolean has_names(Grant *grant, const json_t *rule)
{
    return each(json_object_get(rule, "resourceNames"), &grant->ask.name, has_it, grant, rule);
}
static gboolean has_resources(Grant *grant, const json_t *rule)
{
    return each(json_object_get(rule, "resources"), &grant->ask.resource, has_names, grant, rule);
}
static gboolean has_groups(Grant *grant, const json_t *rule)
{
    if (json_array_size(json_object_get(rule, "nonResourceURLs")))
        return each(json_object_get(rule, "nonResourceURLs"), &grant->ask.path, has_it, grant, rule);
    return each(json_object_get(rule, "apiGroups"), &grant->ask.group, has_resources, grant, rule);
}

static gboolean has_rule(Grant *grant, const json_t *rule)
{
    grant->ask.path = NULL;
    return each(json_object_get(rule, "verbs"), &grant->ask.verb, has_groups, grant, rule);
}

gboolean rbac_check_grant(const Request *request, const json_t *object, GError **error)
{
    Rbac *rbac = request->server->rbac;
    gboolean binding = g_str_has_suffix(request->kind->plural, "bindings");
    Grant grant = {.rbac = rbac, .user = request->user, .ask = {.ns = request->ns}};
    RbacAsk special = {.verb = binding ? "bind" : "escalate", .group = GROUP, .ns = request->ns};
    const json_t *reference = json_object_get(object, "roleRef");
    g_autoptr(json_t) rules = json_array();
    size_t i;
    json_t *rule;

    special.resource = !binding                                                        ? request->kind->plural
                       : !strcmp(json_string_at(reference, "kind", ""), "ClusterRole") ? "clusterroles"
                                                                                       : "roles";
    special.name = binding ? json_string_at(reference, "name", "") : request->name;
    if (is_master(request->user) || rbac_allows(rbac, request->user, &special))
        return TRUE;
    if (binding)
        add_role(rbac->store, rules, reference, request->ns);
    else
        add_rules(rules, object);
    json_array_foreach (rules, i, rule) {
        g_autofree char *text = NULL;
        if (has_rule(&grant, rule))
            continue;
        text = json_text(rule);
        g_set_error(
            error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN,
            "%s \"%s\" is forbidden: user \"%s\" is attempting to grant RBAC permissions not currently "
            "held: %s",
            request->kind->resource, request->name, request->user->name, text);
        return FALSE;
    }
    return TRUE;
}

/* ---- life ---- */

static void on_change(StoreEvent *event, gpointer data)
{
    g_atomic_int_inc(&((Rbac *)data)->changes);
}

Rbac *rbac_new(Store *store, GError **error)
{
    Rbac *rbac = g_new0(Rbac, 1);

    rbac->store = store;
    g_mutex_init(&rbac->lock);
    rbac->kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
    for (guint i = 0; i < G_N_ELEMENTS(resources); i++) {
        g_autoptr(GPtrArray) records = NULL;
        g_autoptr(GPtrArray) missed = NULL;
        guint64 revision;
        rbac->watches[i] =
            store_watch(store, resources[i], NULL, 0, &records, &revision, &missed, on_change, rbac, error);
        if (!rbac->watches[i]) {
            rbac_free(rbac);
            return NULL;
        }
    }
    return rbac;
}

void rbac_free(Rbac *rbac)
{
    if (!rbac)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(resources); i++)
        if (rbac->watches[i])
            store_unwatch(rbac->store, rbac->watches[i]);
    g_hash_table_unref(rbac->kept);
    g_mutex_clear(&rbac->lock);
    g_free(rbac);
}

gboolean rbac_make_roles(ApiServer *server, GError **error)
{
    g_autoptr(GBytes) text =
        g_resource_lookup_data(apiserver_types_get_resource(), "/gantry/apiserver/roles.json", 0, error);
    g_autoptr(json_t) list = text ? json_parse(g_bytes_get_data(text, NULL), g_bytes_get_size(text),
                                               roles_limit, "roles.json", error)
                                  : NULL;
    size_t i;
    json_t *object;

    json_array_foreach (list, i, object) {
        gboolean binding = json_object_get(object, "roleRef") != NULL;
        if (!apiserver_write(server, GROUP, "v1", binding ? "clusterrolebindings" : "clusterroles", "",
                             json_deep_copy(object), error))
            return FALSE;
    }
    return list != NULL;
}
