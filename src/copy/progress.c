/* progress: counters, and a rate that forgets. */
#include "copy/progress.h"

#define RATE_WINDOW_US (5 * G_USEC_PER_SEC)

struct Progress {
    guint64 total;
    gint64 started;
    const char *phase, *waiting;         /* atomic */
    guint64 counters[PROGRESS_COUNTERS]; /* atomic */
    GMutex lock;
    gint64 rate_at; /* from here on under lock: where the rate's window begins */
    guint64 rate_done;
    guint64 rate;
};

Progress *progress_new(guint64 total_bytes)
{
    Progress *progress = g_new0(Progress, 1);
    progress->total = total_bytes;
    progress->phase = "Copying";
    progress->started = progress->rate_at = g_get_monotonic_time();
    g_mutex_init(&progress->lock);
    return progress;
}

void progress_free(Progress *progress)
{
    if (!progress)
        return;
    g_mutex_clear(&progress->lock);
    g_free(progress);
}

void progress_set_phase(Progress *progress, const char *phase)
{
    g_atomic_pointer_set(&progress->phase, (gpointer)phase);
}

void progress_set_waiting(Progress *progress, const char *waiting)
{
    g_atomic_pointer_set(&progress->waiting, (gpointer)waiting);
}

void progress_add(Progress *progress, ProgressCounter counter, guint64 bytes)
{
    __atomic_add_fetch(&progress->counters[counter], bytes, __ATOMIC_RELAXED);
}

guint64 progress_get(Progress *progress, ProgressCounter counter)
{
    return __atomic_load_n(&progress->counters[counter], __ATOMIC_RELAXED);
}

/* The mean since the window began; a window that is old enough makes place for the next. */
static guint64 current_rate(Progress *progress)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&progress->lock);
    gint64 now = g_get_monotonic_time(), span = now - progress->rate_at;
    guint64 done = progress_get(progress, PROGRESS_READ);

    if (span >= G_USEC_PER_SEC / 4)
        progress->rate = (done - progress->rate_done) * ((double)G_USEC_PER_SEC / span);
    if (span >= RATE_WINDOW_US) {
        progress->rate_at = now;
        progress->rate_done = done;
    }
    return progress->rate;
}

json_t *progress_json(Progress *progress)
{
    const char *waiting = g_atomic_pointer_get(&progress->waiting);
    json_t *json =
        json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "phase",
                  (const char *)g_atomic_pointer_get(&progress->phase), "bytesTotal",
                  (json_int_t)progress->total, "bytesDone", (json_int_t)progress_get(progress, PROGRESS_DONE),
                  "bytesRead", (json_int_t)progress_get(progress, PROGRESS_READ), "bytesWritten",
                  (json_int_t)progress_get(progress, PROGRESS_WRITTEN), "bytesVerified",
                  (json_int_t)progress_get(progress, PROGRESS_VERIFIED), "bytesPerSecond",
                  (json_int_t)current_rate(progress));

    if (waiting)
        json_object_set_new(json, "waitingFor", json_string(waiting));
    return json;
}

char *progress_metrics(Progress *progress, const char *owner_uid)
{
    static const struct {
        const char *name, *help;
        ProgressCounter counter;
    } counters[] = {
        {"gantry_copy_read_bytes_total", "Bytes read from the source.", PROGRESS_READ},
        {"gantry_copy_landed_bytes_total", "Bytes of the disk that are durable in the target.",
         PROGRESS_DONE},
        {"gantry_copy_written_bytes_total", "Bytes written to the target.", PROGRESS_WRITTEN},
        {"gantry_copy_verified_bytes_total", "Bytes read back from the target and found equal.",
         PROGRESS_VERIFIED},
    };
    guint64 done = progress_get(progress, PROGRESS_DONE);
    double percent = progress->total ? 100.0 * done / progress->total : 100.0;
    GString *text = g_string_new(NULL);
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf(text,
                           "# HELP kubevirt_cdi_import_progress_total The import progress in percentage.\n"
                           "# TYPE kubevirt_cdi_import_progress_total counter\n"
                           "kubevirt_cdi_import_progress_total{ownerUID=\"%s\"} %s\n",
                           owner_uid, g_ascii_formatd(number, sizeof number, "%.2f", percent));
    for (guint i = 0; i < G_N_ELEMENTS(counters); i++)
        g_string_append_printf(text, "# HELP %s %s\n# TYPE %s counter\n%s %" G_GUINT64_FORMAT "\n",
                               counters[i].name, counters[i].help, counters[i].name, counters[i].name,
                               progress_get(progress, counters[i].counter));
    g_string_append_printf(
        text,
        "# HELP gantry_copy_disk_bytes Size of the disk.\n# TYPE gantry_copy_disk_bytes gauge\n"
        "gantry_copy_disk_bytes %" G_GUINT64_FORMAT "\n",
        progress->total);
    return g_string_free(text, FALSE);
}
