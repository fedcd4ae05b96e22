/* auth: tokens, and the reviews by which clients ask about tokens and rights. */
#include "local/apiserver/auth.h"
#include "base/clock.h"
#include "local/apiserver/rbac.h"
#include <string.h>

static const char tokens[] =
    "tokens.gantry"; /* the resource: no kind of this name can be defined, as groups hold a dot */

static Identity *identity_new(const char *name, const char *uid, const char *const *groups)
{
    Identity *identity = g_new0(Identity, 1);
    identity->name = g_strdup(name);
    identity->uid = g_strdup(uid);
    identity->groups = g_strdupv((char **)groups);
    return identity;
}

/* ---- tokens ---- */

/* A service account's token is good while the account that it was made for exists. */
static Identity *identity_of_token(ApiServer *server, const json_t *token)
{
    const char *ns = json_string_at(token, "namespace", ""), *name = json_string_at(token, "account", "");
    gint64 expires = json_int_at(token, "expires", 0);
    g_autoptr(Record) account = store_get(server->store, "serviceaccounts", ns, name);
    g_autoptr(json_t) json = account ? record_json(account) : NULL;
    g_autofree char *user = g_strdup_printf("system:serviceaccount:%s:%s", ns, name);
    g_autofree char *group = g_strconcat("system:serviceaccounts:", ns, NULL);
    const char *groups[] = {"system:serviceaccounts", group, "system:authenticated", NULL};
    const char *uid = json_string_at(token, "uid", "");

    if (!json || strcmp(json_string_at(json, "metadata.uid", ""), uid) != 0 ||
        (expires && expires < g_get_real_time()))
        return NULL;
    return identity_new(user, uid, groups);
}

Identity *auth_identify_token(ApiServer *server, const char *token)
{
    static const char *const admin_groups[] = {"system:masters", "system:authenticated", NULL};
    g_autofree char *hash = token_hash(token);
    g_autoptr(Record) record = NULL;
    g_autoptr(json_t) json = NULL;

    if (!strcmp(hash, server->pki->admin_token_hash))
        return identity_new("system:admin", NULL, admin_groups);
    if (!(record = store_get(server->store, tokens, "", hash)))
        return NULL;
    json = record_json(record);
    return identity_of_token(server, json);
}

Identity *auth_identify(ApiServer *server, const char *authorization)
{
    if (!authorization || g_ascii_strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    authorization += 7;
    while (*authorization == ' ')
        authorization++;
    return *authorization && strlen(authorization) < 1000 ? auth_identify_token(server, authorization) : NULL;
}

/* ---- in another's name ---- */

static gboolean may_act_as(ApiServer *server, const Identity *user, const char *resource, const char *ns,
                           const char *name, GError **error)
{
    RbacAsk ask = {.verb = "impersonate", .group = "", .resource = resource, .ns = ns, .name = name};
    return rbac_check(server->rbac, user, &ask, error);
}

static gboolean may_act_as_user(ApiServer *server, const Identity *user, const char *name, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(name, ":", 4); /* system:serviceaccount:NS:NAME */

    if (!g_str_has_prefix(name, "system:serviceaccount:") || g_strv_length(parts) != 4)
        return may_act_as(server, user, "users", "", name, error);
    return may_act_as(server, user, "serviceaccounts", parts[2], parts[3], error);
}

static Identity *identity_of_name(const char *name, const char *groups)
{
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    g_auto(GStrv) given = g_strsplit(groups ? groups : "", ", ", -1);
    g_auto(GStrv) parts = g_strsplit(name, ":", 4);
    g_auto(GStrv) list = NULL;

    if (g_str_has_prefix(name, "system:serviceaccount:") && g_strv_length(parts) == 4 && !*given) {
        g_autofree char *of_namespace = g_strconcat("system:serviceaccounts:", parts[2], NULL);
        g_strv_builder_add_many(all, "system:serviceaccounts", of_namespace, NULL);
    }
    g_strv_builder_addv(all, (const char **)given);
    if (!g_strv_contains((const char *const *)given, "system:authenticated"))
        g_strv_builder_add(all, "system:authenticated");
    list = g_strv_builder_end(all);
    return identity_new(name, NULL, (const char *const *)list);
}

gboolean auth_impersonate(ApiServer *server, const HttpExchange *x, Identity **user, GError **error)
{
    const char *name = http_exchange_header(x, "Impersonate-User");
    const char *groups = http_exchange_header(x, "Impersonate-Group");
    g_auto(GStrv) list = g_strsplit(groups ? groups : "", ", ", -1);
    Identity *other;

    if (!name && !groups)
        return TRUE;
    if (!name || !*name) {
        g_set_error_literal(
            error, GANTRY_ERROR, ERROR_BAD_INPUT,
            "requested [{Group  ...}] without impersonating a user: Impersonate-User is missing");
        return FALSE;
    }
    if (!may_act_as_user(server, *user, name, error))
        return FALSE;
    for (char **group = list; *group; group++)
        if (!may_act_as(server, *user, "groups", "", *group, error))
            return FALSE;
    other = identity_of_name(name, groups);
    identity_free(*user);
    *user = other;
    return TRUE;
}

char *auth_new_token(ApiServer *server, const char *ns, const char *account, const char *uid,
                     gint64 expires_us, GError **error)
{
    g_autofree char *token = token_new();
    g_autofree char *hash = token_hash(token);
    json_t *json = json_pack("{s:{}, s:s, s:s, s:s, s:I}", "metadata", "namespace", ns, "account", account,
                             "uid", uid, "expires", (json_int_t)expires_us);

    return store_write(server->store, STORE_CREATE, tokens, "", hash, 0, json, NULL, error)
               ? g_steal_pointer(&token)
               : NULL;
}

static void set_data(json_t *secret, const char *key, const char *text)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)text, strlen(text));

    if (!json_is_object(json_object_get(secret, "data")))
        json_object_set_new(secret, "data", json_object());
    json_object_set_new(json_object_get(secret, "data"), key, json_string(base64));
}

void auth_fill_token_secret(ApiServer *server, json_t *secret)
{
    const json_t *annotations = json_at(secret, "metadata.annotations");
    const char *account =
        json_string_value(json_object_get(annotations, "kubernetes.io/service-account.name"));
    const char *ns = json_string_at(secret, "metadata.namespace", "");
    g_autoptr(Record) record = account ? store_get(server->store, "serviceaccounts", ns, account) : NULL;
    g_autoptr(json_t) json = record ? record_json(record) : NULL;
    const char *uid = json_string_at(json, "metadata.uid", "");
    g_autofree char *token = NULL;

    if (!json || json_at(secret, "data.token"))
        return;
    if (!(token = auth_new_token(server, ns, account, uid, 0, NULL)))
        return;
    json_object_set_new(json_at(secret, "metadata.annotations"), "kubernetes.io/service-account.uid",
                        json_string(uid));
    set_data(secret, "token", token);
    set_data(secret, "namespace", ns);
    set_data(secret, "ca.crt", server->pki->ca->pem);
}

void auth_sweep(ApiServer *server)
{
    guint64 revision;
    g_autoptr(GPtrArray) records = store_list(server->store, tokens, NULL, NULL, NULL, &revision);

    for (guint i = 0; i < records->len; i++) {
        Record *record = g_ptr_array_index(records, i);
        g_autoptr(json_t) json = record_json(record);
        g_autoptr(Identity) identity = identity_of_token(server, json);
        if (!identity)
            store_write(server->store, STORE_DELETE, tokens, "", record->name, 0, g_steal_pointer(&json),
                        NULL, NULL);
    }
}

/* ---- serviceaccounts/NAME/token ---- */

enum { default_seconds = 3600, least_seconds = 600 };

static gboolean token_request(Request *request, json_t **answer, GError **error)
{
    g_autoptr(json_t) body = request_body(request, error);
    g_autoptr(Record) account =
        store_get(request->server->store, "serviceaccounts", request->ns, request->name);
    g_autoptr(json_t) json = account ? record_json(account) : NULL;
    gint64 seconds = json_int_at(body, "spec.expirationSeconds", default_seconds);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) end = NULL;
    g_autofree char *token = NULL, *expires = NULL, *created = clock_now();
    json_t *spec;

    if (!body)
        return FALSE;
    if (!json) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "serviceaccounts \"%s\" not found",
                    request->name);
        return FALSE;
    }
    if (seconds < least_seconds || seconds > (gint64)1 << 32) {
        schema_cause_add(request->causes, "FieldValueInvalid", "spec.expirationSeconds",
                         "Invalid value: %" G_GINT64_FORMAT
                         ": may not specify a duration less than 10 minutes or larger than 2^32 seconds",
                         seconds);
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID, "spec.expirationSeconds");
        return FALSE;
    }
    token =
        auth_new_token(request->server, request->ns, request->name, json_string_at(json, "metadata.uid", ""),
                       g_get_real_time() + seconds * G_USEC_PER_SEC, error);
    if (!token)
        return FALSE;
    end = g_date_time_add_seconds(now, seconds);
    expires = g_date_time_format(end, "%Y-%m-%dT%H:%M:%SZ");
    spec = json_incref(json_object_get(body, "spec"));
    if (!spec)
        spec = json_object();
    json_object_set_new(spec, "expirationSeconds", json_integer(seconds));
    *answer = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:o, s:{s:s, s:s}}", "kind", "TokenRequest",
                        "apiVersion", "authentication.k8s.io/v1", "metadata", "name", request->name,
                        "namespace", request->ns, "creationTimestamp", created, "spec", spec, "status",
                        "token", token, "expirationTimestamp", expires);
    return TRUE;
}

void serve_token_request(Request *request)
{
    g_autoptr(GError) error = NULL;
    json_t *answer;

    if (token_request(request, &answer, &error))
        answer_json(request, 201, answer);
    else
        answer_error(request, error);
}

/* ---- reviews ---- */

static json_t *user_json(const Identity *identity)
{
    json_t *groups = json_array(), *user = json_pack("{s:s}", "username", identity->name);

    for (char **group = identity->groups; group && *group; group++)
        json_array_append_new(groups, json_string(*group));
    json_object_set_new(user, "groups", groups);
    if (identity->uid)
        json_object_set_new(user, "uid", json_string(identity->uid));
    return user;
}

static json_t *review_token(Request *request, const json_t *body)
{
    g_autoptr(Identity) identity =
        auth_identify_token(request->server, json_string_at(body, "spec.token", ""));

    if (!identity)
        return json_pack("{s:{}, s:s}", "user", "error", "the token is not known or has expired");
    return json_pack("{s:b, s:o, s:o}", "authenticated", 1, "user", user_json(identity), "audiences",
                     json_at(body, "spec.audiences") ? json_incref(json_at(body, "spec.audiences"))
                                                     : json_array());
}

/* The user that a review asks about: the one it names, else the one who asks. */
static Identity *reviewed_user(const Request *request, const json_t *body)
{
    g_autoptr(GStrvBuilder) groups = g_strv_builder_new();
    g_auto(GStrv) list = NULL;
    size_t i;
    json_t *group;

    if (g_str_has_prefix(request->kind->plural, "self"))
        return identity_new(request->user->name, NULL, (const char *const *)request->user->groups);
    json_array_foreach (json_at(body, "spec.groups"), i, group)
        if (json_is_string(group))
            g_strv_builder_add(groups, json_string_value(group));
    list = g_strv_builder_end(groups);
    return identity_new(json_string_at(body, "spec.user", ""), NULL, (const char *const *)list);
}

static gboolean check_review(Request *request, const json_t *body)
{
    gboolean resource = json_at(body, "spec.resourceAttributes") != NULL;
    gboolean path = json_at(body, "spec.nonResourceAttributes") != NULL;
    GPtrArray *causes = request->causes;

    if (resource == path)
        schema_cause_add(
            causes, "FieldValueInvalid", path ? "spec.nonResourceAttributes" : "spec.resourceAttributes",
            path ? "Invalid value: \"\": cannot be specified in combination with resourceAttributes"
                 : "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes "
                   "must be specified");
    if (!g_str_has_prefix(request->kind->plural, "self") && !*json_string_at(body, "spec.user", "") &&
        !json_array_size(json_at(body, "spec.groups")))
        schema_cause_add(causes, "FieldValueInvalid", "spec.user",
                         "Invalid value: \"\": at least one of user or group must be specified");
    return causes->len == 0;
}

static json_t *review_access(Request *request, const json_t *body)
{
    const json_t *of = json_at(body, "spec.resourceAttributes");
    const char *sub = json_string_at(of, "subresource", ""), *resource = json_string_at(of, "resource", "");
    g_autofree char *full = *sub ? g_strconcat(resource, "/", sub, NULL) : g_strdup(resource);
    g_autoptr(Identity) user = NULL;
    RbacAsk ask = {.verb = json_string_at(of, "verb", ""),
                   .group = json_string_at(of, "group", ""),
                   .resource = full,
                   .ns = json_string_at(of, "namespace", ""),
                   .name = json_string_at(of, "name", "")};

    if (!check_review(request, body))
        return NULL;
    if (!of) {
        ask.path = json_string_at(body, "spec.nonResourceAttributes.path", "");
        ask.verb = json_string_at(body, "spec.nonResourceAttributes.verb", "");
    }
    user = reviewed_user(request, body);
    return json_pack("{s:b}", "allowed", rbac_allows(request->server->rbac, user, &ask));
}

/* A rule without the members that say nothing. */
static json_t *rule_part(const json_t *rule, const char *const *members)
{
    json_t *part = json_object();

    for (; *members; members++)
        if (json_array_size(json_object_get(rule, *members)))
            json_object_set(part, *members, json_object_get(rule, *members));
    return part;
}

static json_t *review_rules(Request *request, const json_t *body)
{
    static const char *const of_resource[] = {"verbs", "apiGroups", "resources", "resourceNames", NULL};
    static const char *const of_path[] = {"verbs", "nonResourceURLs", NULL};
    const char *ns = json_string_at(body, "spec.namespace", "");
    g_autoptr(json_t) rules = rbac_rules(request->server->rbac, request->user, ns);
    json_t *resources = json_array(), *paths = json_array(), *rule;
    size_t i;

    json_array_foreach (rules, i, rule) {
        if (json_array_size(json_object_get(rule, "resources")))
            json_array_append_new(resources, rule_part(rule, of_resource));
        if (json_array_size(json_object_get(rule, "nonResourceURLs")))
            json_array_append_new(paths, rule_part(rule, of_path));
    }
    return json_pack("{s:b, s:o, s:o}", "incomplete", 0, "resourceRules", resources, "nonResourceRules",
                     paths);
}

static json_t *review_self(Request *request, const json_t *body)
{
    return json_pack("{s:o}", "userInfo", user_json(request->user));
}

void serve_review(Request *request)
{
    static const struct {
        const char *plural;
        json_t *(*review)(Request *request, const json_t *body);
    } reviews[] = {{"tokenreviews", review_token},
                   {"subjectaccessreviews", review_access},
                   {"selfsubjectaccessreviews", review_access},
                   {"localsubjectaccessreviews", review_access},
                   {"selfsubjectrulesreviews", review_rules},
                   {"selfsubjectreviews", review_self}};
    g_autoptr(GError) error = NULL;
    json_t *body = request_body(request, &error);

    if (!body) {
        answer_error(request, error);
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(reviews); i++)
        if (!strcmp(reviews[i].plural, request->kind->plural)) {
            g_autofree char *version = kind_api_version(request->kind);
            json_t *status = reviews[i].review(request, body);
            if (!status) {
                g_set_error_literal(&error, GANTRY_ERROR, ERROR_KUBE_INVALID, "invalid");
                json_decref(body);
                answer_error(request, error);
                return;
            }
            json_object_set_new(body, "status", status);
            json_object_set_new(body, "kind", json_string(request->kind->kind));
            json_object_set_new(body, "apiVersion", json_string(version));
            break;
        }
    json_object_del(json_object_get(body, "spec"), "token"); /* the token is not given back */
    answer_json(request, 201, body);
}
