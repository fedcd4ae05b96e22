/* session: a table of random names, and for each the token, its HTTP clients and its feed. */
#include "console/session.h"
#include "base/control.h"
#include "net/random_secret.h"
#include <string.h>

enum {
    TIMEOUT_S = 30,
    MOST_SESSIONS = 1000,
};

#define IDLE_US (G_GINT64_CONSTANT(8) * 3600 * G_USEC_PER_SEC)
#define LIFE_US (G_GINT64_CONSTANT(24) * 3600 * G_USEC_PER_SEC)

struct Session {
    gint refs;
    char *key; /* SHA-256 of the cookie's value */
    char *user, *bearer;
    HttpClient *api, *inventory;
    KubeClient *kube;
    Feed *feed;
    gint64 created, used; /* used: under the table's lock */
    gint refused;         /* atomic: the API server does not know the token any more */
};

struct SessionTable {
    SessionPeers peers;
    GMutex lock;
    GHashTable *sessions; /* key → Session */
};

void session_unref(Session *session)
{
    if (!g_atomic_int_dec_and_test(&session->refs))
        return;
    g_clear_pointer(&session->feed, feed_free);
    g_clear_pointer(&session->kube, kube_client_unref);
    g_clear_pointer(&session->api, http_client_free);
    g_clear_pointer(&session->inventory, http_client_free);
    if (session->bearer)
        explicit_bzero(session->bearer, strlen(session->bearer));
    g_free(session->bearer);
    g_free(session->user);
    g_free(session->key);
    g_free(session);
}

static Session *session_ref(Session *session)
{
    g_atomic_int_inc(&session->refs);
    return session;
}

static void refused(gpointer data)
{
    g_atomic_int_set(&((Session *)data)->refused, TRUE);
}

static char *key_of(const char *secret)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, secret, -1);
}

static gboolean over(const Session *session, gint64 now)
{
    return g_atomic_int_get(&session->refused) || now - session->used > IDLE_US ||
           now - session->created > LIFE_US;
}

/* Takes those that are over out of the table; they are freed after the lock is given back, as feeds are
 * waited for. */
static GPtrArray *take_over(SessionTable *table, gint64 now)
{
    GPtrArray *taken = g_ptr_array_new_with_free_func((GDestroyNotify)session_unref);
    GHashTableIter iter;
    gpointer session;

    g_hash_table_iter_init(&iter, table->sessions);
    while (g_hash_table_iter_next(&iter, NULL, &session))
        if (over(session, now)) {
            g_hash_table_iter_steal(&iter);
            g_ptr_array_add(taken, session);
        }
    return taken;
}

/* For `gantry debug sessions`: who is signed in, and for how long they have asked for nothing. */
static void report(GString *answer, gpointer user_data)
{
    SessionTable *table = user_data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&table->lock);
    gint64 now = g_get_monotonic_time();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, table->sessions);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Session *session = value;
        g_string_append_printf(answer, "%s is signed in, idle for %" G_GINT64_FORMAT " s\n",
                               *session->user ? session->user : "somebody",
                               (now - session->used) / G_USEC_PER_SEC);
    }
}

SessionTable *session_table_new(const SessionPeers *peers)
{
    SessionTable *table = g_new0(SessionTable, 1);

    table->peers = *peers;
    table->sessions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)session_unref);
    g_mutex_init(&table->lock);
    control_add("sessions", report, table);
    return table;
}

void session_table_free(SessionTable *table)
{
    control_remove(report, table);
    g_hash_table_unref(table->sessions);
    g_mutex_clear(&table->lock);
    g_free(table);
}

static gboolean connect_peers(Session *session, const SessionPeers *peers, const char *token, GError **error)
{
    HttpTrust api = {.ca_pem = peers->api_ca_pem}, inventory = {.ca_pem = peers->inventory_ca_pem};

    session->api = http_client_new(&api, TIMEOUT_S, error);
    session->inventory = session->api ? http_client_new(&inventory, TIMEOUT_S, error) : NULL;
    session->kube =
        session->inventory
            ? kube_client_new_token(peers->api, &(HttpTrust){.ca_pem = peers->api_ca_pem}, token, error)
            : NULL;
    return session->kube != NULL;
}

Session *session_create(SessionTable *table, const char *token, const char *user, char **secret,
                        GError **error)
{
    g_autoptr(Session) session = g_new0(Session, 1);
    g_autoptr(GPtrArray) ended = NULL;
    g_autofree char *name = random_secret();
    gboolean full;

    session->refs = 1;
    session->key = key_of(name);
    session->user = g_strdup(user);
    session->bearer = g_strconcat("Bearer ", token, NULL);
    session->created = session->used = g_get_monotonic_time();
    if (!connect_peers(session, &table->peers, token, error))
        return NULL;
    session->feed = feed_new(session->kube, table->peers.ns, refused, session);

    g_mutex_lock(&table->lock);
    ended = take_over(table, session->created);
    full = g_hash_table_size(table->sessions) >= MOST_SESSIONS;
    if (!full)
        g_hash_table_insert(table->sessions, session->key, session_ref(session));
    g_mutex_unlock(&table->lock);
    if (full) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%d people are signed in: wait until one signs out",
                    MOST_SESSIONS);
        return NULL;
    }
    *secret = g_steal_pointer(&name);
    return g_steal_pointer(&session);
}

Session *session_find(SessionTable *table, const char *secret)
{
    g_autofree char *key = key_of(secret);
    g_autoptr(GPtrArray) ended = NULL;
    gint64 now = g_get_monotonic_time();
    Session *session;

    g_mutex_lock(&table->lock);
    ended = take_over(table, now);
    session = g_hash_table_lookup(table->sessions, key);
    if (session) {
        session->used = now;
        session_ref(session);
    }
    g_mutex_unlock(&table->lock);
    return session;
}

void session_end(SessionTable *table, Session *session)
{
    gpointer taken = NULL;

    g_mutex_lock(&table->lock);
    g_hash_table_steal_extended(table->sessions, session->key, NULL, &taken);
    g_mutex_unlock(&table->lock);
    if (taken)
        session_unref(taken);
}

const char *session_user(const Session *session)
{
    return session->user;
}

const char *session_bearer(const Session *session)
{
    return session->bearer;
}

HttpClient *session_api(const Session *session)
{
    return session->api;
}

HttpClient *session_inventory(const Session *session)
{
    return session->inventory;
}

Feed *session_feed(const Session *session)
{
    return session->feed;
}
