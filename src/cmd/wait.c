/* gantry wait: until an object is as it should be. */
#include "cmd/kinds.h"
#include "cmd/plan_argument.h"
#include "cmd/plan_words.h"
#include "cmd/print.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

static struct {
    char *condition;
    int timeout;
} given = {.timeout = 3600};

static const GOptionEntry options[] = {
    {"for", 0, 0, G_OPTION_ARG_STRING, &given.condition,
     "Ready (when not given), Succeeded, Executing, Ended or another", "CONDITION"},
    {"timeout", 't', 0, G_OPTION_ARG_INT, &given.timeout, "At most so long (3600)", "SECONDS"},
    G_OPTION_ENTRY_NULL,
};

/* Who waits for success does not wait on after a failure. */
static gboolean hopeless(const Object *object, GError **error)
{
    static const char *const ends[] = {"Failed", "Canceled"};

    if (!strcmp(given.condition, "Ready"))
        return FALSE; /* a provider that is away may come back */
    for (guint i = 0; i < G_N_ELEMENTS(ends); i++)
        if (strcmp(given.condition, ends[i]) && object_condition(object, ends[i]) &&
            !object_condition(object, "Executing")) {
            g_set_error(error, GANTRY_ERROR, ERROR_NOT_READY, "%s is %s; gantry report %s says more",
                        object_name(object), ends[i], object_name(object));
            return TRUE;
        }
    return FALSE;
}

/* As wait_for_condition() for the end of a plan's migration, whichever it is. */
static gboolean wait_for_end(Session *session, const char *name, Object **last, GError **error)
{
    gint64 until = g_get_monotonic_time() + (gint64)given.timeout * G_USEC_PER_SEC;

    for (;;) {
        g_clear_pointer(last, object_unref);
        *last = kube_get(session->kube, &KUBE_PLAN, session->ns, name, NULL, error);
        if (!*last || plan_ended(object_json(*last)))
            return *last != NULL;
        if (g_get_monotonic_time() >= until)
            return FALSE;
        g_usleep(G_USEC_PER_SEC / 2);
    }
}

/* What is said to stand in its way; NULL: nothing is. */
static const json_t *obstacle(const Object *object)
{
    static const char *const categories[] = {"Critical", "Error"};
    const json_t *condition;
    size_t i;

    json_array_foreach (json_at(object_json(object), "status.conditions"), i, condition)
        for (guint n = 0; n < G_N_ELEMENTS(categories); n++)
            if (!strcmp(json_string_at(condition, "category", ""), categories[n]) &&
                !strcmp(json_string_at(condition, "status", ""), "True"))
                return condition;
    return NULL;
}

static int say_late(char **words, const Object *object)
{
    const json_t *condition = obstacle(object);

    fprintf(stderr, "gantry wait: %s %s is not %s after %d s", words[0], words[1], given.condition,
            given.timeout);
    if (condition)
        fprintf(stderr, ": %s: %s", json_string_at(condition, "type", ""),
                json_string_at(condition, "message", ""));
    fputc('\n', stderr);
    return EXIT_TIMED_OUT;
}

static int run(Session *session, char **words, GError **error)
{
    const Kind *kind =
        words_count(words, 2, 2, "KIND and NAME", error) ? kind_find_object(words[0], error) : NULL;
    const KubeResource *resource;
    g_autoptr(Object) object = NULL, last = NULL;
    gboolean there;

    if (!kind)
        return EXIT_USAGE;
    if (!given.condition)
        given.condition = "Ready";
    object = kind_get(kind, session->kube, session->ns, words[1], &resource, error);
    if (!object)
        return EXIT_FAILED;
    there = resource == &KUBE_PLAN && !strcmp(given.condition, "Ended")
                ? wait_for_end(session, words[1], &last, error)
                : wait_for_condition(session->kube, resource, session->ns, words[1], given.condition,
                                     MAX(given.timeout, 0), hopeless, &last, error);
    if (there) {
        g_autofree char *done = g_strdup_printf("is %s", given.condition);
        print_change(object_json(last), session->output, done);
        return EXIT_DONE;
    }
    if (*error)
        return EXIT_FAILED;
    return say_late(words, last);
}

const Verb verb_wait = {"wait",
                        "KIND NAME",
                        "wait until an object is ready, or a plan has ended",
                        "  gantry wait provider vcenter\n"
                        "  gantry wait plan demo --for Succeeded --timeout 7200\n\n"
                        "Exit status: 0 it is, 1 it cannot be any more, 3 the time is over.",
                        options,
                        FALSE,
                        run};
