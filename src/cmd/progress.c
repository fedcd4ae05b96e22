/* progress: shows a Plan's migration as it goes, and what was proved at its end.
 *
 * On a terminal the view is redrawn in place, a bar per disk; elsewhere a line is printed when a step or a
 * tenth of a disk was passed. Everything comes from the Plan's status, so any Kubernetes API will do.
 */
#include "cmd/progress.h"
#include "cmd/commands.h"
#include "cmd/plan_words.h"
#include "kube/client.h"
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 24, NAME_CELLS = 36, LOOK_MS = 500, RATE_WINDOW_US = 8 * G_USEC_PER_SEC };

/* What was last seen of a disk: the start of the window that the rate is taken over, and the tenth last
 * printed. */
typedef struct {
    gint64 window_us, window_mb, tenth;
    double mb_per_s;
} Sample;

typedef struct {
    gboolean terminal, utf8;
    GHashTable *samples; /* "vm/task" → Sample */
    GHashTable *steps;   /* "vm" → the step last printed */
    guint lines;         /* drawn last time, to be drawn over */
} View;

static const char *step_mark(const View *view, const char *phase, gboolean failed)
{
    if (failed)
        return view->utf8 ? "✗" : "!";
    if (!strcmp(phase, "Completed"))
        return view->utf8 ? "✓" : "+";
    if (!strcmp(phase, "Running"))
        return view->utf8 ? "●" : ">";
    return view->utf8 ? "○" : ".";
}

static void append_reasons(GString *out, const json_t *owner, const char *indent)
{
    const json_t *reason;
    size_t i;

    json_array_foreach(json_at(owner, "error.reasons"), i, reason)
        g_string_append_printf(out, "%s%s\n", indent, json_string_value(reason));
}

static Sample *sample_of(View *view, const json_t *vm, const json_t *task)
{
    g_autofree char *key =
        g_strdup_printf("%s/%s", json_string_at(vm, "id", ""), json_string_at(task, "name", ""));
    Sample *sample = g_hash_table_lookup(view->samples, key);

    if (!sample) {
        sample = g_new0(Sample, 1);
        sample->window_us = g_get_monotonic_time();
        sample->window_mb = json_int_at(task, "progress.completed", 0);
        g_hash_table_insert(view->samples, g_steal_pointer(&key), sample);
    }
    return sample;
}

static void measure(Sample *sample, gint64 done_mb)
{
    gint64 now = g_get_monotonic_time(), passed = now - sample->window_us;

    if (passed >= G_USEC_PER_SEC / 2)
        sample->mb_per_s = (done_mb - sample->window_mb) * 1e6 / passed;
    if (passed > RATE_WINDOW_US) {
        sample->window_us = now - passed / 2;
        sample->window_mb = (sample->window_mb + done_mb) / 2;
    }
}

static void append_bar(GString *out, const View *view, double part)
{
    int full = (int)(part * BAR_CELLS + 0.5);

    for (int i = 0; i < BAR_CELLS; i++)
        g_string_append(out, view->utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "-"));
}

static void append_disk(GString *out, View *view, const json_t *vm, const json_t *task)
{
    gint64 done = json_int_at(task, "progress.completed", 0), total = json_int_at(task, "progress.total", 0);
    double part = total > 0 ? CLAMP((double)done / total, 0, 1) : 0;
    Sample *sample = sample_of(view, vm, task);

    measure(sample, done);
    g_string_append_printf(out, "    %-*.*s ", NAME_CELLS, NAME_CELLS, json_string_at(task, "name", "?"));
    append_bar(out, view, part);
    g_string_append_printf(out, " %3.0f %%  %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT " MB", part * 100, done,
                           total);
    if (!strcmp(json_string_at(task, "phase", ""), "Completed")) {
        g_string_append(out, json_string_at(task, "annotations.readBack", NULL) ? "  verified" : "");
    } else if (json_string_at(task, "reason", NULL)) { /* Stalled, Retrying, Verifying, or why it waits */
        g_string_append_printf(out, "  %s", json_string_at(task, "reason", ""));
    } else if (sample->mb_per_s >= 0.05) {
        gint64 left = (gint64)((total - done) / sample->mb_per_s + 0.5);
        g_string_append_printf(out, "  %.1f MB/s  %" G_GINT64_FORMAT ":%02d left", sample->mb_per_s,
                               left / 60, (int)(left % 60));
    }
    g_string_append_c(out, '\n');
}

static void append_vm(GString *out, View *view, const json_t *vm)
{
    const json_t *step, *task, *current = vm_current_step(vm);
    size_t i;

    g_string_append_printf(out, "  %s  %s", json_string_at(vm, "name", json_string_at(vm, "id", "?")),
                           current ? json_string_at(current, "description", "") : vm_pending(vm) ? vm_pending(vm) : "Waiting.");
    if (current && json_string_at(current, "reason", NULL))
        g_string_append_printf(out, " %s", json_string_at(current, "reason", ""));
    g_string_append(out, "\n   ");
    json_array_foreach(json_at(vm, "pipeline"), i, step) g_string_append_printf(
        out, " %s %s", step_mark(view, json_string_at(step, "phase", ""), json_at(step, "error") != NULL),
        json_string_at(step, "name", "?"));
    g_string_append_c(out, '\n');
    json_array_foreach(vm_disk_tasks(vm), i, task)
        append_disk(out, view, vm, task);
    append_reasons(out, vm, "    error: ");
}

static void draw(View *view, const Object *plan)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const json_t *vm;
    size_t i;

    g_string_printf(out, "plan %s/%s  %s\n", object_namespace(plan), object_name(plan), plan_state(object_json(plan)));
    json_array_foreach(plan_vms(object_json(plan)), i, vm) append_vm(out, view, vm);
    if (view->lines)
        printf("\033[%uA\033[J", view->lines);
    /* A line that is too long is cut, not wrapped: else it would take two and the next drawing begin too low. */
    printf("\033[?7l%s\033[?7h", out->str);
    fflush(stdout);
    view->lines = 0;
    for (const char *c = out->str; *c; c++)
        view->lines += *c == '\n';
}

/* Where there is no terminal: one line per step begun and per tenth of a disk. */
static void print_changes(View *view, const Object *plan)
{
    const json_t *vm, *task;
    size_t i, j;

    json_array_foreach(plan_vms(object_json(plan)), i, vm)
    {
        const char *id = json_string_at(vm, "id", ""), *name = json_string_at(vm, "name", id);
        const json_t *step = vm_current_step(vm);
        const char *step_name = step ? json_string_at(step, "name", "") : "";

        if (!step && vm_pending(vm) && g_strcmp0(g_hash_table_lookup(view->steps, id), vm_pending(vm))) {
            printf("%s: %s\n", name, vm_pending(vm));
            g_hash_table_insert(view->steps, g_strdup(id), g_strdup(vm_pending(vm)));
        }
        if (g_strcmp0(g_hash_table_lookup(view->steps, id), step_name) && *step_name) {
            printf("%s: %s\n", name, json_string_at(step, "description", step_name));
            g_hash_table_insert(view->steps, g_strdup(id), g_strdup(step_name));
        }
        json_array_foreach(vm_disk_tasks(vm), j, task)
        {
            gint64 done = json_int_at(task, "progress.completed", 0),
                   total = json_int_at(task, "progress.total", 0);
            Sample *sample = sample_of(view, vm, task);
            gint64 tenth = total > 0 ? done * 10 / total : 0;

            measure(sample, done);
            if (tenth > sample->tenth)
                printf("%s: %s %" G_GINT64_FORMAT " %% of %" G_GINT64_FORMAT " MB, %.1f MB/s\n", name,
                       json_string_at(task, "name", "?"), tenth * 10, total, sample->mb_per_s);
            sample->tenth = MAX(sample->tenth, tenth);
        }
    }
    fflush(stdout);
}

static void print_time(const json_t *owner, const char *label, const char *key)
{
    printf("  %s %s", label, json_string_at(owner, key, "-"));
}

/* The plan's table, then per disk what was read, written and proved. */
void progress_print_report(const Object *plan)
{
    const json_t *vm, *step, *task;
    size_t i, j;

    printf("\nPlan %s/%s: %s\n", object_namespace(plan), object_name(plan), plan_state(object_json(plan)));
    printf("%-24s %-10s %9s  %s\n", "VM", "RESULT", "SECONDS", "STEPS (seconds)");
    json_array_foreach(plan_vms(object_json(plan)), i, vm)
    {
        printf("%-24s %-10s %9" G_GINT64_FORMAT " ", json_string_at(vm, "name", "?"), vm_result(vm),
               seconds_of(vm));
        json_array_foreach(json_at(vm, "pipeline"), j, step)
            printf(" %s %" G_GINT64_FORMAT, json_string_at(step, "name", "?"), seconds_of(step));
        putchar('\n');
    }
    printf("\nVerification report\n");
    json_array_foreach(plan_vms(object_json(plan)), i, vm)
    {
        printf("%s", json_string_at(vm, "name", "?"));
        print_time(vm, "from", "started");
        print_time(vm, "to", "completed");
        putchar('\n');
        json_array_foreach(vm_disk_tasks(vm), j, task)
            printf("  %s: %s bytes, %s, read back from the target: %s\n", json_string_at(task, "name", "?"),
                   json_string_at(task, "annotations.bytes", "?"),
                   json_string_at(task, "annotations.hash", "no hash"),
                   json_string_at(task, "annotations.readBack", "not done"));
        json_array_foreach(json_at(vm, "error.reasons"), j, task)
            printf("  error: %s\n", json_string_value(task));
    }
}

gboolean progress_show(KubeClient *client, const char *ns, const char *name, gboolean follow, Object **last,
                       GError **error)
{
    g_autoptr(GHashTable) samples = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) steps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    View view = {
        .terminal = isatty(STDOUT_FILENO), .utf8 = g_get_charset(NULL), .samples = samples, .steps = steps};

    for (;;) {
        g_autoptr(Object) plan = kube_get(client, &KUBE_PLAN, ns, name, NULL, error);
        if (!plan)
            return FALSE;
        if (view.terminal)
            draw(&view, plan);
        else
            print_changes(&view, plan);
        if (!follow || plan_ended(object_json(plan))) {
            *last = g_steal_pointer(&plan);
            return TRUE;
        }
        g_usleep(LOOK_MS * 1000);
    }
}

int cmd_progress(int argc, char **argv)
{
    g_autofree char *name = NULL, *ns = NULL;
    gboolean follow = FALSE;
    const GOptionEntry options[] = {
        {"plan", 'p', 0, G_OPTION_ARG_STRING, &name, "The Plan to show", "NAME"},
        {"namespace", 'n', 0, G_OPTION_ARG_STRING, &ns, "Its namespace (openshift-mtv)", "NAMESPACE"},
        {"follow", 'f', 0, G_OPTION_ARG_NONE, &follow, "Go on until the plan has ended", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- show how a Plan's migration goes");
    g_autoptr(GError) error = NULL;

    setlocale(LC_ALL, "");
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_description(
        context, "Exit status: 0 when the plan has not failed, 1 when it has or cannot be "
                 "read, 2 for bad usage.\nThe cluster is that of $KUBECONFIG.");
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1 || !name) {
        fprintf(stderr, "gantry progress: %s; see gantry progress --help\n",
                error      ? error->message
                : argc > 1 ? "it takes options only"
                           : "--plan NAME is missing");
        return 2;
    }

    g_autoptr(KubeClient) client = kube_client_new_default(&error);
    g_autoptr(Object) plan = NULL;
    if (!client || !progress_show(client, ns ? ns : "openshift-mtv", name, follow, &plan, &error)) {
        fprintf(stderr, "gantry progress: plan %s: %s. %s\n", name, error->message, error_remedy(error));
        return 1;
    }
    if (plan_ended(object_json(plan)))
        progress_print_report(plan);
    return object_condition(plan, "Failed") || object_condition(plan, "Canceled") ? 1 : 0;
}
