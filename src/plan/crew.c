/* crew: members with a due time, one thread that watches the clock, and a pool that moves them. */
#include "plan/crew.h"
#include "plan/vm_progress.h"
#include <string.h>

/* How long a VM that waits is left alone. */
enum { REST_US = G_USEC_PER_SEC, MOST_REST_US = 10 * G_USEC_PER_SEC, REST_PER_VM_US = 10000 };

typedef struct {
    char *plan_uid, *label; /* the VM's id as its children's label has it */
    PlanRun *run;
    json_t *status;     /* as its last move left it; not changed, but replaced */
    guint moves, taken; /* how often it has changed, and which of that was given out last */
    gboolean unwritten; /* the plan's status does not have it yet */
    gboolean held;      /* not moved before it is written */
    gboolean again;     /* then at once */
    gboolean busy;      /* in the pool's queue or on a thread */
    gboolean woken;     /* while busy: to be moved once more */
    gboolean asked;     /* somebody waits until it rests */
    gint64 due_us;      /* monotonic, while it rests */
} Member;

struct Crew {
    GMutex lock;
    GCond changed;
    GHashTable *members; /* "plan uid/vm id" → Member */
    GPtrArray *leaving;  /* of Member: forgotten while busy */
    GThreadPool *pool;
    GThread *clock;
    GCancellable *cancel;
    CrewNews news;
    gpointer user_data;
    char *session;
    guint busy;
    gboolean stopping;
};

static void member_free(gpointer data)
{
    Member *member = data;
    g_free(member->plan_uid);
    g_free(member->label);
    g_clear_pointer(&member->run, plan_run_unref);
    json_decref(member->status);
    g_free(member);
}

static Member *find(Crew *crew, const char *plan_uid, const char *vm_id)
{
    g_autofree char *key = g_strdup_printf("%s/%s", plan_uid, vm_id);
    return g_hash_table_lookup(crew->members, key);
}

/* ---- moving ---- */

static void push(Crew *crew, Member *member)
{
    member->busy = TRUE;
    crew->busy++;
    g_thread_pool_push(crew->pool, member, NULL);
}

static gint64 rest_of(const Crew *crew)
{
    return CLAMP((gint64)g_hash_table_size(crew->members) * REST_PER_VM_US, REST_US, MOST_REST_US);
}

/* What has to be written before the VM goes on, and what clients wait for. */
static gboolean is_urgent(const json_t *before, const json_t *after)
{
    return strcmp(vm_status_phase(before), vm_status_phase(after)) || vm_status_completed(after) ||
           !json_object_get(before, "error") != !json_object_get(after, "error");
}

/* The VM has been moved: NULL after means that nothing has changed. TRUE: the plan is to be told. */
static gboolean rest(Crew *crew, Member *member, json_t *after, gboolean urgent, gboolean again)
{
    gboolean told = member->asked || after;

    crew->busy--;
    g_cond_broadcast(&crew->changed);
    if (g_ptr_array_remove_fast(crew->leaving, member)) {
        member_free(member);
        return FALSE;
    }
    member->busy = member->asked = FALSE;
    member->due_us = again || member->woken ? 0 : g_get_monotonic_time() + rest_of(crew);
    if (after) {
        json_decref(member->status);
        member->status = json_incref(after);
        member->moves++;
        member->unwritten = TRUE;
        member->held = urgent;
        member->again = urgent;
    }
    return told;
}

static void move(gpointer data, gpointer user_data)
{
    Crew *crew = user_data;
    Member *member = data;
    g_autoptr(json_t) before = NULL, after = NULL;
    g_autoptr(PlanRun) run = NULL;
    gboolean again = FALSE, urgent, told;

    g_mutex_lock(&crew->lock);
    member->woken = FALSE;
    before = json_incref(member->status);
    run = plan_run_ref(member->run);
    g_mutex_unlock(&crew->lock);

    after = json_deep_copy(before);
    if (!g_cancellable_is_cancelled(crew->cancel)) {
        g_autoptr(VmRun) vm = vm_run_new(run, after);
        again = vm_progress(vm, crew->cancel);
    }
    urgent = again || is_urgent(before, after);

    g_mutex_lock(&crew->lock);
    told = rest(crew, member, json_equal(before, after) ? NULL : after, urgent, again);
    g_mutex_unlock(&crew->lock);
    if (told && crew->news)
        crew->news(run->plan, urgent, crew->user_data);
}

/* ---- the clock ---- */

/* Pushes what is due; gives the time of the next, or -1. */
static gint64 push_due(Crew *crew)
{
    gint64 now = g_get_monotonic_time(), next = -1;
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, crew->members);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        Member *member = data;
        if (member->busy || member->held)
            continue;
        if (member->due_us <= now)
            push(crew, member);
        else if (next < 0 || member->due_us < next)
            next = member->due_us;
    }
    return next;
}

static gpointer watch_clock(gpointer data)
{
    Crew *crew = data;

    g_mutex_lock(&crew->lock);
    while (!crew->stopping) {
        gint64 next = push_due(crew);
        if (next < 0)
            g_cond_wait(&crew->changed, &crew->lock);
        else
            g_cond_wait_until(&crew->changed, &crew->lock, next);
    }
    g_mutex_unlock(&crew->lock);
    return NULL;
}

/* ---- for its users ---- */

Crew *crew_new(guint threads, CrewNews news, gpointer user_data)
{
    Crew *crew = g_new0(Crew, 1);

    g_mutex_init(&crew->lock);
    g_cond_init(&crew->changed);
    crew->members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    crew->leaving = g_ptr_array_new();
    crew->cancel = g_cancellable_new();
    crew->session = g_uuid_string_random();
    crew->news = news;
    crew->user_data = user_data;
    crew->pool = g_thread_pool_new(move, crew, threads, FALSE, NULL);
    crew->clock = g_thread_new("crew", watch_clock, crew);
    return crew;
}

void crew_free(Crew *crew)
{
    GHashTableIter iter;
    gpointer member;

    if (!crew)
        return;
    g_cancellable_cancel(crew->cancel);
    g_mutex_lock(&crew->lock);
    crew->stopping = TRUE;
    g_cond_broadcast(&crew->changed);
    g_mutex_unlock(&crew->lock);
    g_thread_join(crew->clock);
    g_thread_pool_free(crew->pool, FALSE, TRUE);
    g_hash_table_iter_init(&iter, crew->members);
    while (g_hash_table_iter_next(&iter, NULL, &member))
        member_free(member);
    g_hash_table_unref(crew->members);
    g_ptr_array_unref(crew->leaving);
    g_object_unref(crew->cancel);
    g_free(crew->session);
    g_mutex_clear(&crew->lock);
    g_cond_clear(&crew->changed);
    g_free(crew);
}

json_t *crew_outcome(Crew *crew, const char *plan_uid, const char *vm_id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crew->lock);
    Member *member = find(crew, plan_uid, vm_id);

    if (!member || !member->unwritten)
        return NULL;
    member->taken = member->moves;
    return json_deep_copy(member->status);
}

gboolean crew_hold(Crew *crew, const char *plan_uid, const char *vm_id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crew->lock);
    Member *member = find(crew, plan_uid, vm_id);

    if (!member)
        return TRUE;
    if (member->busy || (member->unwritten && member->taken != member->moves)) {
        member->asked = member->busy;
        return FALSE;
    }
    member->held = TRUE;
    return TRUE;
}

static Member *member_of(Crew *crew, const PlanRun *run, const json_t *status)
{
    const char *id = vm_status_id(status), *uid = object_uid(run->plan);
    Member *member = find(crew, uid, id);

    if (member)
        return member;
    member = g_new0(Member, 1);
    member->plan_uid = g_strdup(uid);
    member->label = target_label_value(id);
    g_hash_table_insert(crew->members, g_strdup_printf("%s/%s", uid, id), member);
    return member;
}

void crew_move(Crew *crew, PlanRun *run, const json_t *status)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crew->lock);
    Member *member = member_of(crew, run, status);

    g_clear_pointer(&member->run, plan_run_unref);
    member->run = plan_run_ref(run);
    if (member->busy || (member->unwritten && member->taken != member->moves))
        return; /* there is something newer already */
    if (!member->status || !json_equal(member->status, status)) {
        json_decref(member->status);
        member->status = json_deep_copy(status);
        member->due_us = 0;
    }
    if (member->again || member->woken)
        member->due_us = 0;
    member->unwritten = member->held = member->again = FALSE;
    g_cond_broadcast(&crew->changed);
}

void crew_wake(Crew *crew, const char *plan_uid, const char *vm_label)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crew->lock);
    GHashTableIter iter;
    Member *member = find(crew, plan_uid, vm_label);
    gpointer data;

    g_hash_table_iter_init(&iter, crew->members);
    while (!member && g_hash_table_iter_next(&iter, NULL, &data))
        if (!strcmp(((Member *)data)->plan_uid, plan_uid) && !strcmp(((Member *)data)->label, vm_label))
            member = data;
    if (!member)
        return;
    member->woken = TRUE;
    member->due_us = 0;
    g_cond_broadcast(&crew->changed);
}

static gboolean is_leaving(const Crew *crew, const char *plan_uid)
{
    for (guint i = 0; i < crew->leaving->len; i++)
        if (!strcmp(((Member *)crew->leaving->pdata[i])->plan_uid, plan_uid))
            return TRUE;
    return FALSE;
}

void crew_forget(Crew *crew, const char *plan_uid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crew->lock);
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, crew->members);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        Member *member = data;
        if (strcmp(member->plan_uid, plan_uid))
            continue;
        g_hash_table_iter_remove(&iter);
        if (member->busy)
            g_ptr_array_add(crew->leaving, member);
        else
            member_free(member);
    }
    while (is_leaving(crew, plan_uid))
        g_cond_wait(&crew->changed, &crew->lock);
}

GPtrArray *crew_plans(Crew *crew)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crew->lock);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *plans = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, crew->members);
    while (g_hash_table_iter_next(&iter, NULL, &data))
        if (g_hash_table_add(seen, ((Member *)data)->plan_uid))
            g_ptr_array_add(plans, g_strdup(((Member *)data)->plan_uid));
    return plans;
}

const char *crew_session(const Crew *crew)
{
    return crew->session;
}

void crew_hurry(Crew *crew)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crew->lock);
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, crew->members);
    while (g_hash_table_iter_next(&iter, NULL, &data))
        if (!((Member *)data)->busy && !((Member *)data)->held)
            push(crew, data);
    while (crew->busy)
        g_cond_wait(&crew->changed, &crew->lock);
}
