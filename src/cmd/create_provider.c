/* create provider: its Secret and itself. */
#include "cmd/create.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { MOST_PASSWORD = 8192 };

/* From the terminal, without an echo. */
static gboolean ask_password(char *buffer, GError **error)
{
    struct termios shown, hidden;
    gboolean got;

    if (tcgetattr(STDIN_FILENO, &shown)) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                            "there is no terminal to ask for the password; give --password-file, or - there "
                            "for standard input");
        return FALSE;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs("Password: ", stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    got = fgets(buffer, MOST_PASSWORD, stdin) != NULL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    if (!got)
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, "no password was given");
    return got;
}

static gboolean read_password(const char *path, char *buffer, GError **error)
{
    FILE *file;
    gboolean got;

    if (!path)
        return ask_password(buffer, error);
    file = strcmp(path, "-") ? fopen(path, "re") : stdin;
    got = file && fgets(buffer, MOST_PASSWORD, file);
    if (!got)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "--password-file %s: %s", path,
                    file ? "it is empty" : g_strerror(errno));
    if (file && file != stdin)
        fclose(file);
    return got;
}

static json_t *make_secret(Session *session, const CreateOptions *options, const char *name, GError **error)
{
    char password[MOST_PASSWORD] = "";
    g_autofree char *ca = NULL;
    g_autoptr(json_t) secret = NULL;
    json_t *data;
    gboolean token = !strcmp(options->type, "openshift");

    if ((!token && !option_needed("--user", options->user, error)) ||
        (options->cacert && !g_file_get_contents(options->cacert, &ca, NULL, error)) ||
        !read_password(options->password_file, password, error))
        return NULL;
    password[strcspn(password, "\r\n")] = 0;
    secret = manifest_new(session, &KUBE_SECRET, name);
    data = json_object();
    json_object_set_new(data, token ? "token" : "password", json_string(password));
    explicit_bzero(password, sizeof password);
    json_object_set_new(data, "url", json_string(options->url));
    if (options->user)
        json_object_set_new(data, "user", json_string(options->user));
    if (ca)
        json_object_set_new(data, "cacert", json_string(ca));
    if (options->fingerprint)
        json_object_set_new(data, "thumbprint", json_string(options->fingerprint));
    if (options->insecure)
        json_object_set_new(data, "insecureSkipVerify", json_string("true"));
    json_set_at_new(secret, "metadata.labels", json_pack("{s:s}", MADE_WITH_LABEL, MADE_WITH));
    json_object_set_new(secret, "type", json_string("Opaque"));
    json_object_set_new(secret, "stringData", data);
    return g_steal_pointer(&secret);
}

static gboolean add_settings(json_t *provider, char *const *texts, GError **error)
{
    json_t *settings = json_object();

    for (int i = 0; texts[i]; i++) {
        const char *equals = strchr(texts[i], '=');
        g_autofree char *key = equals ? g_strndup(texts[i], equals - texts[i]) : NULL;
        if (!key || !*key) {
            json_decref(settings);
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "--setting %s: it must be KEY=VALUE", texts[i]);
            return FALSE;
        }
        json_object_set_new(settings, key, json_string(equals + 1));
    }
    json_set_at_new(provider, "spec.settings", settings);
    return TRUE;
}

json_t *create_provider(Session *session, const CreateOptions *options, const char *name, GError **error)
{
    static const char *const types[] = {"vsphere", "ovirt", "openshift", NULL};
    g_autoptr(json_t) provider = manifest_new(session, &KUBE_PROVIDER, name), manifests = json_array();
    json_t *secret;

    if (!option_needed("--type", options->type, error) || !option_needed("--url", options->url, error))
        return NULL;
    if (!g_strv_contains(types, options->type)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "--type %s: it must be vsphere, ovirt or openshift",
                    options->type);
        return NULL;
    }
    if (!options->secret) {
        secret = make_secret(session, options, name, error);
        if (!secret)
            return NULL;
        json_array_append_new(manifests, secret);
    }
    json_set_at_new(provider, "spec",
                    json_pack("{s:s, s:s, s:o}", "type", options->type, "url", options->url, "secret",
                              reference_new(session, options->secret ? options->secret : name)));
    if (options->settings && !add_settings(provider, options->settings, error))
        return NULL;
    json_array_append(manifests, provider);
    return g_steal_pointer(&manifests);
}
