/* lease: read, decide, write with the resourceVersion that was read. */
#include "kube/lease.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 60, RENEWALS = 6 };

struct Lease {
    KubeClient *client;
    char *ns, *name, *identity;
    guint seconds;
    void (*lost)(gpointer user_data);
    gpointer user_data;
    GCancellable *stop;
    GThread *thread;

    /* as it was last seen, and when that was new to us */
    char *seen_version;
    gint64 seen_at;
};

/* The Pod's name, which no other Pod ever has; elsewhere "machine/process", which is no Pod's name. */
static char *own_identity(void)
{
    const char *pod = g_getenv("POD_NAME");
    return pod && *pod ? g_strdup(pod) : g_strdup_printf("%s/%d", g_get_host_name(), (int)getpid());
}

static Lease *lease_new(KubeClient *client, const LeaseOptions *options)
{
    Lease *lease = g_new0(Lease, 1);

    lease->client = kube_client_ref(client);
    lease->ns = g_strdup(options->ns);
    lease->name = g_strdup(options->name);
    lease->identity = own_identity();
    lease->seconds = options->seconds ? options->seconds : SECONDS;
    lease->lost = options->lost;
    lease->user_data = options->user_data;
    lease->stop = g_cancellable_new();
    return lease;
}

static void lease_free(Lease *lease)
{
    kube_client_unref(lease->client);
    g_object_unref(lease->stop);
    g_free(lease->ns);
    g_free(lease->name);
    g_free(lease->identity);
    g_free(lease->seen_version);
    g_free(lease);
}

static gint64 renewal_ms(const Lease *lease)
{
    return (gint64)lease->seconds * 1000 / RENEWALS;
}

/* ---- who holds it ---- */

static const char *holder_of(const Object *object)
{
    return json_string_at(object_json(object), "spec.holderIdentity", "");
}

/* "machine/123" of this machine. */
static gboolean process_has_ended(const char *holder)
{
    g_auto(GStrv) parts = g_strsplit(holder, "/", 2);
    gint64 pid = g_ascii_strtoll(parts[1], NULL, 10);

    return !strcmp(parts[0], g_get_host_name()) && pid > 0 && pid <= G_MAXINT && kill((pid_t)pid, 0) < 0 &&
           errno == ESRCH;
}

/* A Pod that has ended does nothing any more; neither does one that is no longer there. */
static gboolean has_ended(Lease *lease, const char *holder, GCancellable *cancel)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) pod = NULL;
    const char *phase;

    if (strchr(holder, '/'))
        return process_has_ended(holder);
    pod = kube_get(lease->client, &KUBE_POD, lease->ns, holder, cancel, &problem);
    phase = pod ? json_string_at(object_json(pod), "status.phase", "") : "";
    return pod ? !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed")
               : g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND);
}

/* TRUE when nobody has renewed it for as long as its holder said. */
static gboolean has_run_out(Lease *lease, const Object *object)
{
    gint64 now = g_get_monotonic_time(),
           lasts = json_int_at(object_json(object), "spec.leaseDurationSeconds", lease->seconds);

    if (g_strcmp0(lease->seen_version, object_resource_version(object))) {
        g_free(lease->seen_version);
        lease->seen_version = g_strdup(object_resource_version(object));
        lease->seen_at = now;
    }
    return now - lease->seen_at >= lasts * G_USEC_PER_SEC;
}

static gboolean is_free(Lease *lease, const Object *object, GCancellable *cancel)
{
    const char *holder = holder_of(object);

    return !*holder || !strcmp(holder, lease->identity) || has_run_out(lease, object) ||
           has_ended(lease, holder, cancel);
}

/* ---- writing ---- */

static json_t *spec_of(const Lease *lease, const Object *before)
{
    g_autofree char *now = clock_now_micro();
    const char *since = before ? json_string_at(object_json(before), "spec.acquireTime", NULL) : NULL;
    gint64 changes = before ? json_int_at(object_json(before), "spec.leaseTransitions", 0) : 0;
    gboolean same = before && !strcmp(holder_of(before), lease->identity);

    return json_pack("{s:s,s:i,s:s,s:s,s:I}", "holderIdentity", lease->identity, "leaseDurationSeconds",
                     (int)lease->seconds, "acquireTime", same && since ? since : now, "renewTime", now,
                     "leaseTransitions", (json_int_t)(before && !same ? changes + 1 : changes));
}

static gboolean put(Lease *lease, const Object *before, json_t *take_spec, GCancellable *cancel,
                    GError **error)
{
    g_autoptr(json_t) body =
        before ? json_copy((json_t *)object_json(before))
               : json_pack("{s:{s:s,s:{s:s}}}", "metadata", "name", lease->name, "labels", "app", "forklift");
    g_autoptr(Object) written = NULL;

    json_object_set_new(body, "spec", take_spec);
    written = before ? kube_update(lease->client, &KUBE_LEASE, body, cancel, error)
                     : kube_create(lease->client, &KUBE_LEASE, lease->ns, body, cancel, error);
    return written != NULL;
}

typedef enum { HELD, TAKEN_BY_OTHER, NO_ANSWER, HOPELESS } Outcome;

static Outcome outcome_of(const GError *problem)
{
    if (problem->domain != GANTRY_ERROR)
        return NO_ANSWER;
    switch (problem->code) {
    case ERROR_KUBE_CONFLICT:
    case ERROR_KUBE_ALREADY_EXISTS:
        return TAKEN_BY_OTHER;
    case ERROR_KUBE_FORBIDDEN:
    case ERROR_KUBE_UNAUTHORIZED:
    case ERROR_KUBE_INVALID:
        return HOPELESS;
    default:
        return NO_ANSWER;
    }
}

/* Takes the Lease, or renews it. */
static Outcome claim(Lease *lease, GCancellable *cancel, GError **problem)
{
    g_autoptr(Object) object = kube_get(lease->client, &KUBE_LEASE, lease->ns, lease->name, cancel, problem);

    if (!object && !g_error_matches(*problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return outcome_of(*problem);
    g_clear_error(problem);
    if (object && !is_free(lease, object, cancel)) {
        g_set_error(problem, GANTRY_ERROR, ERROR_KUBE_CONFLICT, "it is held by %s", holder_of(object));
        return TAKEN_BY_OTHER;
    }
    return put(lease, object, spec_of(lease, object), cancel, problem) ? HELD : outcome_of(*problem);
}

/* ---- holding it ---- */

static gpointer keep(gpointer data)
{
    Lease *lease = data;
    gint64 held_until = g_get_monotonic_time() + (gint64)lease->seconds * G_USEC_PER_SEC * 3 / 4;

    while (clock_wait(renewal_ms(lease), lease->stop)) {
        g_autoptr(GError) problem = NULL;
        gint64 asked_at = g_get_monotonic_time();
        Outcome outcome = claim(lease, lease->stop, &problem);

        if (outcome == HELD)
            held_until = asked_at + (gint64)lease->seconds * G_USEC_PER_SEC * 3 / 4;
        else if (g_cancellable_is_cancelled(lease->stop))
            return NULL;
        else if (outcome != NO_ANSWER || g_get_monotonic_time() >= held_until) {
            log_error("the lease is lost", "namespace", lease->ns, "name", lease->name, "error",
                      problem->message, NULL);
            lease->lost(lease->user_data);
            return NULL;
        }
    }
    return NULL;
}

Lease *lease_take(KubeClient *client, const LeaseOptions *options, GCancellable *cancel, GError **error)
{
    Lease *lease = lease_new(client, options);
    gboolean told = FALSE;

    for (;;) {
        g_autoptr(GError) problem = NULL;
        Outcome outcome = claim(lease, cancel, &problem);

        if (outcome == HELD)
            break;
        if (outcome == HOPELESS) {
            g_propagate_prefixed_error(error, g_steal_pointer(&problem), "lease %s/%s: ", lease->ns,
                                       lease->name);
            lease_free(lease);
            return NULL;
        }
        if (!told && outcome == TAKEN_BY_OTHER)
            log_info("waits for the lease", "namespace", lease->ns, "name", lease->name, "why",
                     problem->message, NULL);
        told = told || outcome == TAKEN_BY_OTHER;
        if (!clock_wait(MIN(renewal_ms(lease), 2000), cancel)) {
            g_set_error(error, GANTRY_ERROR, ERROR_CANCELED, "stopped before the lease %s was free",
                        lease->name);
            lease_free(lease);
            return NULL;
        }
    }
    lease->thread = g_thread_new("lease", keep, lease);
    return lease;
}

/* Best effort: nobody waits for a Pod that is gone. */
void lease_release(Lease *lease)
{
    g_autoptr(Object) object = NULL;

    if (!lease)
        return;
    g_cancellable_cancel(lease->stop);
    g_thread_join(lease->thread);
    object = kube_get(lease->client, &KUBE_LEASE, lease->ns, lease->name, NULL, NULL);
    if (object && !strcmp(holder_of(object), lease->identity)) {
        json_t *spec = spec_of(lease, object);
        json_object_set_new(spec, "holderIdentity", json_string(""));
        put(lease, object, spec, NULL, NULL);
    }
    lease_free(lease);
}
