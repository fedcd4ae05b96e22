/* pki: files of a data directory by which server and clients know each other. */
#include "local/apiserver/pki.h"
#include "base/base64url.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { serving_days = 365 };

char *token_new(void)
{
    guint8 bytes[32];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        g_error("getrandom: %s", g_strerror(errno));
    return base64url(bytes, sizeof bytes);
}

char *token_hash(const char *token)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
}

/* Replaces the file whole; it is 0600 from its first byte on. */
static gboolean write_secret(const char *path, const char *text, GError **error)
{
    return g_file_set_contents_full(
        path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

static Certificate *open_authority(const Pki *pki, GError **error)
{
    Certificate *ca;

    if (g_file_test(pki->ca_path, G_FILE_TEST_EXISTS))
        return certificate_read(pki->ca_path, pki->ca_key_path, error);
    ca = certificate_new_authority("gantry", error);
    if (ca && !certificate_write(ca, pki->ca_path, pki->ca_key_path, error))
        g_clear_pointer(&ca, certificate_free);
    return ca;
}

/* The names by which clients, Pods among them, call the API. */
static Certificate *make_serving(const Pki *pki, const char *listen, GError **error)
{
    const char *colon = strrchr(listen, ':');
    g_autofree char *host = g_strndup(listen, colon ? (gsize)(colon - listen) : strlen(listen));
    const char *names[] = {"kubernetes.default.svc",
                           "kubernetes.default",
                           "kubernetes",
                           "localhost",
                           "127.0.0.1",
                           "::1",
                           NULL,
                           NULL};

    g_strdelimit(host, "[]", ' ');
    g_strstrip(host);
    if (strcmp(host, "127.0.0.1") != 0 && strcmp(host, "::1") != 0 && strcmp(host, "0.0.0.0") != 0 &&
        strcmp(host, "::") != 0)
        names[6] = host;
    return certificate_issue(pki->ca, names, serving_days, error);
}

static char *open_token(const char *path, GError **error)
{
    g_autofree char *token = NULL;

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return g_file_get_contents(path, &token, NULL, error) ? g_strdup(g_strstrip(token)) : NULL;
    token = token_new();
    return write_secret(path, token, error) ? g_steal_pointer(&token) : NULL;
}

Pki *pki_open(const char *data, const char *listen, GError **error)
{
    g_autoptr(Pki) pki = g_new0(Pki, 1);
    g_autofree char *directory = g_build_filename(data, "pki", NULL);
    g_autofree char *token_path = g_build_filename(directory, "admin.token", NULL);
    g_autofree char *token = NULL;

    if (g_mkdir_with_parents(directory, 0700) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", directory, g_strerror(errno));
        return NULL;
    }
    pki->ca_path = g_build_filename(directory, "ca.crt", NULL);
    pki->ca_key_path = g_build_filename(directory, "ca.key", NULL);
    if (!(pki->ca = open_authority(pki, error)) || !(pki->serving = make_serving(pki, listen, error)) ||
        !(token = open_token(token_path, error)))
        return NULL;
    pki->admin_token_hash = token_hash(token);
    return g_steal_pointer(&pki);
}

void pki_free(Pki *pki)
{
    if (!pki)
        return;
    g_clear_pointer(&pki->ca, certificate_free);
    g_clear_pointer(&pki->serving, certificate_free);
    g_free(pki->ca_path);
    g_free(pki->ca_key_path);
    g_free(pki->admin_token_hash);
    g_free(pki);
}

gboolean pki_renew_serving(Pki *pki, const char *listen, GError **error)
{
    Certificate *serving = make_serving(pki, listen, error);

    if (!serving)
        return FALSE;
    certificate_free(pki->serving);
    pki->serving = serving;
    return TRUE;
}

gboolean pki_write_kubeconfig(const Pki *pki, const char *data, const char *url, GError **error)
{
    g_autofree char *path = g_build_filename(data, "kubeconfig", NULL);
    g_autofree char *token_path = g_build_filename(data, "pki", "admin.token", NULL);
    g_autofree char *ca = g_base64_encode((const guchar *)pki->ca->pem, strlen(pki->ca->pem));
    g_autofree char *token = open_token(token_path, error);
    g_autofree char *text = NULL;

    if (!token)
        return FALSE;
    text = g_strdup_printf("apiVersion: v1\n"
                           "kind: Config\n"
                           "current-context: gantry\n"
                           "contexts:\n"
                           "- name: gantry\n"
                           "  context:\n"
                           "    cluster: gantry\n"
                           "    user: admin\n"
                           "    namespace: default\n"
                           "clusters:\n"
                           "- name: gantry\n"
                           "  cluster:\n"
                           "    server: %s\n"
                           "    certificate-authority-data: %s\n"
                           "users:\n"
                           "- name: admin\n"
                           "  user:\n"
                           "    token: %s\n",
                           url, ca, token);
    return write_secret(path, text, error);
}
