/* measure: how many VMs a second the rules judge in this process; a part of bench/policy, not of Gantry.
 *
 * measure POLICIES REQUEST THREADS SECONDS, REQUEST a file with {"input": …}, prints {"count": N, "cpu":
 * SECONDS, "wall": SECONDS}.
 */
#include "policy/rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    Rules *rules;
    const char *request;
    gint64 until;
    guint count;
} Runner;

static gpointer run(gpointer data)
{
    Runner *runner = data;

    while (g_get_monotonic_time() < runner->until) {
        g_autoptr(RegoValue) body =
            rules_parse_request(runner->rules, runner->request, strlen(runner->request), NULL);
        g_autoptr(RegoValue) input = rego_value_member(body, "input");
        g_autofree char *answer = NULL;
        if (!rules_evaluate(runner->rules, "io/konveyor/forklift/vmware/validate", input, &answer, NULL))
            abort();
        runner->count++;
    }
    return NULL;
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void measure(Rules *rules, const char *request, int threads, int seconds)
{
    g_autofree Runner *runners = g_new0(Runner, threads);
    g_autofree GThread **started = g_new0(GThread *, threads);
    gint64 begin = g_get_monotonic_time();
    double cpu = cpu_seconds();
    guint count = 0;

    for (int i = 0; i < threads; i++) {
        runners[i] = (Runner){rules, request, begin + seconds * G_TIME_SPAN_SECOND, 0};
        started[i] = g_thread_new("measure", run, &runners[i]);
    }
    for (int i = 0; i < threads; i++) {
        g_thread_join(started[i]);
        count += runners[i].count;
    }
    printf("{\"count\": %u, \"cpu\": %.3f, \"wall\": %.3f}\n", count, cpu_seconds() - cpu,
           (g_get_monotonic_time() - begin) / 1e6);
}

int main(int argc, char **argv)
{
    const char *directories[] = {argc > 1 ? argv[1] : "", NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *request = NULL;

    if (argc != 5) {
        fprintf(stderr, "usage: measure POLICIES REQUEST THREADS SECONDS\n");
        return 2;
    }
    g_autoptr(Rules) rules = rules_load(directories, FALSE, &error);
    if (!rules || !g_file_get_contents(argv[2], &request, NULL, &error)) {
        fprintf(stderr, "measure: %s\n", error->message);
        return 1;
    }
    measure(rules, request, atoi(argv[3]), atoi(argv[4]));
    return 0;
}
