/* rights: method and path against a table of patterns. */
#include "console/rights.h"
#include <string.h>

#define FORKLIFT "/apis/forklift.konveyor.io/v1beta1/namespaces/@/"
#define READ     "GET"
#define CHANGE   "GET POST PATCH DELETE"

/* @: the console's namespace. *: any one part. */
static const struct {
    const char *methods, *pattern;
} allowed[] = {
    {CHANGE, FORKLIFT "providers"},
    {CHANGE, FORKLIFT "providers/*"},
    {CHANGE, FORKLIFT "hosts"},
    {CHANGE, FORKLIFT "hosts/*"},
    {CHANGE, FORKLIFT "networkmaps"},
    {CHANGE, FORKLIFT "networkmaps/*"},
    {CHANGE, FORKLIFT "storagemaps"},
    {CHANGE, FORKLIFT "storagemaps/*"},
    {CHANGE, FORKLIFT "hooks"},
    {CHANGE, FORKLIFT "hooks/*"},
    {CHANGE, FORKLIFT "plans"},
    {CHANGE, FORKLIFT "plans/*"},
    {CHANGE, FORKLIFT "migrations"},
    {CHANGE, FORKLIFT "migrations/*"},
    {"GET PATCH", FORKLIFT "forkliftcontrollers"},
    {"GET PATCH", FORKLIFT "forkliftcontrollers/*"},
    {"POST", "/api/v1/namespaces/@/secrets"},
    {"PATCH DELETE", "/api/v1/namespaces/@/secrets/*"},
    {"GET POST", "/api/v1/namespaces"},
    {READ, "/api/v1/namespaces/*/pods"},
    {READ, "/api/v1/namespaces/*/pods/*/log"},
    {READ, "/api/v1/namespaces/*/events"},
    {READ, "/apis/storage.k8s.io/v1/storageclasses"},
    {READ, "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions"},
    {READ, "/apis/k8s.cni.cncf.io/v1/namespaces/*/network-attachment-definitions"},
    {READ, "/apis/kubevirt.io/v1/namespaces/*/virtualmachines"},
    {READ, "/apis/kubevirt.io/v1/namespaces/*/virtualmachines/*"},
    {"POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"},
};

static gboolean part_matches(const char *pattern, const char *part, const char *ns)
{
    if (!strcmp(pattern, "*"))
        return TRUE;
    return !strcmp(!strcmp(pattern, "@") ? ns : pattern, part);
}

static gboolean path_matches(const char *pattern, char **parts, const char *ns)
{
    g_auto(GStrv) wanted = g_strsplit(pattern, "/", -1);
    guint i;

    for (i = 0; wanted[i] && parts[i]; i++)
        if (!part_matches(wanted[i], parts[i], ns))
            return FALSE;
    return !wanted[i] && !parts[i];
}

static gboolean method_matches(const char *methods, const char *method)
{
    g_auto(GStrv) words = g_strsplit(methods, " ", -1);
    return *method && g_strv_contains((const char *const *)words, method);
}

/* No part may be empty or go elsewhere. */
static gboolean parts_are_plain(char **parts)
{
    for (char **part = parts + 1; *part; part++)
        if (!**part || !strcmp(*part, ".") || !strcmp(*part, "..") || !g_utf8_validate(*part, -1, NULL))
            return FALSE;
    return TRUE;
}

char *rights_path(const char *method, const char *path, const char *ns)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    if (!parts[0] || *parts[0] || !parts_are_plain(parts))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(allowed); i++) {
        g_autoptr(GString) out = NULL;

        if (!method_matches(allowed[i].methods, method) || !path_matches(allowed[i].pattern, parts, ns))
            continue;
        out = g_string_new(NULL);
        for (char **part = parts + 1; *part; part++) {
            g_string_append_c(out, '/');
            g_string_append_uri_escaped(out, *part, NULL, FALSE);
        }
        return g_string_free(g_steal_pointer(&out), FALSE);
    }
    return NULL;
}

gboolean rights_is_secret(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    return g_strv_length(parts) >= 6 && !strcmp(parts[5], "secrets");
}
