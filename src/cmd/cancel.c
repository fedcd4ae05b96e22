/* gantry cancel: ends a plan's migration, or that of some of its VMs. */
#include "cmd/plan_argument.h"
#include "cmd/plan_words.h"
#include "cmd/print.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static struct {
    char **vms;
} given;

static const GOptionEntry options[] = {
    {"vms", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.vms, "Only these, by id or name", "VM,..."},
    G_OPTION_ENTRY_NULL,
};

/* All that have not ended. */
static GPtrArray *unfinished(const Object *plan)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const json_t *vm;
    size_t i;

    json_array_foreach (plan_vms(object_json(plan)), i, vm)
        if (!json_at(vm, "completed"))
            g_ptr_array_add(names, g_strdup(json_string_at(vm, "id", json_string_at(vm, "name", ""))));
    return names;
}

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(Object) plan = NULL, migration = NULL, changed = NULL;
    g_autoptr(GPtrArray) vms = NULL;
    g_autoptr(json_t) refs = NULL, patch = NULL;
    const json_t *one;
    size_t i;

    if (!words_count(words, 1, 1, "one PLAN", error))
        return EXIT_USAGE;
    plan = kube_get(session->kube, &KUBE_PLAN, session->ns, words[0], NULL, error);
    migration = plan ? plan_running_migration(session->kube, plan, error) : NULL;
    if (!migration)
        return EXIT_FAILED;
    vms = given.vms ? option_list(given.vms) : unfinished(plan);
    refs = plan_vm_refs(plan, vms, error);
    if (!refs)
        return EXIT_FAILED;
    json_array_foreach (json_at(object_json(migration), "spec.cancel"), i, one)
        json_array_append(refs, (json_t *)one);
    patch = json_pack("{s:{s:O}}", "spec", "cancel", refs);
    changed = kube_patch(session->kube, &KUBE_MIGRATION, session->ns, object_name(migration),
                         KUBE_PATCH_MERGE, patch, NULL, NULL, error);
    if (!changed)
        return EXIT_FAILED;
    if (session->output == OUTPUT_TABLE)
        printf("%u VM%s of plan %s: canceled; the source is put back as it was\n", vms->len,
               vms->len == 1 ? "" : "s", words[0]);
    else
        print_change(object_json(changed), session->output, "changed");
    return EXIT_DONE;
}

const Verb verb_cancel = {"cancel",
                          "PLAN",
                          "end a plan's migration, or that of some of its VMs",
                          "A source VM gets back the power state that it had. Disks that were copied are "
                          "kept for a restart until the plan is archived\n"
                          "or deleted. VMs that have been migrated stay.",
                          options,
                          FALSE,
                          run};
