/* client_test: what the inventory service's answers become for those who ask it. */
#include "inventory/client.h"
#include "net/http_server.h"
#include <string.h>

typedef struct {
    guint status;
    const char *reason, *body;
} Reply;

static void answer(HttpExchange *exchange, gpointer user_data)
{
    const Reply *reply = user_data;

    if (reply->reason)
        http_exchange_add_header(exchange, "X-Reason", reply->reason);
    http_exchange_reply_text(exchange, reply->status, "application/json", reply->body);
}

/* -1: there is a document. */
static int find(const Reply *reply, const char *ref_text)
{
    const HttpServerOptions options = {.listen = "127.0.0.1:0",
                                       .body_limit = 1024,
                                       .workers = 1,
                                       .handler = answer,
                                       .user_data = (gpointer)reply};
    g_autoptr(GError) error = NULL;
    HttpServer *server = http_server_start(&options, &error);
    g_autofree char *port = server ? g_strdup_printf("%u", http_server_port(server)) : NULL;
    g_autoptr(InventoryClient) client = NULL;
    g_autoptr(Object) provider = object_new_take(
        json_loads("{\"metadata\":{\"uid\":\"u\"},\"spec\":{\"type\":\"vsphere\"}}", 0, NULL));
    g_autoptr(json_t) ref = json_loads(ref_text, 0, NULL), found = NULL;

    g_assert_no_error(error);
    g_setenv("API_PORT", port, TRUE);
    client = inventory_client_new(&error);
    g_assert_no_error(error);
    found = inventory_find(client, provider, "vms", ref, NULL, &error);
    http_server_stop(server);
    g_assert_true(!found == !!error);
    return error ? error->code : -1;
}

static void each_answer_has_its_error(void)
{
    static const struct {
        const char *ref;
        Reply reply;
        int code;
    } rows[] = {
        {"{\"id\":\"vm-1\"}", {200, NULL, "{}"}, -1},
        {"{\"id\":\"vm-1\"}", {206, NULL, "{}"}, ERROR_INVENTORY_NOT_READY},
        {"{\"id\":\"vm-1\"}", {404, "ProviderNotFound", ""}, ERROR_INVENTORY_NOT_READY},
        {"{\"id\":\"vm-1\"}", {404, NULL, ""}, ERROR_INVENTORY_NOT_FOUND},
        {"{\"id\":\"vm-1\"}", {400, "a wrong filter", ""}, ERROR_BAD_INPUT},
        {"{\"id\":\"vm-1\"}", {500, NULL, ""}, ERROR_INVENTORY_UNAVAILABLE},
        {"{\"id\":\"vm-1\"}", {200, NULL, "<html>"}, ERROR_BAD_JSON},
        {"{\"name\":\"web\"}", {200, NULL, "[{\"id\":\"vm-1\"}]"}, -1},
        {"{\"name\":\"web\"}", {200, NULL, "[]"}, ERROR_INVENTORY_NOT_FOUND},
        {"{\"name\":\"web\"}",
         {200, NULL, "[{\"id\":\"vm-1\"},{\"id\":\"vm-2\"}]"},
         ERROR_INVENTORY_AMBIGUOUS},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%u %s of %s", rows[i].reply.status, rows[i].reply.body, rows[i].ref);
        g_assert_cmpint(find(&rows[i].reply, rows[i].ref), ==, rows[i].code);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("API_HOST", "127.0.0.1", TRUE);
    g_setenv("INVENTORY_SERVICE_SCHEME", "http", TRUE);
    g_test_add_func("/inventory/client/each answer has its error", each_answer_has_its_error);
    return g_test_run();
}
