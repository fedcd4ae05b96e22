/* source: a connection lives as long as somebody has it; what is too old is named. */
#include "kube/scripted_server.h"
#include "source/source.h"
#include <string.h>

#define VCENTER(version)                                                                                     \
    "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Body><Response xmlns='urn:vim25'>"         \
    "<returnval><about><apiVersion>" version "</apiVersion><apiType>VirtualCenter</apiType></about>"         \
    "<rootFolder>group-d1</rootFolder><propertyCollector>propertyCollector</propertyCollector>"              \
    "<sessionManager>SessionManager</sessionManager><viewManager>ViewManager</viewManager>"                  \
    "</returnval></Response></Body></Envelope>"

static Source *open_at(ScriptedServer *server)
{
    g_autofree char *url = g_strconcat(scripted_server_url(server), "/sdk", NULL);
    const SourceAccess access = {.type = "vsphere",
                                 .url = url,
                                 .user = "u",
                                 .password = "p",
                                 .trust = {.ca_pem = scripted_server_ca(server)}};
    g_autoptr(GError) error = NULL;
    Source *source = source_open(&access, &error);

    g_assert_no_error(error);
    return source;
}

static void who_holds_a_connection_may_ask_when_others_have_closed_it(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(GError) error = NULL;
    Source *source = open_at(server), *held = source_hold(source);
    g_autoptr(json_t) about = NULL;

    scripted_server_answer(server, "POST", "/sdk", 200, VCENTER("8.0.2.0"));
    source_close(source);
    about = source_about(held, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(json_string_at(about, "apiVersion", ""), ==, "8.0.2.0");
    source_close(held);
}

static void a_source_that_is_too_old_is_named_with_what_is_needed(void)
{
    g_autoptr(ScriptedServer) server = scripted_server_start();
    g_autoptr(GError) error = NULL;
    g_autoptr(Source) source = open_at(server);

    scripted_server_answer(server, "POST", "/sdk", 200, VCENTER("6.0"));
    g_assert_null(source_about(source, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_VERSION);
    g_assert_nonnull(strstr(error->message, "speaks vSphere API 6.0; 6.5 or later is needed"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/source/who holds a connection may ask when others have closed it",
                    who_holds_a_connection_may_ask_when_others_have_closed_it);
    g_test_add_func("/source/a source that is too old is named with what is needed",
                    a_source_that_is_too_old_is_named_with_what_is_needed);
    return g_test_run();
}
