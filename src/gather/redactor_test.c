/* redactor_test: what looks like a credential, and what is known as one, does not leave. */
#include "gather/redactor.h"

static void what_looks_like_a_credential_goes(void)
{
    static const struct {
        const char *text, *redacted;
    } rows[] = {
        {"plan=a vm=vm-1 bytes=12", "plan=a vm=vm-1 bytes=12"},
        {"Authorization: Bearer abc.def", "Authorization: Bearer <redacted>"},
        {"Authorization: Basic dXNlcjpwYXNz more", "Authorization: Basic <redacted> more"},
        {"got bearer abcdefghij!", "got bearer <redacted>!"},
        {"Cookie: vmware_soap_session=0123456789; x", "Cookie: <redacted> x"},
        {"a vmware_soap_session=\"0123456789\"; x", "a vmware_soap_session=<redacted>; x"},
        {"{\"password\":\"p,\\\"w\",\"user\":\"u\"}", "{\"password\":<redacted>,\"user\":\"u\"}"},
        {"login user=u password=secret, next", "login user=u password=<redacted>, next"},
        {"GET https://u:pa%40ss@host/x", "GET https://u:<redacted>@host/x"},
        {"https://host:443/x", "https://host:443/x"},
        {"t eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.sig-_ x", "t <redacted> x"},
        {"secret: {name: vcenter, namespace: openshift-mtv}",
         "secret: {name: vcenter, namespace: openshift-mtv}"},
    };
    g_autoptr(Redactor) redactor = redactor_new();

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *redacted = redactor_text(redactor, rows[i].text);
        g_assert_cmpstr(redacted, ==, rows[i].redacted);
    }
}

static void a_known_secret_goes_wherever_it_stands(void)
{
    g_autoptr(Redactor) redactor = redactor_new();
    g_autofree char *redacted = NULL;

    redactor_hide(redactor, "hunter22");
    redactor_hide(redactor, "abc"); /* too short to be taken out of every text */
    redacted = redactor_text(redactor, "x hunter22 and aHVudGVyMjI= and abc");
    g_assert_cmpstr(redacted, ==, "x <redacted> and <redacted> and abc");
}

static void members_that_say_password_go(void)
{
    g_autoptr(Redactor) redactor = redactor_new();
    g_autoptr(json_t) json =
        json_pack("{s:{s:s, s:s, s:{s:s}}, s:[s, {s:s}]}", "spec", "userData", "#cloud-config", "user",
                  "hunter22@host", "secret", "name", "vcenter", "list", "a hunter22", "rootPassword", "x");
    g_autofree char *text = NULL;

    redactor_hide(redactor, "hunter22");
    redactor_json(redactor, json);
    text = json_text(json);
    g_assert_cmpstr(
        text, ==,
        "{\"list\":[\"a <redacted>\",{\"rootPassword\":\"<redacted>\"}],\"spec\":{\"secret\":{\"name\":"
        "\"vcenter\"},\"user\":\"<redacted>@host\",\"userData\":\"<redacted>\"}}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gather/redactor/what looks like a credential goes", what_looks_like_a_credential_goes);
    g_test_add_func("/gather/redactor/a known secret goes wherever it stands",
                    a_known_secret_goes_wherever_it_stands);
    g_test_add_func("/gather/redactor/members that say password go", members_that_say_password_go);
    return g_test_run();
}
