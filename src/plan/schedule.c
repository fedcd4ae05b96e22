/* schedule: resources with a load, and per host a line of waiting VMs for each plan. */
#include "plan/schedule.h"
#include <string.h>

typedef struct {
    ScheduleKind kind;
    char *label; /* as users know it */
    guint load;
    gboolean blocked; /* in this round somebody waits for it: nobody overtakes */
} Resource;

typedef struct {
    Resource *resource;
    guint amount;
    char *disk; /* gone with this disk; NULL: with the VM */
} Need;

typedef struct Host Host;

/* One plan's VMs on one host. */
typedef struct {
    char *plan;
    guint serial;       /* of lines: the older goes first when all else is equal */
    guint load;         /* what its VMs hold of the host */
    guint vms;          /* in it, whether they wait, hold or have given back all that they held */
    GPtrArray *waiting; /* of Entry, borrowed; largest first */
} Line;

struct Host {
    char *name; /* as schedule_host() gives it */
    Resource *resource, *nfc;
    GPtrArray *lines; /* of Line */
    gboolean moved;   /* places have to be counted again */
};

typedef struct {
    char *plan, *vm;
    Host *host;
    Line *line;
    guint64 size;
    guint serial;
    GArray *needs; /* of Need */
    gboolean holds;
    gint64 given_us;
    guint place;
} Entry;

static GMutex lock;
static GHashTable *entries;   /* "plan/vm" → Entry */
static GHashTable *resources; /* text → Resource; they stay */
static GPtrArray *hosts;      /* of Host; they stay */
static GHashTable *host_of;   /* Resource → Host */
static guint limits[SCHEDULE_KINDS] = {20, 10};
static gboolean changed; /* something may be granted */
static guint serials;
static void (*tell)(const char *plan, gpointer user_data);
static gpointer tell_data;

static const struct {
    const char *what, *setting, *unit;
} kinds[SCHEDULE_KINDS] = {
    [SCHEDULE_HOST] = {"host", "controller_max_vm_inflight", "disks"},
    [SCHEDULE_NFC] = {"host", "controller_max_nfc_connections", "NFC connections"},
    [SCHEDULE_DATASTORE] = {"datastore", "controller_max_disks_per_datastore", "disks"},
    [SCHEDULE_STORAGE_CLASS] = {"storage class", "controller_max_disks_per_storage_class", "disks"},
    [SCHEDULE_NAMESPACE] = {"namespace", "controller_max_vms_per_namespace", "VMs"},
};

/* ---- making; all with the lock held ---- */

static void need_clear(gpointer data)
{
    g_free(((Need *)data)->disk);
}

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->plan);
    g_free(entry->vm);
    g_array_unref(entry->needs);
    g_free(entry);
}

static void begin(void)
{
    if (entries)
        return;
    entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    resources = g_hash_table_new(g_str_hash, g_str_equal);
    hosts = g_ptr_array_new();
    host_of = g_hash_table_new(NULL, NULL);
}

static Entry *find(const char *plan, const char *vm)
{
    g_autofree char *key = g_strdup_printf("%s/%s", plan, vm);
    begin();
    return g_hash_table_lookup(entries, key);
}

static Resource *resource_at(ScheduleKind kind, const char *provider, const char *name, const char *label)
{
    g_autofree char *key = g_strdup_printf("%d/%s/%s", kind, provider, name);
    Resource *resource;

    begin();
    resource = g_hash_table_lookup(resources, key);
    if (!resource) {
        resource = g_new0(Resource, 1);
        resource->kind = kind;
        resource->label = g_strdup(label);
        g_hash_table_insert(resources, g_steal_pointer(&key), resource);
    }
    return resource;
}

static Host *host_at(const Demand *demand, Resource *resource, Resource *nfc)
{
    Host *host = g_hash_table_lookup(host_of, resource);

    if (!host) {
        host = g_new0(Host, 1);
        host->name = g_strdup_printf("%s/%s", demand->provider, demand->host);
        host->resource = resource;
        host->nfc = nfc;
        host->lines = g_ptr_array_new();
        g_hash_table_insert(host_of, resource, host);
        g_ptr_array_add(hosts, host);
    }
    return host;
}

static Line *line_at(Host *host, const char *plan)
{
    Line *line;

    for (guint i = 0; i < host->lines->len; i++) {
        line = host->lines->pdata[i];
        if (!strcmp(line->plan, plan))
            return line;
    }
    line = g_new0(Line, 1);
    line->plan = g_strdup(plan);
    line->serial = ++serials;
    line->waiting = g_ptr_array_new();
    g_ptr_array_add(host->lines, line);
    return line;
}

static void join_line(Entry *entry)
{
    entry->line = line_at(entry->host, entry->plan);
    entry->line->vms++;
}

static void leave_line(const Entry *entry)
{
    Host *host = entry->host;
    Line *line = entry->line;

    if (--line->vms)
        return;
    g_ptr_array_remove(host->lines, line);
    g_ptr_array_unref(line->waiting);
    g_free(line->plan);
    g_free(line);
}

static void need(Entry *entry, Resource *resource, const char *disk)
{
    Need one = {.resource = resource, .amount = 1, .disk = g_strdup(disk)};
    g_array_append_val(entry->needs, one);
}

static guint amount_of(const Entry *entry, const Resource *resource)
{
    guint amount = 0;

    for (guint i = 0; i < entry->needs->len; i++) {
        const Need *one = &g_array_index(entry->needs, Need, i);
        amount += one->resource == resource ? one->amount : 0;
    }
    return amount;
}

static void need_disk(Entry *entry, const Demand *demand, const ScheduleDisk *disk)
{
    if (!demand->whole)
        need(entry, entry->host->resource, disk->name);
    if (disk->nfc &&
        amount_of(entry, entry->host->nfc) < limits[SCHEDULE_NFC]) /* more of them connect later */
        need(entry, entry->host->nfc, disk->name);
    if (*disk->datastore)
        need(entry, resource_at(SCHEDULE_DATASTORE, demand->provider, disk->datastore, disk->datastore),
             disk->name);
    if (*disk->storage_class)
        need(entry, resource_at(SCHEDULE_STORAGE_CLASS, "", disk->storage_class, disk->storage_class),
             disk->name);
}

static Host *host_for(const Demand *demand)
{
    const char *label = *demand->host_name ? demand->host_name : "of this provider";

    return host_at(demand, resource_at(SCHEDULE_HOST, demand->provider, demand->host, label),
                   resource_at(SCHEDULE_NFC, demand->provider, demand->host, label));
}

static Entry *entry_new(const Demand *demand)
{
    Entry *entry = g_new0(Entry, 1);

    entry->plan = g_strdup(demand->plan);
    entry->vm = g_strdup(demand->vm);
    entry->size = demand->size;
    entry->serial = ++serials;
    entry->given_us = g_get_monotonic_time();
    entry->host = host_for(demand);
    entry->needs = g_array_new(FALSE, FALSE, sizeof(Need));
    g_array_set_clear_func(entry->needs, need_clear);
    for (guint i = 0; i < demand->disk_count; i++)
        need_disk(entry, demand, &demand->disks[i]);
    if (demand->whole || !demand->disk_count)
        need(entry, entry->host->resource, NULL);
    if (*demand->ns)
        need(entry, resource_at(SCHEDULE_NAMESPACE, "", demand->ns, demand->ns), NULL);
    g_hash_table_insert(entries, g_strdup_printf("%s/%s", demand->plan, demand->vm), entry);
    return entry;
}

/* ---- loads ---- */

static gboolean fits(const Resource *resource, guint amount)
{
    guint limit = limits[resource->kind];
    return !limit || !resource->load || resource->load + amount <= limit;
}

/* What entry waits for, or NULL. blocked: also what others wait for. */
static Resource *lacking(const Entry *entry, gboolean blocked)
{
    for (guint i = 0; i < entry->needs->len; i++) {
        Resource *resource = g_array_index(entry->needs, Need, i).resource;
        if ((blocked && resource->blocked) || !fits(resource, amount_of(entry, resource)))
            return resource;
    }
    return NULL;
}

static void add_load(Entry *entry, const Need *one, gint sign)
{
    one->resource->load += sign * one->amount;
    if (one->resource == entry->host->resource)
        entry->line->load += sign * one->amount;
}

static void take_share(Entry *entry)
{
    entry->holds = TRUE;
    entry->place = 0;
    for (guint i = 0; i < entry->needs->len; i++)
        add_load(entry, &g_array_index(entry->needs, Need, i), 1);
}

static gint largest_first(const Entry *left, const Entry *right)
{
    if (left->size != right->size)
        return left->size > right->size ? -1 : 1;
    return left->serial < right->serial ? -1 : 1;
}

static void drop(Entry *entry)
{
    g_autofree char *key = g_strdup_printf("%s/%s", entry->plan, entry->vm);

    if (entry->holds)
        for (guint i = 0; i < entry->needs->len; i++)
            add_load(entry, &g_array_index(entry->needs, Need, i), -1);
    else
        g_ptr_array_remove(entry->line->waiting, entry);
    entry->host->moved = changed = TRUE;
    leave_line(entry);
    g_hash_table_remove(entries, key);
}

/* ---- granting ---- */

static gint least_load_first(gconstpointer a, gconstpointer b)
{
    const Line *left = *(Line *const *)a, *right = *(Line *const *)b;

    if (left->load != right->load)
        return left->load < right->load ? -1 : 1;
    return left->serial < right->serial ? -1 : 1;
}

/* The VM of the host that begins next; NULL when none can. What it passes over blocks what it waits for. */
static Entry *next_of(Host *host)
{
    g_ptr_array_sort(host->lines, least_load_first);
    for (guint i = 0; i < host->lines->len; i++) {
        Line *line = host->lines->pdata[i];
        for (guint j = 0; j < line->waiting->len; j++) {
            Entry *entry = line->waiting->pdata[j];
            Resource *resource = lacking(entry, TRUE);
            if (!resource)
                return entry;
            resource->blocked = TRUE;
            if (resource == host->resource)
                return NULL;
        }
    }
    return NULL;
}

static gboolean grant_one(Host *host, GHashTable *plans)
{
    Entry *entry = host->resource->blocked ? NULL : next_of(host);

    if (!entry)
        return FALSE;
    g_ptr_array_remove(entry->line->waiting, entry);
    take_share(entry);
    host->moved = TRUE;
    g_hash_table_add(plans, g_strdup(entry->plan));
    return TRUE;
}

static void unblock_all(void)
{
    GHashTableIter iter;
    gpointer resource;

    g_hash_table_iter_init(&iter, resources);
    while (g_hash_table_iter_next(&iter, NULL, &resource))
        ((Resource *)resource)->blocked = FALSE;
}

/* Hosts take turns until none can begin another VM. */
static void grant_all(GHashTable *plans)
{
    gboolean any = TRUE;

    unblock_all();
    while (any) {
        any = FALSE;
        for (guint i = 0; i < hosts->len; i++)
            any = grant_one(hosts->pdata[i], plans) || any;
    }
    changed = FALSE;
}

void schedule_dispatch(void)
{
    g_autoptr(GHashTable) plans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    void (*told)(const char *, gpointer);
    gpointer plan, data;
    GHashTableIter iter;

    g_mutex_lock(&lock);
    begin();
    if (changed)
        grant_all(plans);
    told = tell;
    data = tell_data;
    g_mutex_unlock(&lock);
    g_hash_table_iter_init(&iter, plans);
    while (told && g_hash_table_iter_next(&iter, &plan, NULL))
        told(plan, data);
}

/* ---- places ---- */

/* The order in which the host's VMs will begin when nothing else holds them up. */
static void count_places(Host *host)
{
    g_autofree guint *loads = g_new(guint, host->lines->len + 1), *at = g_new0(guint, host->lines->len + 1);
    guint place = 0;

    for (guint i = 0; i < host->lines->len; i++)
        loads[i] = ((Line *)host->lines->pdata[i])->load;
    for (;;) {
        gint best = -1;
        Entry *entry;
        for (guint i = 0; i < host->lines->len; i++)
            if (at[i] < ((Line *)host->lines->pdata[i])->waiting->len &&
                (best < 0 || loads[i] < loads[best] ||
                 (loads[i] == loads[best] &&
                  ((Line *)host->lines->pdata[i])->serial < ((Line *)host->lines->pdata[best])->serial)))
                best = i;
        if (best < 0)
            break;
        entry = ((Line *)host->lines->pdata[best])->waiting->pdata[at[best]++];
        loads[best] += amount_of(entry, host->resource);
        entry->place = ++place;
    }
    host->moved = FALSE;
}

static char *reason_of(const Entry *entry)
{
    const Resource *resource = lacking(entry, FALSE);

    if (!resource) {
        resource = lacking(entry, TRUE);
        return resource ? g_strdup_printf("Others wait for %s %s before it", kinds[resource->kind].what,
                                          resource->label)
                        : g_strdup("It begins now");
    }
    return g_strdup_printf(
        "%c%s %s carries %u of %u %s (%s); this VM needs %u", g_ascii_toupper(*kinds[resource->kind].what),
        kinds[resource->kind].what + 1, resource->label, resource->load, limits[resource->kind],
        kinds[resource->kind].unit, kinds[resource->kind].setting, amount_of(entry, resource));
}

guint schedule_place(const char *plan, const char *vm, char **why)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Entry *entry = find(plan, vm);

    *why = NULL;
    if (!entry || entry->holds)
        return 0;
    if (entry->host->moved)
        count_places(entry->host);
    *why = reason_of(entry);
    return entry->place;
}

/* ---- the rest ---- */

void schedule_set_limits(const guint wanted[SCHEDULE_KINDS])
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    changed = changed || memcmp(limits, wanted, sizeof limits) != 0;
    memcpy(limits, wanted, sizeof limits);
}

void schedule_on_grant(void (*granted)(const char *plan, gpointer user_data), gpointer user_data)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    tell = granted;
    tell_data = user_data;
}

void schedule_want(const Demand *demand)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Entry *entry;
    guint at = 0;

    if (find(demand->plan, demand->vm))
        return;
    entry = entry_new(demand);
    join_line(entry);
    while (at < entry->line->waiting->len && largest_first(entry->line->waiting->pdata[at], entry) < 0)
        at++;
    g_ptr_array_insert(entry->line->waiting, at, entry);
    entry->host->moved = changed = TRUE;
}

void schedule_confirm(const Demand *demand)
{
    Entry *entry;
    gboolean same;

    g_mutex_lock(&lock);
    entry = find(demand->plan, demand->vm);
    same = entry && entry->host == host_for(demand);
    if (same)
        entry->given_us = g_get_monotonic_time();
    else if (entry)
        drop(entry);
    g_mutex_unlock(&lock);
    if (!same)
        schedule_want(demand);
}

void schedule_hold(const Demand *demand)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Entry *entry;

    if (find(demand->plan, demand->vm))
        return;
    entry = entry_new(demand);
    join_line(entry);
    take_share(entry);
    entry->host->moved = TRUE;
}

gboolean schedule_knows(const char *plan, const char *vm)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    return find(plan, vm) != NULL;
}

gboolean schedule_holds(const char *plan, const char *vm)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    const Entry *entry = find(plan, vm);
    return entry && entry->holds;
}

char *schedule_host(const char *plan, const char *vm)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    const Entry *entry = find(plan, vm);
    return entry ? g_strdup(entry->host->name) : NULL;
}

gint64 schedule_age_us(const char *plan, const char *vm)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    const Entry *entry = find(plan, vm);
    return entry ? g_get_monotonic_time() - entry->given_us : 0;
}

gboolean schedule_connect(const char *plan, const char *vm, const char *disk)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Entry *entry = find(plan, vm);
    Resource *nfc;

    if (!entry || !entry->holds)
        return TRUE;
    nfc = entry->host->nfc;
    for (guint i = 0; i < entry->needs->len; i++) {
        const Need *one = &g_array_index(entry->needs, Need, i);
        if (one->resource == nfc && !g_strcmp0(one->disk, disk))
            return TRUE;
    }
    if (limits[SCHEDULE_NFC] && nfc->load >= limits[SCHEDULE_NFC])
        return FALSE;
    need(entry, nfc, disk);
    nfc->load++;
    return TRUE;
}

void schedule_disk_done(const char *plan, const char *vm, const char *disk)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Entry *entry = find(plan, vm);

    for (guint i = entry && entry->holds ? entry->needs->len : 0; i-- > 0;) {
        const Need *one = &g_array_index(entry->needs, Need, i);
        if (g_strcmp0(one->disk, disk))
            continue;
        add_load(entry, one, -1);
        g_array_remove_index_fast(entry->needs, i);
        entry->host->moved = changed = TRUE;
    }
}

void schedule_release(const char *plan, const char *vm)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Entry *entry = find(plan, vm);

    if (entry)
        drop(entry);
}

void schedule_forget(const char *plan)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    g_autoptr(GPtrArray) mine = g_ptr_array_new();
    GHashTableIter iter;
    gpointer entry;

    begin();
    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        if (!strcmp(((Entry *)entry)->plan, plan))
            g_ptr_array_add(mine, entry);
    for (guint i = 0; i < mine->len; i++)
        drop(mine->pdata[i]);
}

guint schedule_load(ScheduleKind kind, const char *provider, const char *name)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    g_autofree char *key = g_strdup_printf("%d/%s/%s", kind, provider, name);
    const Resource *resource;

    begin();
    resource = g_hash_table_lookup(resources, key);
    return resource ? resource->load : 0;
}
