/* informer: the copy follows the server through everything a server does. */
#include "kube/informer.h"
#include "kube/scripted_server.h"
#include <string.h>

#define PATH "/api/v1/namespaces/n/pods"
#define POD(name, version)                                                                                   \
    "{'metadata':{'name':'" name "','namespace':'n','resourceVersion':'" version "','managedFields':[1]}}"
#define EVENT(type, object)  "{'type':'" type "','object':" object "}\n"
#define LIST(version, items) "{'metadata':{'resourceVersion':'" version "'},'items':[" items "]}"

/* Writes "+a:1 ~a:1>2 -a:2 " as changes come. */
typedef struct {
    GMutex lock;
    GCond changed;
    GString *text;
} Diary;

static void write_down(Object *before, Object *after, gpointer data)
{
    Diary *diary = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&diary->lock);

    if (!before)
        g_string_append_printf(diary->text, "+%s:%s ", object_name(after), object_resource_version(after));
    else if (!after)
        g_string_append_printf(diary->text, "-%s:%s ", object_name(before), object_resource_version(before));
    else
        g_string_append_printf(diary->text, "~%s:%s>%s ", object_name(after), object_resource_version(before),
                               object_resource_version(after));
    g_cond_broadcast(&diary->changed);
}

/* Waits until the diary ends like this. */
static void expect(Diary *diary, const char *end)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&diary->lock);

    while (!g_str_has_suffix(diary->text->str, end))
        if (!g_cond_wait_until(&diary->changed, &diary->lock, deadline))
            g_error("expected \"…%s\", have \"%s\"", end, diary->text->str);
}

typedef struct {
    ScriptedServer *server;
    KubeClient *client;
    Diary diary;
    Informer *informer;
} Bench;

static void bench_init(Bench *bench, const char *list)
{
    bench->server = scripted_server_start();
    bench->client =
        kube_client_new_token(scripted_server_url(bench->server),
                              &(HttpTrust){.ca_pem = scripted_server_ca(bench->server)}, "t", NULL);
    g_mutex_init(&bench->diary.lock);
    g_cond_init(&bench->diary.changed);
    bench->diary.text = g_string_new(NULL);
    scripted_server_answer(bench->server, "GET", PATH, 200, list);
    bench->informer = informer_new(bench->client, &KUBE_POD, "n", NULL, write_down, &bench->diary);
    g_assert_true(informer_wait_synced(bench->informer, NULL));
}

static void bench_clear(Bench *bench)
{
    g_clear_pointer(&bench->informer, informer_free);
    kube_client_unref(bench->client);
    scripted_server_stop(bench->server);
    g_string_free(bench->diary.text, TRUE);
    g_mutex_clear(&bench->diary.lock);
    g_cond_clear(&bench->diary.changed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void the_copy_follows_the_watch(void)
{
    g_auto(Bench) bench = {0};
    g_autoptr(Object) pod = NULL;
    g_autoptr(GPtrArray) pods = NULL;

    bench_init(&bench, LIST("5", POD("a", "3") "," POD("b", "4")));
    expect(&bench.diary, "+a:3 +b:4 ");
    scripted_server_send(bench.server, EVENT("ADDED", POD("c", "6")));
    scripted_server_send(bench.server, EVENT("MODIFIED", POD("a", "7")) EVENT("DELETED", POD("b", "8")));
    expect(&bench.diary, "+c:6 ~a:3>7 -b:4 ");
    pod = informer_get(bench.informer, "n", "a");
    g_assert_cmpstr(object_resource_version(pod), ==, "7");
    g_assert_null(json_at(object_json(pod), "metadata.managedFields"));
    g_assert_null(informer_get(bench.informer, "n", "b"));
    pods = informer_list(bench.informer, NULL);
    g_assert_cmpuint(pods->len, ==, 2);
    g_assert_cmpstr(object_name(pods->pdata[1]), ==, "c");
    g_assert_true(informer_synced(bench.informer));
}

static void half_a_line_waits_for_its_end(void)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench, LIST("5", ""));
    scripted_server_send(bench.server, "{'type':'ADDED','object':{'metadata':{'na");
    g_usleep(50000);
    scripted_server_send(bench.server, "me':'a','namespace':'n','resourceVersion':'6'}}}\n");
    expect(&bench.diary, "+a:6 ");
}

static void a_watch_that_ends_goes_on_where_it_was(void)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench, LIST("5", POD("a", "3")));
    scripted_server_send(bench.server, EVENT("BOOKMARK", "{'metadata':{'resourceVersion':'17'}}"));
    scripted_server_send(bench.server, EVENT("ADDED", POD("b", "18")));
    expect(&bench.diary, "+b:18 ");
    scripted_server_end_watches(bench.server);
    scripted_server_send(bench.server, EVENT("ADDED", POD("c", "19")));
    expect(&bench.diary, "+a:3 +b:18 +c:19 ");
    g_assert_cmpuint(scripted_server_count(bench.server, "resourceVersion=18"), ==, 1);
    g_assert_cmpuint(scripted_server_count(bench.server, "limit="), ==, 1);
}

static void what_vanished_before_a_new_list_is_deleted(void)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench, LIST("5", POD("a", "3") "," POD("b", "4")));
    expect(&bench.diary, "+b:4 ");
    scripted_server_answer(bench.server, "GET", PATH, 200, LIST("30", POD("b", "4") "," POD("c", "29")));
    scripted_server_send(bench.server, EVENT("ERROR", "{'kind':'Status','code':410,'reason':'Expired'}"));
    expect(&bench.diary, "-a:3 +c:29 ");
    scripted_server_end_watches(bench.server);
    scripted_server_send(bench.server, EVENT("MODIFIED", POD("b", "31")));
    expect(&bench.diary, "+c:29 ~b:4>31 ");
}

static void a_410_as_the_answer_lists_anew(void)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench, LIST("5", ""));
    scripted_server_wait_watch(bench.server);
    scripted_server_answer(bench.server, "WATCH", PATH, 410, "{'code':410}");
    scripted_server_answer(bench.server, "GET", PATH, 200, LIST("30", POD("c", "29")));
    scripted_server_end_watches(bench.server);
    expect(&bench.diary, "+c:29 ");
}

static void a_server_that_comes_back_is_found_again(void)
{
    g_auto(Bench) bench = {0};
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    bench_init(&bench, LIST("5", POD("a", "3")));
    expect(&bench.diary, "+a:3 ");
    scripted_server_wait_watch(bench.server);
    scripted_server_pause(bench.server);
    while (informer_synced(bench.informer) && g_get_monotonic_time() < deadline)
        g_usleep(10000);
    g_assert_false(informer_synced(bench.informer));
    scripted_server_resume(bench.server);
    g_assert_true(informer_wait_synced(bench.informer, NULL));
    scripted_server_send(bench.server, EVENT("ADDED", POD("b", "9")));
    expect(&bench.diary, "+a:3 +b:9 ");
}

static void nonsense_on_the_wire_is_survived(void)
{
    g_auto(Bench) bench = {0};

    bench_init(&bench, LIST("5", ""));
    scripted_server_send(bench.server, "this is not JSON\n");
    scripted_server_end_watches(bench.server);
    scripted_server_send(bench.server, EVENT("ADDED", "7") "\n" EVENT("ADDED", POD("b", "9")));
    expect(&bench.diary, "+b:9 ");
}

static void labels_choose_from_the_copy(void)
{
    g_auto(Bench) bench = {0};
    g_autoptr(GPtrArray) pods = NULL, none = NULL;

    bench_init(&bench,
               LIST("5", "{'metadata':{'name':'a','namespace':'n','labels':{'plan':'p'}}}," POD("b", "4")));
    pods = informer_list(bench.informer, "plan=p");
    none = informer_list(bench.informer, "plan=(");
    g_assert_cmpuint(pods->len, ==, 1);
    g_assert_cmpuint(none->len, ==, 0);
}

static gpointer cancel_soon(gpointer cancel)
{
    g_usleep(100000);
    g_cancellable_cancel(cancel);
    return NULL;
}

static void waiting_for_an_absent_server_can_be_cancelled(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(KubeClient) client = kube_client_new_token(
        scripted_server_url(server), &(HttpTrust){.ca_pem = scripted_server_ca(server)}, NULL, NULL);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autoptr(Informer) informer = NULL;
    GThread *thread;

    scripted_server_pause(server);
    informer = informer_new(client, &KUBE_POD, NULL, NULL, NULL, NULL);
    thread = g_thread_new("cancel", cancel_soon, cancel);
    g_assert_false(informer_wait_synced(informer, cancel));
    g_thread_join(thread);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/kube/informer/" name, function)
    TEST("the copy follows the watch", the_copy_follows_the_watch);
    TEST("half a line waits for its end", half_a_line_waits_for_its_end);
    TEST("a watch that ends goes on where it was", a_watch_that_ends_goes_on_where_it_was);
    TEST("what vanished before a new list is deleted", what_vanished_before_a_new_list_is_deleted);
    TEST("a 410 as the answer lists anew", a_410_as_the_answer_lists_anew);
    TEST("a server that comes back is found again", a_server_that_comes_back_is_found_again);
    TEST("nonsense on the wire is survived", nonsense_on_the_wire_is_survived);
    TEST("labels choose from the copy", labels_choose_from_the_copy);
    TEST("waiting for an absent server can be cancelled", waiting_for_an_absent_server_can_be_cancelled);
    return g_test_run();
}
