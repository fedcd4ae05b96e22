/* ticket: what becomes of a host that does not take what its vCenter gave. */
#include "kube/scripted_server.h"
#include "source/source.h"
#include <string.h>

/* Answers RetrieveServiceContent, Login and AcquireGenericServiceTicket alike: each reads of it what it looks
 * for. */
#define VCENTER                                                                                              \
    "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Body><Response xmlns='urn:vim25'>"         \
    "<returnval><about><apiVersion>8.0.2.0</apiVersion><apiType>VirtualCenter</apiType></about>"             \
    "<rootFolder>group-d1</rootFolder><propertyCollector>propertyCollector</propertyCollector>"              \
    "<sessionManager>SessionManager</sessionManager><viewManager>ViewManager</viewManager>"                  \
    "<authorizationManager>AuthorizationManager</authorizationManager><id>ticket-1</id></returnval>"         \
    "</Response></Body></Envelope>"

/* -1: the host lets us in. */
static int check(guint status, char **message)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autofree char *url = g_strconcat(scripted_server_url(server), "/sdk", NULL);
    const SourceAccess access = {.type = "vsphere",
                                 .url = url,
                                 .user = "u",
                                 .password = "p",
                                 .trust = {.ca_pem = scripted_server_ca(server)}};
    const SourceHost host = {.address = scripted_server_url(server) + strlen("https://"), .insecure = TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(Source) source = source_open(&access, &error);
    gboolean entered;

    g_assert_no_error(error);
    scripted_server_answer(server, "POST", "/sdk", 200, VCENTER);
    scripted_server_answer(server, "GET", "/folder", status, "");
    entered = source_check_host(source, &host, NULL, &error);
    *message = g_strdup(error ? error->message : "");
    g_assert_true(entered == !error);
    return error ? error->code : -1;
}

static void a_host_that_refuses_the_ticket_is_named(void)
{
    static const struct {
        guint status;
        int code;
        const char *words;
    } rows[] = {
        {200, -1, ""},
        {401, ERROR_HOST_TICKET, "does not accept the ticket that vCenter gave (status 401)"},
        {403, ERROR_HOST_TICKET, "does not accept the ticket that vCenter gave (status 403)"},
        {503, ERROR_HTTP_UNREACHABLE, "answered with status 503"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = NULL;
        g_assert_cmpint(check(rows[i].status, &message), ==, rows[i].code);
        g_assert_nonnull(strstr(message, rows[i].words));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/source/vsphere/ticket/a host that refuses the ticket is named",
                    a_host_that_refuses_the_ticket_is_named);
    return g_test_run();
}
