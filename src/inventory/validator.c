/* validator: one thread per provider decides what is to be checked, a few shared workers ask the service. */
#include "inventory/validator.h"
#include "base/clock.h"
#include "base/log.h"
#include "inventory/stock.h"
#include "net/http_client.h"
#include <malloc.h>
#include <string.h>

enum {
    TIMEOUT_S = 30,
    MOST_REPLY_SIZE = 1024 * 1024,
    DEFAULT_WORKERS = 10,
    DEFAULT_INTERVAL_S = 120,
    PAGE = 256,           /* VMs that are checked before what was found is written */
    FIRST_WAIT_MS = 1000, /* after a pass that could not be finished */
    MOST_WAIT_MS = 60000,
    SETTLE_MS = 200, /* changes come in bursts */
    PATIENCE_S = 30,      /* a service that is only starting is no problem to speak of */
};

struct Validator {
    char *url; /* NULL: no service */
    HttpClient *http;
    guint interval_s;
    GThreadPool *workers;
};

struct Validation {
    Validator *validator;
    Stock *stock;
    GCancellable *cancel;
    GThread *thread;

    GMutex lock;
    GCond woken;
    gboolean wake;
    char *problem;
    gint64 failing_since; /* monotonic; 0: it does not */
};

/* ---- one VM, on a worker ------------------------------------------------------------------------------- */

/* What a page's checks share. */
typedef struct {
    Validation *validation;
    const char *package;
    GMutex lock;
    GCond finished;
    guint pending;
} Page;

typedef struct {
    Page *page;
    char *vm_id;
    gint64 revision;
    gint64 policy_version;
    char *concerns; /* NULL: it could not be checked, error says why */
    GError *error;
} Check;

static void check_free(gpointer data)
{
    Check *check = data;

    g_free(check->vm_id);
    g_free(check->concerns);
    g_clear_error(&check->error);
    g_free(check);
}

/* tag, which may be NULL, gets the answer's ETag: our own service's changes with every change of a rule. */
static json_t *ask(Validator *validator, const char *package, const char *document, const json_t *input,
                   char **tag, GCancellable *cancel, GError **error)
{
    g_autofree char *url =
        g_strdup_printf("%s/v1/data/io/konveyor/forklift/%s/%s", validator->url, package, document);
    g_autofree char *text = input ? json_text(input) : NULL;
    g_autoptr(GBytes) body = text ? g_bytes_new_take(text, strlen(text)) : NULL;
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(json_t) answer = NULL;
    const char *answered;
    json_t *result;
    gsize size;

    g_steal_pointer(&text);
    reply = http_client_send(validator->http, body ? "POST" : "GET", url, NULL,
                             body ? "application/json" : NULL, body, MOST_REPLY_SIZE, cancel, error);
    if (!reply)
        return NULL;
    answered = g_bytes_get_data(reply->body, &size);
    answer =
        json_parse(answered ? answered : "", size, MOST_REPLY_SIZE, url, reply->status == 200 ? error : NULL);
    if (reply->status != 200) {
        g_set_error(error, GANTRY_ERROR, ERROR_VALIDATION, "%s answered %u: %s", url, reply->status,
                    json_string_at(answer, "message", ""));
        return NULL;
    }
    result = answer ? json_object_get(answer, "result") : NULL;
    if (answer && !json_is_object(result))
        g_set_error(error, GANTRY_ERROR, ERROR_VALIDATION, "%s has no rules for '%s'", validator->url,
                    package);
    if (tag)
        *tag = g_strdup(g_hash_table_lookup(reply->headers, "etag"));
    return json_is_object(result) ? json_incref(result) : NULL;
}

static json_t *load_workload(Stock *stock, const char *vm_id, GError **error)
{
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, error);
    g_autoptr(DocumentView) view = NULL;

    if (!snapshot)
        return NULL;
    view = stock_view(stock, snapshot);
    return document_workload(view, vm_id, error);
}

static char *concerns_of(const json_t *verdict, GError **error)
{
    const json_t *errors = json_object_get(verdict, "errors"),
                 *concerns = json_object_get(verdict, "concerns");

    if (json_array_size(errors)) {
        g_set_error(
            error, GANTRY_ERROR, ERROR_VALIDATION, "the rules refuse the VM's document: %s",
            json_string_value(json_array_get(errors, 0)) ? json_string_value(json_array_get(errors, 0)) : "");
        return NULL;
    }
    return json_is_array(concerns) ? json_text(concerns) : g_strdup("[]");
}

/* A VM whose host or cluster is not there cannot be judged, nor migrated. */
static char *concern_of_missing_part(const GError *error)
{
    g_autoptr(json_t) concerns = json_pack("[{s:s, s:s, s:s, s:s}]", "id", "", "category", "Critical",
                                           "label", error->message, "assessment", error->message);
    return json_text(concerns);
}

static void check_vm(Check *check)
{
    Validation *validation = check->page->validation;
    g_autoptr(json_t) workload = load_workload(validation->stock, check->vm_id, &check->error);
    g_autoptr(json_t) input = NULL, verdict = NULL;

    if (!workload) {
        if (g_error_matches(check->error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE))
            check->concerns = concern_of_missing_part(check->error);
        return;
    }
    input = json_pack("{s:O}", "input", workload);
    verdict = ask(validation->validator, check->page->package, "validate", input, NULL, validation->cancel,
                  &check->error);
    if (verdict)
        check->concerns = concerns_of(verdict, &check->error);
}

static void run_check(gpointer data, gpointer unused)
{
    Check *check = data;
    Page *page = check->page;

    if (!g_cancellable_is_cancelled(page->validation->cancel))
        check_vm(check);
    g_mutex_lock(&page->lock);
    if (--page->pending == 0)
        g_cond_signal(&page->finished);
    g_mutex_unlock(&page->lock);
}

/* ---- a page -------------------------------------------------------------------------------------------- */

typedef struct {
    GPtrArray *checks;
    GHashTable *failed; /* ids that this pass leaves alone */
    gint64 policy_version;
} Selection;

static gboolean select_vm(const Row *row, gpointer user_data)
{
    Selection *selection = user_data;
    Check *check;

    if (g_hash_table_contains(selection->failed, row->id))
        return TRUE;
    check = g_new0(Check, 1);
    check->vm_id = g_strdup(row->id);
    check->revision = row->revision;
    check->policy_version = selection->policy_version;
    g_ptr_array_add(selection->checks, check);
    return selection->checks->len < PAGE;
}

static GPtrArray *select_page(Stock *stock, GHashTable *failed, gint64 policy_version, GError **error)
{
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, error);
    g_autoptr(GPtrArray) checks = g_ptr_array_new_with_free_func(check_free);
    Selection selection = {.checks = checks, .failed = failed, .policy_version = policy_version};
    Query query = {.kind = "VM", .unvalidated = TRUE, .policy_version = policy_version, .limit = -1};

    if (!snapshot || !snapshot_each(snapshot, &query, select_vm, &selection, error))
        return NULL;
    return g_steal_pointer(&checks);
}

static void check_page(Validation *validation, const char *package, GPtrArray *checks)
{
    Page page = {.validation = validation, .package = package, .pending = checks->len};

    g_mutex_init(&page.lock);
    g_cond_init(&page.finished);
    for (guint i = 0; i < checks->len; i++) {
        Check *check = checks->pdata[i];
        check->page = &page;
        g_thread_pool_push(validation->validator->workers, check, NULL);
    }
    g_mutex_lock(&page.lock);
    while (page.pending)
        g_cond_wait(&page.finished, &page.lock);
    g_mutex_unlock(&page.lock);
    g_mutex_clear(&page.lock);
    g_cond_clear(&page.finished);
}

static gboolean write_checks(StockTransaction *transaction, GPtrArray *checks, GError **error)
{
    Database *database = stock_transaction_database(transaction);

    for (guint i = 0; i < checks->len; i++) {
        const Check *check = checks->pdata[i];
        if (check->concerns &&
            !database_put_validation(database, "VM", check->vm_id, check->revision, check->policy_version,
                                     check->concerns, stock_transaction_changed, transaction, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean write_page(Stock *stock, GPtrArray *checks, GError **error)
{
    StockTransaction *transaction = stock_begin(stock, "VM-validated", error);

    if (!transaction)
        return FALSE;
    if (write_checks(transaction, checks, error))
        return stock_commit(transaction, error);
    stock_roll_back(transaction);
    return FALSE;
}

/* ---- a pass -------------------------------------------------------------------------------------------- */

static const char *package_of(const char *provider_type)
{
    return strcmp(provider_type, "vsphere") ? provider_type : "vmware";
}

static gboolean note_rules(Database *database, const char *rules, GError **error)
{
    g_autofree char *before = database_get_word(database, "rules");

    if (!g_strcmp0(before, rules))
        return TRUE;
    return database_forget_validation(database, NULL, error) &&
           database_put_word(database, "rules", rules, error);
}

/* VMs are checked again when anything about the rules has changed, also with an equal number. */
static gboolean remember_rules(Stock *stock, const char *rules, GError **error)
{
    StockTransaction *transaction = stock_begin(stock, NULL, error);

    if (!transaction)
        return FALSE;
    if (note_rules(stock_transaction_database(transaction), rules, error))
        return stock_commit(transaction, error);
    stock_roll_back(transaction);
    return FALSE;
}

static gboolean read_rules(Validation *validation, const char *package, gint64 *version, GError **error)
{
    g_autofree char *tag = NULL, *text = NULL;
    g_autoptr(json_t) result =
        ask(validation->validator, package, "rules_version", NULL, &tag, validation->cancel, error);

    if (!result)
        return FALSE;
    *version = json_int_at(result, "rules_version", 0);
    text = g_strdup_printf("%" G_GINT64_FORMAT " %s", *version, tag ? tag : "");
    return remember_rules(validation->stock, text, error);
}

/* Keeps the first thing that went wrong: the rest is most often the same. */
static void note_failures(GPtrArray *checks, GHashTable *failed, GError **error)
{
    for (guint i = 0; i < checks->len; i++) {
        Check *check = checks->pdata[i];
        if (check->concerns)
            continue;
        g_hash_table_add(failed, g_strdup(check->vm_id));
        if (check->error && !*error &&
            !g_error_matches(check->error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND)) /* deleted meanwhile */
            g_propagate_prefixed_error(error, g_steal_pointer(&check->error), "VM '%s': ", check->vm_id);
    }
}

static void accept_all(GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++) {
        Check *check = checks->pdata[i];
        check->concerns = g_strdup("[]");
    }
}

static gboolean is_unreachable(const GError *error)
{
    return error && (g_error_matches(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE) ||
                     g_error_matches(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE));
}

static gboolean run_pass(Validation *validation, GError **error)
{
    const char *package = package_of(stock_type(validation->stock));
    g_autoptr(GHashTable) failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) first = NULL;
    gint64 version = 0;

    if (validation->validator->url && !read_rules(validation, package, &version, error))
        return FALSE;
    while (!g_cancellable_is_cancelled(validation->cancel) && !is_unreachable(first)) {
        g_autoptr(GPtrArray) checks = select_page(validation->stock, failed, version, error);
        if (!checks)
            return FALSE;
        if (!checks->len)
            break;
        if (validation->validator->url)
            check_page(validation, package, checks);
        else
            accept_all(checks);
        note_failures(checks, failed, &first);
        if (!write_page(validation->stock, checks, error))
            return FALSE;
    }
    if (first)
        g_propagate_error(error, g_steal_pointer(&first));
    return *error == NULL;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

/* Waits until something has changed, or that long. */
static void wait_for_work(Validation *validation, guint ms)
{
    gint64 until = g_get_monotonic_time() + (gint64)ms * G_TIME_SPAN_MILLISECOND;

    g_mutex_lock(&validation->lock);
    while (!validation->wake && !g_cancellable_is_cancelled(validation->cancel) &&
           g_get_monotonic_time() < until)
        g_cond_wait_until(&validation->woken, &validation->lock, until);
    validation->wake = FALSE;
    g_mutex_unlock(&validation->lock);
}

/* Says once that it fails and once that it works again. */
static void note_problem(Validation *validation, const GError *error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&validation->lock);
    const char *message = error ? error->message : NULL;
    gint64 now = g_get_monotonic_time();

    validation->failing_since = !error ? 0 : validation->failing_since ? validation->failing_since : now;
    if (error && now - validation->failing_since < PATIENCE_S * G_TIME_SPAN_SECOND)
        return;
    if (!g_strcmp0(validation->problem, message))
        return;
    if (message)
        log_warn("VMs cannot be validated; they keep their old concerns", "provider",
                 stock_uid(validation->stock), "error", message, NULL);
    else
        log_info("VMs are validated again", "provider", stock_uid(validation->stock), NULL);
    g_free(validation->problem);
    validation->problem = g_strdup(message);
}

static gpointer run(gpointer data)
{
    Validation *validation = data;
    guint failures = 0;

    wait_for_work(validation, G_MAXINT); /* until the provider is complete for the first time */
    while (!g_cancellable_is_cancelled(validation->cancel)) {
        g_autoptr(GError) error = NULL;
        guint wait_ms = validation->validator->interval_s * 1000;

        if (stock_wait_ready(validation->stock, 0, NULL)) /* while it loads, hosts may not have been said yet */
            run_pass(validation, &error);
        malloc_trim(0); /* many documents were read and are not needed again */
        if (g_cancellable_is_cancelled(validation->cancel))
            break;
        note_problem(validation, error);
        failures = error ? failures + 1 : 0;
        if (failures) /* a service that is down is not asked at every change */
            g_usleep(SETTLE_MS * 1000);
        wait_for_work(validation, failures
                                      ? MIN(wait_ms, backoff_ms(failures - 1, FIRST_WAIT_MS, MOST_WAIT_MS))
                                      : wait_ms);
        g_usleep(SETTLE_MS * 1000);
    }
    return NULL;
}

Validation *validation_start(Validator *validator, Stock *stock)
{
    Validation *validation = g_new0(Validation, 1);

    validation->validator = validator;
    validation->stock = stock;
    validation->cancel = g_cancellable_new();
    g_mutex_init(&validation->lock);
    g_cond_init(&validation->woken);
    validation->thread = g_thread_new("validation", run, validation);
    return validation;
}

void validation_stop(Validation *validation)
{
    g_cancellable_cancel(validation->cancel);
    validation_wake(validation);
    g_thread_join(validation->thread);
    g_object_unref(validation->cancel);
    g_mutex_clear(&validation->lock);
    g_cond_clear(&validation->woken);
    g_free(validation->problem);
    g_free(validation);
}

void validation_wake(Validation *validation)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&validation->lock);
    validation->wake = TRUE;
    g_cond_signal(&validation->woken);
}

char *validation_problem(Validation *validation)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&validation->lock);
    return g_strdup(validation->problem);
}

/* ---- the service --------------------------------------------------------------------------------------- */

static char *without_slash(const char *url)
{
    char *copy = g_strdup(url);
    while (g_str_has_suffix(copy, "/"))
        copy[strlen(copy) - 1] = 0;
    return copy;
}

Validator *validator_new(const ValidatorOptions *options, GError **error)
{
    Validator *validator = g_new0(Validator, 1);
    HttpTrust trust = {.ca_pem = options->ca_pem, .insecure = options->insecure};

    validator->interval_s = options->interval_s ? options->interval_s : DEFAULT_INTERVAL_S;
    if (options->url && *options->url) {
        gboolean plain = g_str_has_prefix(options->url, "http://");
        validator->url = without_slash(options->url);
        validator->http = http_client_new(plain ? NULL : &trust, TIMEOUT_S, error);
        if (!validator->http) {
            g_free(validator->url);
            g_free(validator);
            return NULL;
        }
    }
    validator->workers = g_thread_pool_new(
        run_check, NULL, options->workers ? options->workers : DEFAULT_WORKERS, FALSE, NULL);
    return validator;
}

void validator_free(Validator *validator)
{
    if (!validator)
        return;
    g_thread_pool_free(validator->workers, FALSE, TRUE);
    g_clear_pointer(&validator->http, http_client_free);
    g_free(validator->url);
    g_free(validator);
}
