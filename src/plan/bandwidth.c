/* bandwidth: fills all shares evenly until a limit is reached, settles those that it binds, and goes on. */
#include "plan/bandwidth.h"
#include "kube/quantity.h"

#define QUIET_US (30 * G_USEC_PER_SEC) /* a copy is looked at every ten seconds where there are thousands */
#define STALE_US G_USEC_PER_SEC /* shares are counted anew when the last count is so old */

/* Copies that share a limit. */
typedef struct {
    const char *whose;
    guint64 left; /* bytes per second that nobody has yet */
    GPtrArray *copies;
    guint open; /* of them without a share */
} Group;

enum { GROUPS = 3 }; /* all, a plan, a host */

typedef struct {
    char *plan, *host; /* host may be NULL */
    guint64 plan_limit;
    gint64 seen;
    guint64 share; /* 0: none yet */
    const char *whose;
    Group *groups[GROUPS]; /* while shares are counted */
    guint group_count;
} Copy;

typedef struct {
    char *host;
    guint64 limit;
} HostLimit;

static GMutex lock;
static GHashTable *copies; /* "plan/vm/disk" → Copy */
static GHashTable *hosts;  /* the Host's key → HostLimit */
static guint64 all_limit, each_host_limit;
static gint64 counted_at; /* 0: something has changed since */

static void copy_free(gpointer data)
{
    Copy *copy = data;
    g_free(copy->plan);
    g_free(copy->host);
    g_free(copy);
}

static void host_limit_free(gpointer data)
{
    g_free(((HostLimit *)data)->host);
    g_free(data);
}

static void group_free(gpointer data)
{
    g_ptr_array_unref(((Group *)data)->copies);
    g_free(data);
}

static void begin(void)
{
    if (copies)
        return;
    copies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, copy_free);
    hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, host_limit_free);
}

static char *key_of(const BandwidthCopy *copy)
{
    return g_strdup_printf("%s/%s/%s", copy->plan, copy->vm, copy->disk);
}

/* ---- limits ---- */

gboolean bandwidth_read(const Object *object, guint64 *limit, GError **error)
{
    const char *text = object_annotation(object, BANDWIDTH_ANNOTATION, "");

    *limit = 0;
    if (!*text || quantity_parse(text, limit, error))
        return TRUE;
    g_prefix_error(error,
                   "annotation " BANDWIDTH_ANNOTATION " (bytes per second, as \"50M\" or \"100Mi\"): ");
    return FALSE;
}

void bandwidth_set_limits(guint64 all, guint64 each_host)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    all_limit = all;
    each_host_limit = each_host;
    counted_at = 0;
}

void bandwidth_set_host(const char *key, const char *host, guint64 limit)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    HostLimit *one;

    begin();
    counted_at = 0;
    if (!limit) {
        g_hash_table_remove(hosts, key);
        return;
    }
    one = g_new(HostLimit, 1);
    *one = (HostLimit){g_strdup(host), limit};
    g_hash_table_replace(hosts, g_strdup(key), one);
}

static guint64 limit_of_host(const char *host)
{
    GHashTableIter iter;
    gpointer one;

    g_hash_table_iter_init(&iter, hosts);
    while (g_hash_table_iter_next(&iter, NULL, &one))
        if (!g_strcmp0(((HostLimit *)one)->host, host))
            return ((HostLimit *)one)->limit;
    return each_host_limit;
}

/* ---- shares; all with the lock held ---- */

static void join(GHashTable *groups, const char *kind, const char *name, guint64 limit, const char *whose,
                 Copy *copy)
{
    g_autofree char *key = g_strconcat(kind, name, NULL);
    Group *group = g_hash_table_lookup(groups, key);

    if (!limit)
        return;
    if (!group) {
        group = g_new0(Group, 1);
        group->whose = whose;
        group->left = limit;
        group->copies = g_ptr_array_new();
        g_hash_table_insert(groups, g_steal_pointer(&key), group);
    }
    g_ptr_array_add(group->copies, copy);
    group->open++;
    copy->groups[copy->group_count++] = group;
}

static GHashTable *group_copies(void)
{
    GHashTable *groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, group_free);
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, copies);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        Copy *copy = data;
        copy->share = 0;
        copy->whose = NULL;
        copy->group_count = 0;
        join(groups, "", "", all_limit, "controller_bandwidth_limit", copy);
        join(groups, "plan ", copy->plan, copy->plan_limit, "its plan", copy);
        if (copy->host)
            join(groups, "host ", copy->host, limit_of_host(copy->host), "its host", copy);
    }
    return groups;
}

/* The group whose limit is reached first when all open shares grow alike; NULL: there are none. */
static const Group *tightest(GHashTable *groups)
{
    const Group *tight = NULL;
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, groups);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const Group *group = data;
        if (group->open && (!tight || group->left / group->open < tight->left / tight->open))
            tight = group;
    }
    return tight;
}

static void settle(Copy *copy, guint64 share, const char *whose)
{
    copy->share = share;
    copy->whose = whose;
    for (guint i = 0; i < copy->group_count; i++) {
        copy->groups[i]->left -= MIN(share, copy->groups[i]->left);
        copy->groups[i]->open--;
    }
}

static gboolean is_quiet(gpointer key, gpointer copy, gpointer now)
{
    return *(gint64 *)now - ((Copy *)copy)->seen > QUIET_US;
}

static void count_shares(gint64 now)
{
    g_autoptr(GHashTable) groups = NULL;
    const Group *group;

    g_hash_table_foreach_remove(copies, is_quiet, &now);
    groups = group_copies();
    while ((group = tightest(groups))) {
        guint64 share = CLAMP(group->left / group->open, BANDWIDTH_LEAST, BANDWIDTH_MOST);
        for (guint i = 0; i < group->copies->len; i++) {
            Copy *copy = group->copies->pdata[i];
            if (!copy->share)
                settle(copy, share, group->whose);
        }
    }
    counted_at = now;
}

/* ---- copies ---- */

guint64 bandwidth_share(const BandwidthCopy *asked, gint64 now, const char **whose)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    g_autofree char *key = key_of(asked);
    Copy *copy;

    begin();
    copy = g_hash_table_lookup(copies, key);
    if (!copy) {
        copy = g_new0(Copy, 1);
        copy->plan = g_strdup(asked->plan);
        g_hash_table_insert(copies, g_steal_pointer(&key), copy);
        counted_at = 0;
    }
    if (copy->plan_limit != asked->plan_limit || g_strcmp0(copy->host, asked->host))
        counted_at = 0;
    copy->plan_limit = asked->plan_limit;
    g_free(copy->host);
    copy->host = g_strdup(asked->host);
    copy->seen = now;
    if (!counted_at || now - counted_at >= STALE_US)
        count_shares(now);
    *whose = copy->whose;
    return copy->share;
}

void bandwidth_end(const BandwidthCopy *ended)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    g_autofree char *key = key_of(ended);

    begin();
    if (g_hash_table_remove(copies, key))
        counted_at = 0;
}
