/* lease: HttpNfcLease: a VM or snapshot exported by the source, one of its disks read, the lease kept alive.
 *
 * vSphere Web Services API: VirtualMachine.ExportVm, VirtualMachineSnapshot.ExportSnapshot, HttpNfcLease. A
 * lease that hears nothing for its timeout is aborted by the source, so progress is told four times as often.
 */
#include "base/clock.h"
#include "source/export.h"
#include "source/vsphere/vsphere.h"
#include <string.h>

#define READY_TRIES     600 /* a minute or so of waiting for a lease */
#define READY_WAIT_MS   100
#define LONGEST_QUIET_S 30

struct SourceExport {
    VsphereSession *session;
    char *lease;
    GInputStream *stream;
    gint percent; /* atomic */

    GThread *teller;
    guint quiet_s; /* seconds between two words */
    GCancellable *stop;
    GMutex lock;
    GError *lost; /* under lock */
};

/* ---- which of its URLs --------------------------------------------------------------------------------- */

typedef struct {
    const char *disk_id;
    char *place; /* "/ParaVirtualSCSIController0:1" */
} Place;

static const xmlNode *find_device(const xmlNode *devices, const char *key)
{
    for (xmlNode *device = soap_first(devices); device; device = soap_next(device))
        if (!g_strcmp0(soap_peek(soap_child(device, "key")), key))
            return device;
    return NULL;
}

static gboolean take_place(const Properties *properties, gpointer user_data, GError **error)
{
    Place *place = user_data;
    const xmlNode *devices = properties_node(properties, "config.hardware.device");
    const xmlNode *disk = find_device(devices, place->disk_id);
    const char *controller_key = soap_peek(soap_child(disk, "controllerKey")),
               *unit = soap_peek(soap_child(disk, "unitNumber"));
    const xmlNode *controller = controller_key ? find_device(devices, controller_key) : NULL;
    const char *bus = soap_peek(soap_child(controller, "busNumber"));
    g_autofree char *type = controller ? soap_type(controller) : NULL;

    if (type && unit)
        place->place = g_strdup_printf("/%s%s:%s", type, bus ? bus : "0", unit);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "there is no disk %s on a controller",
                    place->disk_id);
    return place->place != NULL;
}

static char *find_place(VsphereSession *session, const char *vm_id, const char *snapshot, const char *disk_id,
                        GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"config.hardware.device", NULL};
    Place place = {.disk_id = disk_id};

    vsphere_read_object(session, snapshot ? "VirtualMachineSnapshot" : "VirtualMachine",
                        snapshot ? snapshot : vm_id, paths, take_place, &place, cancel, error);
    return place.place;
}

/* ---- the lease ----------------------------------------------------------------------------------------- */

typedef struct {
    const char *place;
    char *url, *thumbprint;
    gint64 timeout_s;
    gboolean ready;
} Ready;

static gboolean take_info(Ready *ready, const xmlNode *info, GError **error)
{
    ready->ready = TRUE;
    ready->timeout_s = vsphere_int(soap_child(info, "leaseTimeout"));
    for (xmlNode *url = soap_first(info); url; url = soap_next(url)) {
        const char *key = soap_is(url, "deviceUrl") ? soap_peek(soap_child(url, "key")) : NULL;

        if (key && g_str_has_suffix(key, ready->place)) {
            ready->url = soap_text(soap_child(url, "url"));
            ready->thumbprint = soap_text(soap_child(url, "sslThumbprint"));
        }
    }
    if (!ready->url)
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "the lease has no URL for the disk at %s",
                    ready->place + 1);
    return ready->url != NULL;
}

static gboolean take_state(const Properties *properties, gpointer user_data, GError **error)
{
    const char *state = properties_text(properties, "state");
    xmlNode *failure = properties_node(properties, "error");
    g_auto(SoapFault) fault = {0};

    if (!strcmp(state, "ready"))
        return take_info(user_data, properties_node(properties, "info"), error);
    if (strcmp(state, "error") && strcmp(state, "done"))
        return TRUE;
    if (failure) {
        soap_fault_of(failure, &fault);
        vsphere_fault_error(&fault, "the source gives no lease", error);
    } else {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "the source gives no lease: its state is %s",
                    state);
    }
    return FALSE;
}

static gboolean wait_until_ready(SourceExport *export, Ready *ready, GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"state", "error", "info", NULL};

    for (guint try = 0; try < READY_TRIES; try++) {
        if (!vsphere_read_object(export->session, "HttpNfcLease", export->lease, paths, take_state, ready,
                                 cancel, error))
            return FALSE;
        if (ready->ready)
            return TRUE;
        if (!clock_wait(READY_WAIT_MS, cancel))
            return !g_cancellable_set_error_if_cancelled(cancel, error);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "the source's lease does not become ready");
    return FALSE;
}

static gboolean call_lease(SourceExport *export, const char *method, gboolean tells, GCancellable *cancel,
                           GError **error)
{
    GString *call = soap_call(method, "HttpNfcLease", export->lease);
    g_autofree char *percent = g_strdup_printf("%d", g_atomic_int_get(&export->percent));
    g_autoptr(GBytes) envelope = NULL, reply = NULL;

    if (tells)
        soap_add(call, "percent", percent);
    envelope = soap_finish(call, method);
    reply = vsphere_call(export->session, envelope, cancel, error);
    return reply != NULL;
}

static gpointer tell_progress(gpointer user_data)
{
    SourceExport *export = user_data;

    while (clock_wait(export->quiet_s * 1000, export->stop)) {
        g_autoptr(GError) failed = NULL;

        if (call_lease(export, "HttpNfcLeaseProgress", TRUE, export->stop, &failed) ||
            g_cancellable_is_cancelled(export->stop) || error_class(failed) == TRANSIENT)
            continue;
        g_mutex_lock(&export->lock);
        export->lost = g_steal_pointer(&failed);
        g_mutex_unlock(&export->lock);
        break;
    }
    return NULL;
}

static gboolean begin_lease(SourceExport *export, const char *vm_id, const char *snapshot,
                            GCancellable *cancel, GError **error)
{
    const char *method = snapshot ? "ExportSnapshot" : "ExportVm";
    GString *call = snapshot ? soap_call(method, "VirtualMachineSnapshot", snapshot)
                             : soap_call(method, "VirtualMachine", vm_id);

    export->lease = vsphere_begin_task(export->session, call, method, cancel, error);
    if (!export->lease)
        g_prefix_error(error, "%s of VM '%s': ", method, vm_id);
    return export->lease != NULL;
}

SourceExport *vsphere_export(gpointer session, const char *vm_id, const char *snapshot, const char *disk_id,
                             GCancellable *cancel, GError **error)
{
    g_autofree char *place = find_place(session, vm_id, snapshot, disk_id, cancel, error);
    Ready ready = {.place = place};
    SourceExport *export;

    if (!place)
        return NULL;
    export = g_new0(SourceExport, 1);
    export->session = session;
    export->stop = g_cancellable_new();
    g_mutex_init(&export->lock);
    if (begin_lease(export, vm_id, snapshot, cancel, error) &&
        wait_until_ready(export, &ready, cancel, error)) {
        export->quiet_s = CLAMP(ready.timeout_s / 4, 1, LONGEST_QUIET_S);
        export->teller = g_thread_new("lease", tell_progress, export);
        export->stream = vsphere_session_stream(session, ready.url, ready.thumbprint, cancel, error);
    }
    g_free(ready.url);
    g_free(ready.thumbprint);
    if (export->stream)
        return export;
    source_export_close(export, FALSE);
    return NULL;
}

void source_export_close(SourceExport *export, gboolean whole)
{
    if (!export)
        return;
    g_cancellable_cancel(export->stop);
    if (export->teller)
        g_thread_join(export->teller);
    g_clear_object(&export->stream);
    if (whole)
        g_atomic_int_set(&export->percent, 100);
    if (export->lease)
        call_lease(export, whole ? "HttpNfcLeaseComplete" : "HttpNfcLeaseAbort", FALSE, NULL, NULL);
    g_object_unref(export->stop);
    g_clear_error(&export->lost);
    g_mutex_clear(&export->lock);
    g_free(export->lease);
    g_free(export);
}

GInputStream *source_export_peek_stream(const SourceExport *export)
{
    return export->stream;
}

void source_export_set_percent(SourceExport *export, guint percent)
{
    g_atomic_int_set(&export->percent, MIN(percent, 99));
}

gboolean source_export_check(SourceExport *export, GError **error)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&export->lock);

    if (export->lost)
        g_set_error(error, GANTRY_ERROR, ERROR_LEASE_LOST, "the source gave the lease up: %s",
                    export->lost->message);
    return !export->lost;
}
