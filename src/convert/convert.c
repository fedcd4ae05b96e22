/* convert: the steps, and what each start of it finds of the one before. */
#include "convert/convert.h"
#include "base/log.h"
#include "convert/boot.h"
#include "convert/domain_xml.h"
#include "convert/inspect.h"
#include "convert/network.h"
#include "convert/overlay.h"
#include "convert/tool.h"
#include "convert/workshop.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ConvertProgress {
    GMutex lock;
    const char *phase;
    char *detail;
};

ConvertProgress *convert_progress_new(void)
{
    ConvertProgress *progress = g_new0(ConvertProgress, 1);
    g_mutex_init(&progress->lock);
    progress->phase = "Inspecting";
    return progress;
}

void convert_progress_free(ConvertProgress *progress)
{
    if (!progress)
        return;
    g_mutex_clear(&progress->lock);
    g_free(progress->detail);
    g_free(progress);
}

json_t *convert_progress_json(ConvertProgress *progress)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&progress->lock);
    return json_pack("{s:s,s:s}", "phase", progress->phase, "detail",
                     progress->detail ? progress->detail : "");
}

static void enter(ConvertProgress *progress, const char *phase)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&progress->lock);
    progress->phase = phase;
    g_clear_pointer(&progress->detail, g_free);
}

/* virt-v2v says what it does as "[  12.3] Inspecting the source". */
static void tool_said(const char *line, gpointer user_data)
{
    ConvertProgress *progress = user_data;
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&progress->lock);
    const char *text = *line == '[' && strchr(line, ']') ? strchr(line, ']') + 1 : NULL;

    if (!text)
        return;
    g_free(progress->detail);
    progress->detail = g_utf8_make_valid(text + strspn(text, " "), -1);
}

/* ---- steps ------------------------------------------------------------------------------------- */

static void discard_all(const ConvertSpec *spec)
{
    for (guint i = 0; i < spec->n_disks; i++)
        overlay_discard(&spec->disks[i]);
}

/* virt-v2v tells these apart only by its words. */
static void classify(GError **error)
{
    static const struct {
        const char *word;
        int code;
    } known[] = {
        {"not enough free space", ERROR_GUEST_NO_SPACE},
        {"hibernat", ERROR_GUEST_HIBERNATED},
        {"Fast Startup", ERROR_GUEST_HIBERNATED},
        {"rhsrvany", ERROR_GUEST_NO_DRIVERS},
    };

    guestfs_explain_mount(error);
    for (guint i = 0; *error && i < G_N_ELEMENTS(known); i++)
        if (g_error_matches(*error, GANTRY_ERROR, ERROR_CONVERSION_FAILED) &&
            strstr((*error)->message, known[i].word))
            (*error)->code = known[i].code;
}

static gboolean run_v2v(const Guestfs *guestfs, const json_t *guest, const Workshop *workshop,
                        ConvertProgress *progress, GCancellable *cancel, GError **error)
{
    const ConvertSpec *spec = guestfs->spec;
    g_autofree char *path = g_build_filename(workshop->folder, "domain.xml", NULL),
                    *xml = conversion_domain_xml(spec);
    const ToolOptions options = {
        .environment = workshop->environment, .line = tool_said, .user_data = progress, .log = spec->log};
    g_autoptr(GPtrArray) argv = g_ptr_array_new(), macs = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) failed = NULL;

    if (!g_file_set_contents(path, xml, -1, error))
        return FALSE;
    g_ptr_array_add(argv, (gpointer) "virt-v2v-in-place");
    g_ptr_array_add(argv, (gpointer) "--root");
    g_ptr_array_add(argv, (gpointer)(spec->root ? json_string_at(guest, "root", spec->root) : "first"));
    guestfs_add_keys(guestfs, argv);
    if (!strcmp(json_string_at(guest, "type", ""), "windows"))
        network_v2v_options(spec, macs);
    for (guint i = 0; i < macs->len; i++) {
        g_ptr_array_add(argv, (gpointer) "--mac");
        g_ptr_array_add(argv, macs->pdata[i]);
    }
    g_ptr_array_add(argv, (gpointer) "-i");
    g_ptr_array_add(argv, (gpointer) "libvirtxml");
    g_ptr_array_add(argv, path);
    g_ptr_array_add(argv, NULL);
    if (tool_run((const char *const *)argv->pdata, &options, cancel, &failed))
        return TRUE;
    classify(&failed);
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

static gboolean convert_overlays(const ConvertSpec *spec, ConvertProgress *progress, json_t **report,
                                 GCancellable *cancel, GError **error)
{
    g_autofree char *state = g_path_get_dirname(spec->disks[0].overlay);
    g_auto(Workshop) workshop = {0};
    g_auto(Guestfs) guestfs = {0};
    json_t *guest;

    discard_all(spec);
    if (!workshop_open(&workshop, state, error))
        return FALSE;
    enter(progress, "Inspecting");
    if (!guestfs_open(&guestfs, spec, workshop.environment, cancel, error) ||
        !(guest = inspect_guest(&guestfs, cancel, error)))
        return FALSE;
    *report = json_pack("{s:o,s:s}", "os", guest, "firmware", spec->efi ? "efi" : "bios");
    log_info("the guest was inspected", "vm", spec->vm_id, "os", json_string_at(*report, "os.id", NULL),
             NULL);

    enter(progress, "Converting");
    for (guint i = 0; i < spec->n_disks; i++)
        if (!overlay_create(&spec->disks[i], cancel, error))
            return FALSE;
    return boot_prepare(&guestfs, guest, workshop.folder, cancel, error) &&
           run_v2v(&guestfs, guest, &workshop, progress, cancel, error) &&
           network_keep_names(&guestfs, guest, workshop.folder, cancel, error);
}

static gboolean commit_all(const ConvertSpec *spec, ConvertProgress *progress, const json_t *report,
                           GCancellable *cancel, GError **error)
{
    enter(progress, "Committing");
    for (guint i = 0; i < spec->n_disks; i++) {
        g_autoptr(json_t) note = NULL;
        if (overlay_state(&spec->disks[i], &note) == OVERLAY_NONE &&
            !overlay_mark(&spec->disks[i], report, error))
            return FALSE;
    }
    for (guint i = 0; i < spec->n_disks; i++)
        if (!overlay_commit(&spec->disks[i], cancel, error)) {
            g_prefix_error(error, "disk %s: ", spec->disks[i].id);
            return FALSE;
        }
    discard_all(spec);
    return TRUE;
}

/* The first marker is written when all overlays are converted, so any marker says: go on with the commit. */
static json_t *converted_before(const ConvertSpec *spec)
{
    for (guint i = 0; i < spec->n_disks; i++) {
        json_t *note = NULL;
        if (overlay_state(&spec->disks[i], &note) != OVERLAY_NONE)
            return note ? note : json_object();
        json_decref(note);
    }
    return NULL;
}

static gboolean run(const ConvertSpec *spec, ConvertProgress *progress, json_t **report, GCancellable *cancel,
                    GError **error)
{
    g_autoptr(json_t) found = converted_before(spec);

    if (found)
        log_info("the guest was converted before; its commit goes on", "vm", spec->vm_id, NULL);
    else if (!convert_overlays(spec, progress, &found, cancel, error)) {
        discard_all(spec);
        return FALSE;
    }
    if (!commit_all(spec, progress, found, cancel, error))
        return FALSE;
    enter(progress, "Completed");
    *report = g_steal_pointer(&found);
    return TRUE;
}

gboolean convert_run(ConvertSpec *spec, ConvertProgress *progress, json_t **report, GCancellable *cancel,
                     GError **error)
{
    g_autofree char *state = NULL, *path = NULL;
    gboolean good;

    if (spec->state) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "convert spec: state is set, so it is one of an inspection, for 'gantry inspect'");
        return FALSE;
    }
    state = g_path_get_dirname(spec->disks[0].overlay);
    path = g_build_filename(state, "conversion.log", NULL);
    spec->log = MAX(0, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    good = run(spec, progress, report, cancel, error);
    if (spec->log)
        close(spec->log);
    spec->log = 0;
    return good;
}

json_t *convert_result_json(const json_t *report, double seconds, const GError *error)
{
    json_t *result;

    if (error)
        return json_pack("{s:s,s:s,s:s,s:s,s:s}", "result", "Failed", "class",
                         error_class_name(error_class(error)), "reason", error_reason(error), "message",
                         error->message, "remedy", error_remedy(error));
    result = json_pack("{s:s,s:f}", "result", "Completed", "seconds", seconds);
    json_object_update(result, (json_t *)report);
    return result;
}
