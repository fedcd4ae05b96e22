/* container: the runs of one container. */
#include "local/kubelet/container.h"
#include <string.h>

enum { MESSAGE_LIMIT = 4096, FIRST_BACKOFF_S = 10, MOST_BACKOFF_S = 300 };

static void end_clear(ContainerEnd *end)
{
    g_free(end->reason);
    g_free(end->message);
    memset(end, 0, sizeof *end);
}

Container *container_new(const char *name, const char *image, gboolean init)
{
    Container *container = g_new0(Container, 1);
    container->name = g_strdup(name);
    container->image = g_strdup(image);
    container->init = init;
    return container;
}

void container_free(Container *container)
{
    g_free(container->name);
    g_free(container->image);
    g_free(container->wait_reason);
    g_free(container->wait_message);
    end_clear(&container->end);
    end_clear(&container->last);
    g_free(container);
}

gboolean container_wait(Container *container, const char *reason, const char *message)
{
    gboolean changed = container->phase != CONTAINER_WAITING || g_strcmp0(container->wait_reason, reason) ||
                       g_strcmp0(container->wait_message, message);

    container->phase = CONTAINER_WAITING;
    container->ready = FALSE;
    if (changed) {
        g_free(container->wait_reason);
        g_free(container->wait_message);
        container->wait_reason = g_strdup(reason);
        container->wait_message = g_strdup(message);
    }
    return changed;
}

void container_terminated(Container *container, int exit_code, const char *reason, char *message, gint64 now)
{
    end_clear(&container->end);
    container->end.exit_code = exit_code;
    container->end.started_at = container->started_at;
    container->end.finished_at = now;
    container->end.reason = g_strdup(reason);
    container->end.message = message;
    container->phase = CONTAINER_TERMINATED;
    container->ready = FALSE;
    memset(&container->sandbox, 0, sizeof container->sandbox);
}

void container_next_run(Container *container)
{
    end_clear(&container->last);
    container->last = container->end;
    memset(&container->end, 0, sizeof container->end);
    container->run++;
    container->probe_failures = container->probe_successes = 0;
    container->ended_by_us = container->asked_to_end = FALSE;
}

gint64 container_backoff_us(guint crashes)
{
    gint64 seconds = FIRST_BACKOFF_S;

    if (crashes <= 1)
        return 0;
    for (guint i = 2; i < crashes && seconds < MOST_BACKOFF_S; i++)
        seconds *= 2;
    return MIN(seconds, MOST_BACKOFF_S) * G_USEC_PER_SEC;
}

gboolean container_runs_again(const char *policy, int exit_code)
{
    return !strcmp(policy, "Always") || (!strcmp(policy, "OnFailure") && exit_code != 0);
}

char *container_message(const char *text, gsize size)
{
    if (size > MESSAGE_LIMIT) {
        text += size - MESSAGE_LIMIT;
        size = MESSAGE_LIMIT;
        while (size && (*text & 0xc0) == 0x80) {
            text++;
            size--;
        }
    }
    return g_utf8_make_valid(text, size);
}

char *time_text(gint64 us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    return g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
}

static json_t *terminated(const ContainerEnd *end)
{
    g_autofree char *started = time_text(end->started_at), *finished = time_text(end->finished_at);
    json_t *json = json_pack("{s:i,s:s,s:s,s:s}", "exitCode", end->exit_code, "reason", end->reason,
                             "startedAt", started, "finishedAt", finished);
    if (end->message && *end->message)
        json_object_set_new(json, "message", json_string(end->message));
    return json;
}

json_t *container_status(const Container *container, const char *pod_uid)
{
    g_autofree char *id = g_strdup_printf("bubblewrap://%s-%s-%u", pod_uid, container->name, container->run);
    json_t *status =
        json_pack("{s:s,s:s,s:s,s:i,s:b,s:b,s:{},s:{}}", "name", container->name, "image", container->image,
                  "imageID", container->image, "restartCount", container->run, "ready", container->ready,
                  "started", container->phase == CONTAINER_RUNNING, "state", "lastState");
    json_t *state = json_object_get(status, "state");

    if (container->phase != CONTAINER_WAITING || container->run)
        json_object_set_new(status, "containerID", json_string(id));
    if (container->phase == CONTAINER_RUNNING) {
        g_autofree char *started = time_text(container->started_at);
        json_set_at_new(state, "running.startedAt", json_string(started));
    } else if (container->phase == CONTAINER_TERMINATED) {
        json_object_set_new(state, "terminated", terminated(&container->end));
    } else {
        json_set_at_new(state, "waiting.reason",
                        json_string(container->wait_reason ? container->wait_reason : "PodInitializing"));
        if (container->wait_message)
            json_set_at_new(state, "waiting.message", json_string(container->wait_message));
    }
    /* While it waits for its next run, the run that just ended is the last one. */
    const ContainerEnd *last = container->phase == CONTAINER_WAITING && container->end.finished_at
                                   ? &container->end
                                   : &container->last;
    if (last->finished_at)
        json_set_at_new(status, "lastState.terminated", terminated(last));
    return status;
}

static json_t *end_state(const ContainerEnd *end)
{
    return json_pack("{s:i,s:I,s:I,s:s?,s:s?}", "exitCode", end->exit_code, "startedAt",
                     (json_int_t)end->started_at, "finishedAt", (json_int_t)end->finished_at, "reason",
                     end->reason, "message", end->message);
}

static void end_from_state(ContainerEnd *end, const json_t *state)
{
    end->exit_code = json_int_at(state, "exitCode", 0);
    end->started_at = json_int_at(state, "startedAt", 0);
    end->finished_at = json_int_at(state, "finishedAt", 0);
    end->reason = g_strdup(json_string_at(state, "reason", NULL));
    end->message = g_strdup(json_string_at(state, "message", NULL));
}

json_t *container_state(const Container *container)
{
    const Sandbox *sandbox = &container->sandbox;
    return json_pack("{s:s,s:s,s:b,s:i,s:i,s:s?,s:s?,s:{s:i,s:i,s:I,s:I},s:I,s:o,s:o,s:I,s:i,s:b,s:b}",
                     "name", container->name, "image", container->image, "init", container->init, "run",
                     container->run, "phase", container->phase, "waitReason", container->wait_reason,
                     "waitMessage", container->wait_message, "sandbox", "outer", (int)sandbox->outer, "inner",
                     (int)sandbox->inner, "outerStart", (json_int_t)sandbox->outer_start, "innerStart",
                     (json_int_t)sandbox->inner_start, "startedAt", (json_int_t)container->started_at, "end",
                     end_state(&container->end), "last", end_state(&container->last), "retryAt",
                     (json_int_t)container->retry_at, "crashes", container->crashes, "ready",
                     container->ready, "endedByUs", container->ended_by_us);
}

Container *container_from_state(const json_t *state)
{
    Container *container =
        container_new(json_string_at(state, "name", ""), json_string_at(state, "image", ""),
                      json_bool_at(state, "init", FALSE));

    container->run = json_int_at(state, "run", 0);
    container->phase = json_int_at(state, "phase", 0);
    container->wait_reason = g_strdup(json_string_at(state, "waitReason", NULL));
    container->wait_message = g_strdup(json_string_at(state, "waitMessage", NULL));
    container->sandbox.outer = json_int_at(state, "sandbox.outer", 0);
    container->sandbox.inner = json_int_at(state, "sandbox.inner", 0);
    container->sandbox.outer_start = json_int_at(state, "sandbox.outerStart", 0);
    container->sandbox.inner_start = json_int_at(state, "sandbox.innerStart", 0);
    container->started_at = json_int_at(state, "startedAt", 0);
    end_from_state(&container->end, json_object_get(state, "end"));
    end_from_state(&container->last, json_object_get(state, "last"));
    container->retry_at = json_int_at(state, "retryAt", 0);
    container->crashes = json_int_at(state, "crashes", 0);
    container->ready = json_bool_at(state, "ready", FALSE);
    container->ended_by_us = json_bool_at(state, "endedByUs", FALSE);
    return container;
}
