/* gantry cutover: when a warm migration turns its VMs off and finishes. */
#include "cmd/plan_argument.h"
#include "cmd/print.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static struct {
    char *at;
    char **vms;
} given;

static const GOptionEntry options[] = {
    {"at", 0, 0, G_OPTION_ARG_STRING, &given.at,
     "When: now (when not given), +90m, a time, or none to call it off", "TIME"},
    {"vms", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.vms, "Only these, by id or name", "VM,..."},
    G_OPTION_ENTRY_NULL,
};

static json_t *time_or_null(const char *time)
{
    return time ? json_string(time) : json_null();
}

/* spec.vmCutover with these VMs' own times put in, or taken out. */
static json_t *own_times(const Object *migration, const json_t *refs, const char *time)
{
    json_t *times = json_array();
    const json_t *one, *ref;
    size_t i, k;

    json_array_foreach (json_at(object_json(migration), "spec.vmCutover"), i, one) {
        gboolean named = FALSE;
        json_array_foreach (refs, k, ref)
            named |= !strcmp(json_string_at(one, "id", ""), json_string_at(ref, "id", "?"));
        if (!named)
            json_array_append(times, (json_t *)one);
    }
    json_array_foreach (refs, k, ref)
        if (time)
            json_array_append_new(
                times, json_pack("{s:s, s:s}", "id", json_string_at(ref, "id", ""), "cutover", time));
    return times;
}

static json_t *make_patch(const Object *plan, const Object *migration, const char *time, GError **error)
{
    g_autoptr(GPtrArray) vms = option_list(given.vms);
    g_autoptr(json_t) refs = vms->len ? plan_vm_refs(plan, vms, error) : NULL;
    const json_t *ref;
    size_t i;

    if (!vms->len)
        return json_pack("{s:{s:o}}", "spec", "cutover", time_or_null(time));
    json_array_foreach (refs, i, ref)
        if (!json_at(ref, "id")) {
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                        "the id of VM %s is not known yet; its migration has not begun",
                        json_string_at(ref, "name", ""));
            return NULL;
        }
    return refs ? json_pack("{s:{s:o}}", "spec", "vmCutover", own_times(migration, refs, time)) : NULL;
}

static int run(Session *session, char **words, GError **error)
{
    g_autofree char *time = NULL;
    g_autoptr(Object) plan = NULL, migration = NULL, changed = NULL;
    g_autoptr(json_t) patch = NULL;

    if (!words_count(words, 1, 1, "one PLAN", error) ||
        !cutover_time(given.at ? given.at : "now", &time, error))
        return EXIT_USAGE;
    plan = kube_get(session->kube, &KUBE_PLAN, session->ns, words[0], NULL, error);
    if (plan && !json_bool_at(object_json(plan), "spec.warm", FALSE)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "plan %s is not warm: its VMs are off while they are copied", words[0]);
        return EXIT_FAILED;
    }
    migration = plan ? plan_running_migration(session->kube, plan, error) : NULL;
    patch = migration ? make_patch(plan, migration, time, error) : NULL;
    changed = patch ? kube_patch(session->kube, &KUBE_MIGRATION, session->ns, object_name(migration),
                                 KUBE_PATCH_MERGE, patch, NULL, NULL, error)
                    : NULL;
    if (!changed)
        return EXIT_FAILED;
    print_change(object_json(changed), session->output, time ? "has a cutover" : "has no cutover");
    return EXIT_DONE;
}

const Verb verb_cutover = {"cutover",
                           "PLAN",
                           "finish a warm migration: VMs off, last changes, target on",
                           "  gantry cutover demo                    now\n"
                           "  gantry cutover demo --at +2h --vms web1,web2\n"
                           "  gantry cutover demo --at none          not yet: goes on copying",
                           options,
                           FALSE,
                           run};
