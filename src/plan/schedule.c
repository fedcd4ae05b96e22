/* schedule: one table of shares. */
#include "plan/schedule.h"

typedef struct {
    char *host; /* "<provider uid>/<host id>" */
    guint cost;
} Share;

static GMutex lock;
static GHashTable *shares; /* key → Share */

static void share_free(gpointer data)
{
    Share *share = data;
    g_free(share->host);
    g_free(share);
}

static void begin(void)
{
    if (!shares)
        shares = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, share_free);
}

static guint load_of(const char *host)
{
    GHashTableIter iter;
    gpointer share;
    guint load = 0;

    g_hash_table_iter_init(&iter, shares);
    while (g_hash_table_iter_next(&iter, NULL, &share))
        if (g_str_equal(((Share *)share)->host, host))
            load += ((Share *)share)->cost;
    return load;
}

static void put(const char *host, const char *key, guint cost)
{
    Share *share = g_new(Share, 1);

    *share = (Share){.host = g_strdup(host), .cost = cost};
    g_hash_table_insert(shares, g_strdup(key), share);
}

gboolean schedule_take(const char *provider_uid, const char *host, const char *key, guint cost, guint limit,
                       char **why)
{
    g_autofree char *at = g_strdup_printf("%s/%s", provider_uid, host);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    guint load;

    begin();
    if (g_hash_table_contains(shares, key))
        return TRUE;
    load = load_of(at);
    if (load && load + cost > limit) {
        *why = g_strdup_printf("Host %s carries %u of %u (controller_max_vm_inflight); this VM needs %u",
                               host, load, limit, cost);
        return FALSE;
    }
    put(at, key, cost);
    return TRUE;
}

void schedule_hold(const char *provider_uid, const char *host, const char *key, guint cost)
{
    g_autofree char *at = g_strdup_printf("%s/%s", provider_uid, host);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    begin();
    if (!g_hash_table_contains(shares, key))
        put(at, key, cost);
}

void schedule_release(const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    begin();
    g_hash_table_remove(shares, key);
}

guint schedule_load(const char *provider_uid, const char *host)
{
    g_autofree char *at = g_strdup_printf("%s/%s", provider_uid, host);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    begin();
    return load_of(at);
}
