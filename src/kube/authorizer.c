/* authorizer: asks the cluster, and remembers a yes for a while. */
#include "kube/authorizer.h"
#include <string.h>

#define REMEMBER_US (10 * G_USEC_PER_SEC)
enum { MOST_REMEMBERED = 4096 };

struct Authorizer {
    KubeClient *client;
    gboolean required;
    GMutex lock;
    GHashTable *allowed; /* hash of token and access → until when, in microseconds */
};

Authorizer *authorizer_new(KubeClient *client, gboolean required)
{
    Authorizer *authorizer = g_new0(Authorizer, 1);

    authorizer->client = kube_client_ref(client);
    authorizer->required = required;
    g_mutex_init(&authorizer->lock);
    authorizer->allowed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return authorizer;
}

void authorizer_free(Authorizer *authorizer)
{
    kube_client_unref(authorizer->client);
    g_hash_table_unref(authorizer->allowed);
    g_mutex_clear(&authorizer->lock);
    g_free(authorizer);
}

/* ---- what is remembered -------------------------------------------------------------------------------- */

/* Tokens are kept as hashes only. */
static char *memory_key(const char *token, const Access *access)
{
    g_autofree char *text = g_strjoin("\n", token, access->verb, access->group, access->resource,
                                      access->ns ? access->ns : "", access->name ? access->name : "", NULL);
    char *key = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    explicit_bzero(text, strlen(text));
    return key;
}

static gboolean is_remembered(Authorizer *authorizer, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&authorizer->lock);
    const gint64 *until = g_hash_table_lookup(authorizer->allowed, key);
    return until && g_get_monotonic_time() < *until;
}

static void remember(Authorizer *authorizer, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&authorizer->lock);
    gint64 until = g_get_monotonic_time() + REMEMBER_US;

    if (g_hash_table_size(authorizer->allowed) >= MOST_REMEMBERED)
        g_hash_table_remove_all(authorizer->allowed);
    g_hash_table_replace(authorizer->allowed, g_strdup(key), g_memdup2(&until, sizeof until));
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static const char *token_of(const char *header, char **reason)
{
    static const char scheme[] = "Bearer ";
    const char *token = header && g_str_has_prefix(header, scheme) ? header + strlen(scheme) : NULL;

    if (token && *token && !strchr(token, ' '))
        return token;
    *reason = g_strdup("a header 'Authorization: Bearer TOKEN' is needed");
    return NULL;
}

static guint failed_review(GError *error, char **reason)
{
    *reason = g_strdup_printf("the cluster cannot be asked: %s", error->message);
    return 500;
}

/* status.user of the review in *user, a new reference. */
static guint review_token(Authorizer *authorizer, const char *token, json_t **user, char **reason,
                          GCancellable *cancel)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "authentication.k8s.io/v1",
                                       "kind", "TokenReview", "spec", "token", token);
    g_autoptr(json_t) review = kube_post_path(
        authorizer->client, "/apis/authentication.k8s.io/v1/tokenreviews", body, cancel, &error);

    if (!review)
        return failed_review(error, reason);
    if (!json_bool_at(review, "status.authenticated", FALSE)) {
        const char *why = json_string_at(review, "status.error", "");
        *reason = g_strdup_printf("the token is not valid%s%s", *why ? ": " : "", why);
        return 401;
    }
    *user = json_incref(json_at(review, "status.user"));
    return 0;
}

static json_t *access_review(const json_t *user, const Access *access)
{
    json_t *spec = json_pack("{s:{s:s, s:s, s:s, s:s*, s:s*}, s:s}", "resourceAttributes", "group",
                             access->group, "resource", access->resource, "verb", access->verb, "namespace",
                             access->ns, "name", access->name, "user", json_string_at(user, "username", ""));
    json_t *groups = json_at(user, "groups"), *extra = json_at(user, "extra"), *uid = json_at(user, "uid");

    if (groups)
        json_object_set(spec, "groups", groups);
    if (extra)
        json_object_set(spec, "extra", extra);
    if (uid)
        json_object_set(spec, "uid", uid);
    return json_pack("{s:s, s:s, s:o}", "apiVersion", "authorization.k8s.io/v1", "kind",
                     "SubjectAccessReview", "spec", spec);
}

static guint review_access(Authorizer *authorizer, const json_t *user, const Access *access, char **reason,
                           GCancellable *cancel)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = access_review(user, access);
    g_autoptr(json_t) review = kube_post_path(
        authorizer->client, "/apis/authorization.k8s.io/v1/subjectaccessreviews", body, cancel, &error);
    const char *why;

    if (!review)
        return failed_review(error, reason);
    if (json_bool_at(review, "status.allowed", FALSE))
        return 0;
    why = json_string_at(review, "status.reason", "");
    *reason =
        g_strdup_printf("user '%s' may not %s %s%s%s%s%s%s", json_string_at(user, "username", ""),
                        access->verb, access->resource, access->name ? " '" : "",
                        access->name ? access->name : "", access->name ? "'" : "", *why ? ": " : "", why);
    return 403;
}

guint authorizer_check_token(Authorizer *authorizer, const char *header, char **reason, GCancellable *cancel)
{
    g_autoptr(json_t) user = NULL;
    const char *token;

    if (!authorizer->required)
        return 0;
    token = token_of(header, reason);
    return token ? review_token(authorizer, token, &user, reason, cancel) : 401;
}

guint authorizer_check(Authorizer *authorizer, const char *header, const Access *access, char **reason,
                       GCancellable *cancel)
{
    g_autoptr(json_t) user = NULL;
    g_autofree char *key = NULL;
    const char *token;
    guint status;

    if (!authorizer->required)
        return 0;
    token = token_of(header, reason);
    if (!token)
        return 401;
    key = memory_key(token, access);
    if (is_remembered(authorizer, key))
        return 0;
    status = review_token(authorizer, token, &user, reason, cancel);
    if (!status)
        status = review_access(authorizer, user, access, reason, cancel);
    if (!status)
        remember(authorizer, key);
    return status;
}
