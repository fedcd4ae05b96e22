/* rights_test: what a page of the console may ask the Kubernetes API for. */
#include "console/rights.h"
#include <string.h>

#define NS "openshift-mtv"
#define F  "/apis/forklift.konveyor.io/v1beta1/namespaces/"

static const struct {
    const char *method, *path, *sent;
} rows[] = {
    {"GET", F NS "/plans", F NS "/plans"},
    {"PATCH", F NS "/plans/a b", F NS "/plans/a%20b"},
    {"DELETE", F NS "/migrations/m", F NS "/migrations/m"},
    {"PUT", F NS "/plans/p", NULL},
    {"GET", F "other/plans", NULL},
    {"GET", F NS "/plans/p/status", NULL},
    {"POST", "/api/v1/namespaces/" NS "/secrets", "/api/v1/namespaces/" NS "/secrets"},
    {"GET", "/api/v1/namespaces/" NS "/secrets", NULL},
    {"GET", "/api/v1/namespaces/" NS "/secrets/s", NULL},
    {"POST", "/api/v1/namespaces/" NS "/pods", NULL},
    {"GET", "/api/v1/namespaces/x/pods/p/log", "/api/v1/namespaces/x/pods/p/log"},
    {"GET", "/api/v1/namespaces/x/pods/../secrets", NULL},
    {"GET", "/api/v1/namespaces/x/pods/p/exec", NULL},
    {"GET", "/api/v1//namespaces", NULL},
    {"GET", "/api/v1/namespaces/", NULL},
    {"GET", "", NULL},
    {"", F NS "/plans", NULL},
};

static void only_what_the_console_needs_is_passed_on(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sent = rights_path(rows[i].method, rows[i].path, NS);
        g_test_message("%s %s", rows[i].method, rows[i].path);
        g_assert_cmpstr(sent, ==, rows[i].sent);
    }
}

static void secrets_are_known(void)
{
    g_assert_true(rights_is_secret("/api/v1/namespaces/n/secrets"));
    g_assert_true(rights_is_secret("/api/v1/namespaces/n/secrets/s"));
    g_assert_false(rights_is_secret("/api/v1/namespaces/secrets/pods"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/rights/only what the console needs is passed on",
                    only_what_the_console_needs_is_passed_on);
    g_test_add_func("/console/rights/secrets are known", secrets_are_known);
    return g_test_run();
}
