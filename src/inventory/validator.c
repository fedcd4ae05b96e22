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
    MOST_REPLY_SIZE = 16 * 1024 * 1024,
    DEFAULT_WORKERS = 10,
    DEFAULT_INTERVAL_S = 120,
    PAGE = 1024,          /* VMs that are checked before what was found is written */
    BATCH = 64,           /* VMs that are asked about in one request, by a service that takes several */
    BATCH_SIZE = 1 << 20, /* bytes of what level 1 shows of them */
    LOOK_S = 1,           /* how often the version of the rules is asked for */
    FIRST_WAIT_MS = 1000, /* after a pass that could not be finished */
    MOST_WAIT_MS = 10000,
    SETTLE_MS = 200, /* changes come in bursts */
    PATIENCE_S = 30, /* a service that is only starting is no problem to speak of */
};

struct Validator {
    char *url; /* NULL: no service */
    HttpClient *http;
    guint interval_s; /* atomic */
    GThreadPool *workers;
    gint singly; /* atomic: the service takes one VM a request */
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

    gboolean has_rules; /* the last pass could ask for them; of the thread alone */
    char *rules;        /* what the service said of its rules at the last pass; of the thread alone */
};

/* ---- questions to the service -------------------------------------------------------------------------- */

/* tag, which may be NULL, gets the answer's ETag: our own service's changes with every change of a rule. */
static json_t *ask(Validator *validator, const char *root, const char *package, const char *document,
                   const char *text, guint *status, char **tag, GCancellable *cancel, GError **error)
{
    g_autofree char *url =
        g_strdup_printf("%s/v1/%s/io/konveyor/forklift/%s/%s", validator->url, root, package, document);
    g_autoptr(GBytes) body = text ? g_bytes_new_static(text, strlen(text)) : NULL;
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(json_t) answer = NULL;
    const char *answered;
    gsize size;

    reply = http_client_send(validator->http, body ? "POST" : "GET", url, NULL,
                             body ? "application/json" : NULL, body, MOST_REPLY_SIZE, cancel, error);
    if (!reply)
        return NULL;
    answered = g_bytes_get_data(reply->body, &size);
    *status = reply->status;
    answer =
        json_parse(answered ? answered : "", size, MOST_REPLY_SIZE, url, reply->status == 200 ? error : NULL);
    if (reply->status != 200 && !json_object_get(answer, "responses")) {
        g_set_error(error, GANTRY_ERROR, ERROR_VALIDATION, "%s answered %u: %s", url, reply->status,
                    json_string_at(answer, "message", ""));
        return NULL;
    }
    if (tag)
        *tag = g_strdup(g_hash_table_lookup(reply->headers, "etag"));
    return g_steal_pointer(&answer);
}

static gboolean has_result(const json_t *answer, const char *package, GError **error)
{
    if (json_is_object(json_object_get(answer, "result")))
        return TRUE;
    if (json_object_get(answer, "message"))
        g_set_error(error, GANTRY_ERROR, ERROR_VALIDATION, "%s", json_string_at(answer, "message", ""));
    else
        g_set_error(error, GANTRY_ERROR, ERROR_VALIDATION, "the validation service has no rules for '%s'",
                    package);
    return FALSE;
}

/* ---- some VMs, on a worker ----------------------------------------------------------------------------- */

/* Checks that are written together, and what they share. */
typedef struct {
    Validation *validation;
    const char *package;
    GPtrArray *checks; /* of Check; a worker's while it has them */
    GHashTable *ids;   /* of the checks, borrowed */
    guint forgets;     /* stock_forgets() before anything was read */
    GMutex lock;
    GCond finished;
    guint pending; /* chunks */
} Page;

typedef struct {
    char *vm_id;
    gint64 revision;
    gint64 policy_version;
    gsize size; /* of what level 1 shows of it */
    json_t *workload;
    char *concerns; /* NULL: it could not be checked, error says why */
    GError *error;
} Check;

/* What a worker does in one go: some of a page's checks, which it alone touches. */
typedef struct {
    Page *page;
    Check **checks;
    guint len;
} Chunk;

static void check_free(gpointer data)
{
    Check *check = data;

    g_free(check->vm_id);
    json_decref(check->workload);
    g_free(check->concerns);
    g_clear_error(&check->error);
    g_free(check);
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

static void load_workload(DocumentView *view, Check *check)
{
    check->workload = document_workload(view, check->vm_id, &check->error);
    if (!check->workload && g_error_matches(check->error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE))
        check->concerns = concern_of_missing_part(check->error);
}

static void take_answer(Check *check, const json_t *answer, const char *package)
{
    if (has_result(answer, package, &check->error))
        check->concerns = concerns_of(json_object_get(answer, "result"), &check->error);
}

static void ask_single(Chunk *chunk, Check *check)
{
    Validation *validation = chunk->page->validation;
    g_autoptr(json_t) body = json_pack("{s:O}", "input", check->workload), answer = NULL;
    g_autofree char *text = json_text(body);
    guint status;

    answer = ask(validation->validator, "data", chunk->page->package, "validate", text, &status, NULL,
                 validation->cancel, &check->error);
    if (answer)
        take_answer(check, answer, chunk->page->package);
}

/* The members that a document shares with the first one (its host): they are sent once. */
static json_t *without_common(const json_t *workload, const json_t *common)
{
    json_t *own = json_object(), *value;
    const char *key;

    json_object_foreach ((json_t *)workload, key, value) {
        if (json_object_get(common, key) != value)
            json_object_set(own, key, value);
    }
    return own;
}

static json_t *objects_of(const json_t *workload)
{
    json_t *objects = json_object(), *value;
    const char *key;

    json_object_foreach ((json_t *)workload, key, value) {
        if (json_is_object(value))
            json_object_set(objects, key, value);
    }
    return objects;
}

/* Asks about several VMs at once. FALSE: the service does not take that; nothing has been noted then. */
static gboolean ask_batch(Chunk *chunk, Check **checks, guint len)
{
    Validation *validation = chunk->page->validation;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) inputs = json_object();
    g_autoptr(json_t) common = objects_of(checks[0]->workload);
    g_autoptr(json_t) body = json_pack("{s:O, s:O}", "inputs", inputs, "common_input", common);
    g_autoptr(json_t) answer = NULL;
    g_autofree char *text = NULL;
    guint status = 0;

    for (guint i = 0; i < len; i++)
        json_object_set_new(inputs, checks[i]->vm_id, without_common(checks[i]->workload, common));
    text = json_text(body);
    answer = ask(validation->validator, "batch/data", chunk->page->package, "validate", text, &status, NULL,
                 validation->cancel, &error);
    if (!answer && (status == 404 || status == 405 || status == 413))
        return FALSE;
    for (guint i = 0; i < len; i++) {
        const json_t *one = json_object_get(json_object_get(answer, "responses"), checks[i]->vm_id);
        if (error)
            checks[i]->error = g_error_copy(error);
        else
            take_answer(checks[i], one, chunk->page->package);
    }
    return TRUE;
}

/* Those of a chunk that have to be asked about, as long as their documents are not too large together. */
static guint gather(Chunk *chunk, guint from, DocumentView *view, GPtrArray *asked)
{
    gsize size = 0;

    for (; from < chunk->len && size < BATCH_SIZE; from++) {
        Check *check = chunk->checks[from];
        load_workload(view, check);
        if (!check->workload)
            continue;
        g_ptr_array_add(asked, check);
        size += check->size;
    }
    return from;
}

static void ask_about(Chunk *chunk, GPtrArray *asked)
{
    Validator *validator = chunk->page->validation->validator;
    Check **checks = (Check **)asked->pdata;

    if (asked->len && !g_atomic_int_get(&validator->singly) && !ask_batch(chunk, checks, asked->len))
        g_atomic_int_set(&validator->singly, TRUE);
    for (guint i = 0; i < asked->len; i++) {
        if (!checks[i]->concerns && !checks[i]->error &&
            !g_cancellable_is_cancelled(chunk->page->validation->cancel))
            ask_single(chunk, checks[i]);
        g_clear_pointer(&checks[i]->workload, json_decref);
    }
}

static void check_chunk(Chunk *chunk)
{
    Stock *stock = chunk->page->validation->stock;
    g_autoptr(GError) error = NULL;
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, &error);
    g_autoptr(DocumentView) view = snapshot ? stock_view(stock, snapshot) : NULL;

    for (guint from = 0; view && from < chunk->len;) {
        g_autoptr(GPtrArray) asked = g_ptr_array_new();
        from = gather(chunk, from, view, asked);
        ask_about(chunk, asked);
    }
    for (guint i = 0; error && i < chunk->len; i++)
        chunk->checks[i]->error = g_error_copy(error);
}

static void run_chunk(gpointer data, gpointer unused)
{
    g_autofree Chunk *chunk = data;
    Page *page = chunk->page;

    if (!g_cancellable_is_cancelled(page->validation->cancel))
        check_chunk(chunk);
    g_mutex_lock(&page->lock);
    if (--page->pending == 0)
        g_cond_signal(&page->finished);
    g_mutex_unlock(&page->lock);
}

/* ---- a page -------------------------------------------------------------------------------------------- */

typedef struct {
    GPtrArray *checks;
    GHashTable *failed;  /* ids that this pass leaves alone */
    GHashTable *in_hand; /* ids that are judged and not written yet; NULL: none */
    gint64 policy_version;
} Selection;

static gboolean select_vm(const Row *row, gpointer user_data)
{
    Selection *selection = user_data;
    Check *check;

    if (g_hash_table_contains(selection->failed, row->id) ||
        (selection->in_hand && g_hash_table_contains(selection->in_hand, row->id)))
        return TRUE;
    check = g_new0(Check, 1);
    check->vm_id = g_strdup(row->id);
    check->revision = row->revision;
    check->policy_version = selection->policy_version;
    check->size = strlen(row->base) + strlen(row->brief);
    g_ptr_array_add(selection->checks, check);
    return selection->checks->len < PAGE;
}

static void page_wait(Page *page)
{
    g_mutex_lock(&page->lock);
    while (page->pending)
        g_cond_wait(&page->finished, &page->lock);
    g_mutex_unlock(&page->lock);
}

static void page_free(Page *page)
{
    page_wait(page);
    g_hash_table_unref(page->ids);
    g_ptr_array_unref(page->checks);
    g_mutex_clear(&page->lock);
    g_cond_clear(&page->finished);
    g_free(page);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Page, page_free)

static Page *page_new(Validation *validation, const char *package)
{
    Page *page = g_new0(Page, 1);

    page->validation = validation;
    page->package = package;
    page->checks = g_ptr_array_new_with_free_func(check_free);
    page->ids = g_hash_table_new(g_str_hash, g_str_equal);
    page->forgets = stock_forgets(validation->stock);
    g_mutex_init(&page->lock);
    g_cond_init(&page->finished);
    return page;
}

static gboolean select_page(Page *page, Selection *selection, GError **error)
{
    g_autoptr(Snapshot) snapshot = stock_snapshot(page->validation->stock, error);
    Query query = {
        .kind = "VM", .unvalidated = TRUE, .policy_version = selection->policy_version, .limit = -1};

    selection->checks = page->checks;
    if (!snapshot || !snapshot_each(snapshot, &query, select_vm, selection, error))
        return FALSE;
    for (guint i = 0; i < page->checks->len; i++)
        g_hash_table_add(page->ids, ((Check *)page->checks->pdata[i])->vm_id);
    return TRUE;
}

static void push_chunk(Page *page, guint from, guint len)
{
    Chunk *chunk = g_new(Chunk, 1);

    *chunk = (Chunk){page, (Check **)page->checks->pdata + from, len};
    g_thread_pool_push(page->validation->validator->workers, chunk, NULL);
}

/* page_wait() ends it. */
static void begin_checks(Page *page)
{
    guint len = page->checks->len;

    page->pending = (len + BATCH - 1) / BATCH;
    for (guint from = 0; from < len; from += BATCH)
        push_chunk(page, from, MIN(BATCH, len - from));
}

static void accept_all(Page *page)
{
    for (guint i = 0; i < page->checks->len; i++) {
        Check *check = page->checks->pdata[i];
        check->concerns = g_strdup("[]");
    }
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

/* What was judged beside a host, or anything else, that has changed meanwhile counts for nothing: it is
 * selected again. */
static gboolean write_page(const Page *page, GError **error)
{
    Stock *stock = page->validation->stock;
    StockTransaction *transaction = stock_begin(stock, "VM-validated", error);
    gboolean ok;

    if (!transaction)
        return FALSE;
    ok = page->forgets != stock_forgets(stock) || write_checks(transaction, page->checks, error);
    if (ok)
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

/* What the service says of its rules: other text, other rules. NULL on error. */
static char *read_rules(Validation *validation, const char *package, gint64 *version, GError **error)
{
    g_autofree char *tag = NULL;
    guint status;
    g_autoptr(json_t) answer = ask(validation->validator, "data", package, "rules_version", NULL, &status,
                                   &tag, validation->cancel, error);

    if (!answer || !has_result(answer, package, error))
        return NULL;
    *version = json_int_at(answer, "result.rules_version", 0);
    return g_strdup_printf("%" G_GINT64_FORMAT " %s", *version, tag ? tag : "");
}

static gboolean take_rules(Validation *validation, const char *package, gint64 *version, GError **error)
{
    char *rules = read_rules(validation, package, version, error);

    if (!rules)
        return FALSE;
    g_free(validation->rules);
    validation->rules = rules;
    g_atomic_int_set(&validation->validator->singly, FALSE); /* it may be another service now */
    return remember_rules(validation->stock, rules, error);
}

/* Also TRUE when they cannot be read: the pass that follows says why. */
static gboolean has_other_rules(Validation *validation)
{
    gint64 version;
    g_autofree char *rules = NULL;

    if (!validation->validator->url || !stock_wait_ready(validation->stock, 0, NULL))
        return FALSE;
    rules = read_rules(validation, package_of(stock_type(validation->stock)), &version, NULL);
    return !rules || g_strcmp0(rules, validation->rules);
}

static gboolean is_unreachable(const GError *error)
{
    return error && (g_error_matches(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE) ||
                     g_error_matches(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE));
}

typedef struct {
    Validation *validation;
    const char *package;
    gint64 policy_version;
    GHashTable *failed; /* ids of VMs that could not be judged: this pass leaves them alone */
    GError *first;      /* what went wrong first; the rest is most often the same */
} Pass;

static void note_failures(Pass *pass, const Page *page)
{
    for (guint i = 0; i < page->checks->len; i++) {
        Check *check = page->checks->pdata[i];
        if (check->concerns)
            continue;
        g_hash_table_add(pass->failed, g_strdup(check->vm_id));
        if (check->error && !pass->first &&
            !g_error_matches(check->error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND)) /* deleted meanwhile */
            g_propagate_prefixed_error(&pass->first, g_steal_pointer(&check->error),
                                       "VM '%s': ", check->vm_id);
    }
}

/* Selects the VMs that come next, and has them judged. NULL: they cannot be read. */
static Page *begin_page(Pass *pass, const Page *in_hand, GError **error)
{
    g_autoptr(Page) page = page_new(pass->validation, pass->package);
    Selection selection = {.failed = pass->failed,
                           .in_hand = in_hand ? in_hand->ids : NULL,
                           .policy_version = pass->policy_version};

    if (!select_page(page, &selection, error))
        return NULL;
    if (pass->validation->validator->url)
        begin_checks(page);
    else
        accept_all(page);
    return g_steal_pointer(&page);
}

/* A page is written while the workers have the next. */
static gboolean run_pages(Pass *pass, GError **error)
{
    g_autoptr(Page) judged = NULL;

    while (!g_cancellable_is_cancelled(pass->validation->cancel) && !is_unreachable(pass->first)) {
        g_autoptr(Page) next = begin_page(pass, judged, error);
        gboolean is_last = !judged && next && !next->checks->len;

        if (!next || (judged && !write_page(judged, error)))
            return FALSE;
        if (is_last)
            return TRUE;
        page_wait(next);
        note_failures(pass, next);
        g_clear_pointer(&judged, page_free);
        if (next->checks->len)
            judged = g_steal_pointer(&next);
    }
    return !judged || write_page(judged, error);
}

static gboolean run_pass(Validation *validation, GError **error)
{
    g_autoptr(GHashTable) failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Pass pass = {
        .validation = validation, .package = package_of(stock_type(validation->stock)), .failed = failed};
    gboolean ok;

    validation->has_rules =
        !validation->validator->url || take_rules(validation, pass.package, &pass.policy_version, error);
    if (!validation->has_rules)
        return FALSE;
    ok = run_pages(&pass, error);
    if (pass.first && ok)
        g_propagate_error(error, g_steal_pointer(&pass.first));
    g_clear_error(&pass.first);
    return ok && !*error;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

/* Waits until something has changed (TRUE), or that long. */
static gboolean wait_for_work(Validation *validation, guint ms)
{
    gboolean woken;
    gint64 until = g_get_monotonic_time() + (gint64)ms * G_TIME_SPAN_MILLISECOND;

    g_mutex_lock(&validation->lock);
    while (!validation->wake && !g_cancellable_is_cancelled(validation->cancel) &&
           g_get_monotonic_time() < until)
        g_cond_wait_until(&validation->woken, &validation->lock, until);
    woken = validation->wake || g_cancellable_is_cancelled(validation->cancel);
    validation->wake = FALSE;
    g_mutex_unlock(&validation->lock);
    return woken;
}

static guint interval_ms(const Validation *validation)
{
    return (guint)g_atomic_int_get(&validation->validator->interval_s) * 1000;
}

/* As wait_for_work(), for an interval, which may change meanwhile; other rules are work, too. */
static void wait_for_work_or_rules(Validation *validation)
{
    for (guint waited = 0; waited < interval_ms(validation); waited += LOOK_S * 1000)
        if (wait_for_work(validation, MIN(LOOK_S * 1000, interval_ms(validation) - waited)) ||
            has_other_rules(validation))
            return;
}

/* Concerns that were found by rules which may be in force no more: a VM is validated when revisionValidated
 * is its revision. */
static void mark_stale(Stock *stock)
{
    StockTransaction *transaction = stock_begin(stock, NULL, NULL);

    if (!transaction)
        return;
    if (database_forget_validation(stock_transaction_database(transaction), NULL, NULL))
        stock_commit(transaction, NULL);
    else
        stock_roll_back(transaction);
}

/* Says once that it fails and once that it works again. */
static void note_problem(Validation *validation, const GError *error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&validation->lock);
    const char *message = error ? error->message : NULL;
    gint64 now = g_get_monotonic_time();

    validation->failing_since = !error ? 0 : validation->failing_since ? validation->failing_since : now;
    if (is_unreachable(error) && now - validation->failing_since < PATIENCE_S * G_TIME_SPAN_SECOND)
        return;
    if (!g_strcmp0(validation->problem, message))
        return;
    if (message && !validation->problem && !validation->has_rules)
        mark_stale(validation->stock);
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

        if (stock_wait_ready(validation->stock, 0,
                             NULL)) /* while it loads, hosts may not have been said yet */
            run_pass(validation, &error);
        malloc_trim(0); /* many documents were read and are not needed again */
        if (g_cancellable_is_cancelled(validation->cancel))
            break;
        note_problem(validation, error);
        failures = error ? failures + 1 : 0;
        if (failures) /* a service that is down is not asked at every change */
            g_usleep(SETTLE_MS * 1000);
        if (failures)
            wait_for_work(validation, MIN(interval_ms(validation),
                                          backoff_ms(failures - 1, FIRST_WAIT_MS, MOST_WAIT_MS)));
        else
            wait_for_work_or_rules(validation);
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
    g_free(validation->rules);
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
        run_chunk, NULL, options->workers ? options->workers : DEFAULT_WORKERS, FALSE, NULL);
    return validator;
}

void validator_set_interval(Validator *validator, guint interval_s)
{
    g_atomic_int_set(&validator->interval_s, interval_s);
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
