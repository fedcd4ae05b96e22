/* gantry describe: an object, its conditions and its events, to be read. */
#include "base/clock.h"
#include "base/yaml.h"
#include "cmd/kinds.h"
#include "cmd/plan_words.h"
#include "cmd/text_table.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static void print_spec(const Object *object)
{
    g_autofree char *text = yaml_text(json_at(object_json(object), "spec"));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);

    printf("Spec:\n");
    for (int i = 0; lines[i]; i++)
        printf("  %s\n", lines[i]);
}

static void print_conditions(const Object *object)
{
    static const char *const titles[] = {"TYPE", "CATEGORY", "REASON", "MESSAGE", NULL};
    g_autoptr(TextTable) table = text_table_new(titles);
    const json_t *one, *item;
    size_t i, k;

    json_array_foreach (json_at(object_json(object), "status.conditions"), i, one) {
        char *row[] = {
            g_strdup(json_string_at(one, "type", "")), g_strdup(json_string_at(one, "category", "")),
            g_strdup(json_string_at(one, "reason", "")), g_strdup(json_string_at(one, "message", "")), NULL};
        text_table_add_take(table, row);
        json_array_foreach (json_object_get(one, "items"), k, item) {
            char *more[] = {NULL, NULL, NULL, g_strdup(json_string_value(item)), NULL};
            text_table_add_take(table, more);
        }
    }
    printf("\nConditions:\n");
    text_table_print(table);
}

static void print_failed_precopies(const json_t *vm)
{
    g_autoptr(GPtrArray) lines = vm_failed_precopies(vm);

    for (guint i = 0; i < lines->len; i++)
        printf("  %s: %s\n", json_string_at(vm, "name", json_string_at(vm, "id", "?")),
               (const char *)lines->pdata[i]);
}

static void print_vms(const Object *plan)
{
    static const char *const titles[] = {"VM", "ID", "RESULT", "PHASE", "STEP", "SECONDS", "REASON", NULL};
    g_autoptr(TextTable) table = text_table_new(titles);
    const json_t *vm;
    size_t i;

    json_array_foreach (plan_vms(object_json(plan)), i, vm) {
        const json_t *step = vm_current_step(vm);
        char *row[] = {g_strdup(json_string_at(vm, "name", "")),
                       g_strdup(json_string_at(vm, "id", "")),
                       g_strdup(vm_result(vm)),
                       g_strdup(json_string_at(vm, "phase", "")),
                       g_strdup(json_string_at(step, "name", "")),
                       g_strdup_printf("%" G_GINT64_FORMAT, seconds_of(vm)),
                       g_strdup(json_string_at(step, "reason", "")),
                       NULL};
        text_table_add_take(table, row);
    }
    printf("\nVirtual machines:\n");
    text_table_print(table);
    json_array_foreach (plan_vms(object_json(plan)), i, vm)
        print_failed_precopies(vm);
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    return strcmp(json_string_at(object_json(*(Object *const *)a), "lastTimestamp", ""),
                  json_string_at(object_json(*(Object *const *)b), "lastTimestamp", ""));
}

static void print_events(KubeClient *kube, const Object *object)
{
    static const char *const titles[] = {"AGE", "TYPE", "REASON", "MESSAGE", NULL};
    g_autofree char *selector = g_strdup_printf("involvedObject.uid=%s", object_uid(object));
    g_autoptr(GPtrArray) events =
        kube_list(kube, &KUBE_EVENT, object_namespace(object), NULL, selector, NULL, NULL, NULL);
    g_autoptr(TextTable) table = text_table_new(titles);

    if (!events || !events->len)
        return;
    g_ptr_array_sort(events, by_time);
    for (guint i = 0; i < events->len; i++) {
        const json_t *event = object_json(events->pdata[i]);
        gint64 last = clock_parse(json_string_at(event, "lastTimestamp", NULL));
        char *row[] = {last < 0 ? NULL : age_text((g_get_real_time() - last) / G_USEC_PER_SEC),
                       g_strdup(json_string_at(event, "type", "")),
                       g_strdup(json_string_at(event, "reason", "")),
                       g_strdup(json_string_at(event, "message", "")), NULL};
        text_table_add_take(table, row);
    }
    printf("\nEvents:\n");
    text_table_print(table);
}

static int run(Session *session, char **words, GError **error)
{
    const Kind *kind =
        words_count(words, 2, 2, "KIND and NAME", error) ? kind_find_object(words[0], error) : NULL;
    const KubeResource *resource;
    g_autoptr(Object) object = NULL;

    if (!kind)
        return EXIT_USAGE;
    object = kind_get(kind, session->kube, session->ns, words[1], &resource, error);
    if (!object)
        return EXIT_FAILED;
    printf("%s %s/%s, made %s\n", object_kind(object), object_namespace(object), object_name(object),
           json_string_at(object_json(object), "metadata.creationTimestamp", "?"));
    print_spec(object);
    print_conditions(object);
    if (resource == &KUBE_PLAN && json_array_size(plan_vms(object_json(object))))
        print_vms(object);
    print_events(session->kube, object);
    return EXIT_DONE;
}

const Verb verb_describe = {
    "describe", "KIND NAME", "show an object with its conditions and events", NULL, NULL, FALSE, run};
