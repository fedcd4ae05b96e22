/* api: requests in, records out; a pool of threads that gather. */
#include "gather/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "gather/command.h"
#include "gather/gather.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MOST_AT_ONCE = 2,
    MOST_WAITING = 20,
    BODY_LIMIT = 64 * 1024,
    TIMEOUT_S = 20 * 60,
    SWEEP_EVERY_S = 3600
};

struct GatherApi {
    KubeClient *client;
    Authorizer *authorizer;
    Records *records;
    HttpServer *server;
    GThreadPool *pool;
    GCancellable *stopping;
    GThread *sweeper;
    char *cluster_ca;
    guint timeout_s;
    gint64 keep_s;
};

/* ---- gathering ---- */

typedef struct {
    gint64 id;
    char *token; /* secret */
    GatherCommand command;
    guint timeout_s;
} Job;

static void job_free(Job *job)
{
    explicit_bzero(job->token, strlen(job->token));
    g_free(job->token);
    gather_command_clear(&job->command);
    g_free(job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Job, job_free)

/* A gathering's time limit, until done is cancelled. */
typedef struct {
    GCancellable *cancel, *done;
    guint seconds;
} Limit;

static gpointer keep_limit(gpointer data)
{
    Limit *limit = data;

    if (clock_wait(limit->seconds * 1000, limit->done))
        g_cancellable_cancel(limit->cancel);
    return NULL;
}

static gboolean gather_for(GatherApi *api, const Job *job, const char *path, guint *files,
                           GCancellable *cancel, GError **error)
{
    g_autoptr(KubeClient) client = kube_client_new_token(
        kube_client_server(api->client), &(HttpTrust){.ca_pem = api->cluster_ca}, job->token, error);
    GatherOptions options = {.filter = {job->command.ns, job->command.plan, job->command.vm}, .path = path};

    return client && gather(client, &options, files, cancel, error);
}

static void forward_stop(GCancellable *stopping, gpointer cancel)
{
    g_cancellable_cancel(cancel);
}

static gboolean gather_in_time(GatherApi *api, const Job *job, const char *path, guint *files, GError **error)
{
    g_autoptr(GCancellable) cancel = g_cancellable_new(), over = g_cancellable_new();
    Limit limit = {.cancel = cancel, .done = over, .seconds = job->timeout_s};
    gulong stop = g_cancellable_connect(api->stopping, G_CALLBACK(forward_stop), cancel, NULL);
    GThread *keeper = g_thread_new("gather limit", keep_limit, &limit);
    gboolean done = gather_for(api, job, path, files, cancel, error);

    g_cancellable_cancel(over);
    g_thread_join(keeper);
    g_cancellable_disconnect(api->stopping, stop);
    if (!done && g_cancellable_is_cancelled(cancel) && !g_cancellable_is_cancelled(api->stopping)) {
        g_clear_error(error);
        g_set_error(error, GANTRY_ERROR, ERROR_CANCELED, "not done within its timeout of %u s",
                    job->timeout_s);
    }
    return done;
}

static void change(GatherApi *api, gint64 id, json_t *changes)
{
    g_autoptr(GError) error = NULL;

    if (!records_change(api->records, id, changes, &error))
        log_error("a record cannot be kept", "error", error->message, NULL);
}

static void run_job(gpointer data, gpointer user_data)
{
    GatherApi *api = user_data;
    g_autoptr(Job) job = data;
    g_autofree char *path = records_archive(api->records, job->id), *output = NULL;
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job->id);
    g_autoptr(GError) error = NULL;
    GStatBuf found = {0};
    guint files;

    change(api, job->id, json_pack("{s:s}", "status", "inprogress"));
    log_info("gathering", "id", id, "namespace", job->command.ns, "name", job->command.plan, "vm",
             job->command.vm, NULL);
    if (gather_in_time(api, job, path, &files, &error) && !g_stat(path, &found)) {
        output = g_strdup_printf("%u files", files);
        change(api, job->id,
               json_pack("{s:s, s:I, s:s}", "status", "completed", "archive-size", (json_int_t)found.st_size,
                         "exec-output", output));
        return;
    }
    if (error)
        output = g_strdup_printf("%s. %s", error->message, error_remedy(error));
    else
        output = g_strdup("the archive is gone");
    log_warn("gathering failed", "id", id, "error", output, NULL);
    change(api, job->id, json_pack("{s:s, s:s}", "status", "error", "exec-output", output));
}

/* ---- requests ---- */

static void reply_json(HttpExchange *x, guint status, json_t *take)
{
    g_autoptr(json_t) json = take;
    g_autofree char *text = json_text(json);
    http_exchange_reply_text(x, status, "application/json", text);
}

static void reply_error(HttpExchange *x, guint status, const char *why)
{
    reply_json(x, status, json_pack("{s:s}", "error", why));
}

/* What clients of the original get where there is nothing. */
static json_t *empty_record(void)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "id", 0, "custom-name", "", "status", "",
                     "image", "", "command", "", "archive-size", 0, "archive-name", "", "exec-output", "");
}

static gboolean is_allowed(GatherApi *api, HttpExchange *x)
{
    static const Access everything = {"*", "*", "*", NULL, NULL};
    g_autofree char *reason = NULL;

    if (!authorizer_check(api->authorizer, http_exchange_header(x, "Authorization"), &everything, &reason,
                          http_exchange_cancellable(x)))
        return TRUE;
    reply_error(x, 401, reason);
    return FALSE;
}

/* The members that a client may set, checked, as a new record. */
static json_t *read_request(HttpExchange *x, GError **error)
{
    static const char *const members[] = {"image",      "image-stream", "node-name", "command",
                                          "source-dir", "timeout",      "server",    "custom-name"};
    GBytes *body = http_exchange_body(x);
    g_autoptr(json_t) asked = NULL, record = json_object();

    asked = g_bytes_get_size(body)
                ? json_parse(g_bytes_get_data(body, NULL), g_bytes_get_size(body), BODY_LIMIT, "body", error)
                : json_object();
    for (guint i = 0; asked && i < G_N_ELEMENTS(members); i++) {
        const json_t *member = json_object_get(asked, members[i]);
        const char *text = member ? json_string_value(member) : "";
        if (!text ||
            strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_~/:.=@ -") !=
                strlen(text)) {
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                        "%s: must be a text of letters, digits, blanks and any of _ ~ / : . = @ -",
                        members[i]);
            return NULL;
        }
        json_object_set_new(record, members[i], json_string(text));
    }
    if (!asked)
        return NULL;
    const char *name = json_string_at(record, "custom-name", "");
    g_autofree char *archive = g_strdup_printf("must-gather%s%s.tar.gz", *name ? "-" : "", name);
    json_object_set_new(record, "archive-name", json_string(g_strdelimit(archive, "/", '-')));
    return g_steal_pointer(&record);
}

static void add(GatherApi *api, HttpExchange *x)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) record = read_request(x, &error);
    g_autoptr(Job) job = g_new0(Job, 1);

    job->token = g_strdup(http_exchange_header(x, "Authorization") + strlen("Bearer "));
    if (!record || !gather_command_parse(json_string_at(record, "command", ""), &job->command, &error) ||
        !gather_timeout_parse(json_string_at(record, "timeout", ""), &job->timeout_s, &error)) {
        reply_error(x, 400, error->message);
        return;
    }
    if (records_waiting(api->records) >= MOST_WAITING) {
        reply_error(x, 503, "too many gatherings are waiting; ask again when some are done");
        return;
    }
    if (!job->timeout_s)
        job->timeout_s = api->timeout_s;
    job->id = records_add(api->records, record, &error);
    if (!job->id) {
        reply_error(x, 500, error->message);
        return;
    }
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job->id);
    reply_json(x, 201, records_find(api->records, id));
    g_thread_pool_push(api->pool, g_steal_pointer(&job), NULL);
}

static void send_archive(GatherApi *api, HttpExchange *x, const char *id)
{
    g_autoptr(json_t) record = records_find(api->records, id);
    g_autofree char *path = NULL, *disposition = NULL;
    g_autoptr(GMappedFile) file = NULL;

    if (record && !strcmp(json_string_at(record, "status", ""), "completed")) {
        path = records_archive(api->records, json_int_at(record, "id", 0));
        file = g_mapped_file_new(path, FALSE, NULL);
    }
    if (!file) {
        http_exchange_reply(x, 404, NULL, NULL);
        return;
    }
    g_autoptr(GBytes) bytes = g_mapped_file_get_bytes(file);
    disposition = g_strdup_printf("attachment; filename=\"%s\"",
                                  json_string_at(record, "archive-name", "must-gather.tar.gz"));
    http_exchange_add_header(x, "Content-Disposition", disposition);
    http_exchange_reply(x, 200, "application/gzip", bytes);
}

static void serve_records(GatherApi *api, HttpExchange *x, char **parts)
{
    guint depth = g_strv_length(parts);
    gboolean get = !strcmp(http_exchange_method(x), "GET");

    if (depth == 1 && get)
        reply_json(x, 200, records_list(api->records));
    else if (depth == 1 && !strcmp(http_exchange_method(x), "POST"))
        add(api, x);
    else if (depth == 2 && get) {
        json_t *record = records_find(api->records, parts[1]);
        reply_json(x, record ? 200 : 404, record ? record : empty_record());
    } else if (depth == 3 && get && !strcmp(parts[2], "data"))
        send_archive(api, x, parts[1]);
    else
        reply_error(x, depth <= 3 ? 405 : 404,
                    "GET or POST /must-gather, GET /must-gather/ID, GET /must-gather/ID/data");
}

static void handle(HttpExchange *x, gpointer user_data)
{
    GatherApi *api = user_data;
    g_auto(GStrv) parts = g_strsplit(http_exchange_path(x) + 1, "/", 5);

    if (!*parts || !**parts)
        http_exchange_reply_text(x, 200, "text/plain", "Gantry's must-gather API " GANTRY_VERSION "\n");
    else if (strcmp(*parts, "must-gather"))
        reply_error(x, 404, "there is only /must-gather");
    else if (is_allowed(api, x))
        serve_records(api, x, parts);
}

/* ---- life ---- */

static gpointer sweep(gpointer data)
{
    GatherApi *api = data;

    do
        records_sweep(api->records, api->keep_s * G_TIME_SPAN_SECOND);
    while (clock_wait(SWEEP_EVERY_S * 1000, api->stopping));
    return NULL;
}

GatherApi *gather_api_start(KubeClient *client, const GatherApiOptions *options, GError **error)
{
    g_autoptr(Records) records = records_open(options->dir, error);
    g_autoptr(GatherApi) api = NULL;
    HttpServerOptions server = {.listen = options->listen,
                                .cert_pem = options->cert_pem,
                                .key_pem = options->key_pem,
                                .body_limit = BODY_LIMIT,
                                .handler = handle};

    if (!records)
        return NULL;
    api = g_new0(GatherApi, 1);
    api->client = kube_client_ref(client);
    api->authorizer = authorizer_new(client, TRUE);
    api->records = g_steal_pointer(&records);
    api->stopping = g_cancellable_new();
    api->cluster_ca = g_strdup(options->cluster_ca_pem);
    api->timeout_s = options->timeout_s ? options->timeout_s : TIMEOUT_S;
    api->keep_s = options->keep_s;
    api->pool = g_thread_pool_new(run_job, api, MOST_AT_ONCE, FALSE, NULL);
    if (api->keep_s >= 0)
        api->sweeper = g_thread_new("gather sweep", sweep, api);
    server.user_data = api;
    api->server = http_server_start(&server, error);
    return api->server ? g_steal_pointer(&api) : NULL;
}

guint gather_api_port(const GatherApi *api)
{
    return http_server_port(api->server);
}

void gather_api_stop(GatherApi *api)
{
    g_cancellable_cancel(api->stopping);
    g_clear_pointer(&api->server, http_server_stop);
    g_thread_pool_free(api->pool, FALSE, TRUE);
    if (api->sweeper)
        g_thread_join(api->sweeper);
    authorizer_free(api->authorizer);
    records_free(api->records);
    kube_client_unref(api->client);
    g_object_unref(api->stopping);
    g_free(api->cluster_ca);
    g_free(api);
}
