/* convert: the steps, and what each start of it finds of the one before. */
#include "convert/convert.h"
#include "base/acceleration.h"
#include "base/log.h"
#include "convert/domain_xml.h"
#include "convert/inspect.h"
#include "convert/overlay.h"
#include "convert/tool.h"
#include <errno.h>
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

/* ---- the tools' surroundings ------------------------------------------------------------------- */

typedef struct {
    char *
        folder; /* beside the overlays: libguestfs keeps its appliance there, which is too large for memory */
    char **environment;
} Workshop;

static void remove_folder(const char *path)
{
    const char *argv[] = {"rm", "-rf", "--", path, NULL};
    const ToolOptions options = {0};
    tool_run(argv, &options, NULL, NULL);
}

static void workshop_close(Workshop *workshop)
{
    if (workshop->folder)
        remove_folder(workshop->folder);
    g_free(workshop->folder);
    g_strfreev(workshop->environment);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Workshop, workshop_close)

static gboolean workshop_open(Workshop *workshop, const ConvertSpec *spec, GError **error)
{
    g_autofree char *state = g_path_get_dirname(spec->disks[0].overlay);
    Acceleration acceleration;

    workshop->folder = g_build_filename(state, ".guestfs", NULL);
    if (g_mkdir_with_parents(workshop->folder, 0700) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", workshop->folder, g_strerror(errno));
        return FALSE;
    }
    if (!acceleration_find(workshop->folder, &acceleration, error))
        return FALSE;
    workshop->environment = g_environ_setenv(g_get_environ(), "LIBGUESTFS_BACKEND", "direct", TRUE);
    workshop->environment =
        g_environ_setenv(workshop->environment, "LIBGUESTFS_CACHEDIR", workshop->folder, TRUE);
    workshop->environment = g_environ_setenv(workshop->environment, "TMPDIR", workshop->folder, TRUE);
    workshop->environment = g_environ_setenv(workshop->environment, "LC_ALL", "C.UTF-8", TRUE);
    if (acceleration == ACCELERATION_TCG)
        workshop->environment =
            g_environ_setenv(workshop->environment, "LIBGUESTFS_BACKEND_SETTINGS", "force_tcg", TRUE);
    return TRUE;
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

    for (guint i = 0; *error && i < G_N_ELEMENTS(known); i++)
        if (g_error_matches(*error, GANTRY_ERROR, ERROR_CONVERSION_FAILED) &&
            strstr((*error)->message, known[i].word))
            (*error)->code = known[i].code;
}

static gboolean run_v2v(const ConvertSpec *spec, const Workshop *workshop, ConvertProgress *progress,
                        GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_build_filename(workshop->folder, "domain.xml", NULL),
                    *xml = conversion_domain_xml(spec);
    const char *argv[] = {"virt-v2v-in-place", "--root", "first", "-i", "libvirtxml", path, NULL};
    const ToolOptions options = {
        .environment = workshop->environment, .line = tool_said, .user_data = progress};
    g_autoptr(GError) failed = NULL;

    if (!g_file_set_contents(path, xml, -1, error))
        return FALSE;
    if (tool_run(argv, &options, cancel, &failed))
        return TRUE;
    classify(&failed);
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

static gboolean convert_overlays(const ConvertSpec *spec, ConvertProgress *progress, json_t **report,
                                 GCancellable *cancel, GError **error)
{
    g_auto(Workshop) workshop = {0};
    json_t *guest;

    discard_all(spec);
    if (!workshop_open(&workshop, spec, error))
        return FALSE;
    enter(progress, "Inspecting");
    if (!(guest = inspect_guest(spec, workshop.environment, cancel, error)))
        return FALSE;
    *report = json_pack("{s:o,s:s}", "os", guest, "firmware", spec->efi ? "efi" : "bios");
    log_info("the guest was inspected", "vm", spec->vm_id, "os", json_string_at(*report, "os.id", NULL),
             NULL);

    enter(progress, "Converting");
    for (guint i = 0; i < spec->n_disks; i++)
        if (!overlay_create(&spec->disks[i], cancel, error))
            return FALSE;
    return run_v2v(spec, &workshop, progress, cancel, error);
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

gboolean convert_run(const ConvertSpec *spec, ConvertProgress *progress, json_t **report,
                     GCancellable *cancel, GError **error)
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
