/* redactor: plain replacement of known values, regular expressions for the rest. */
#include "gather/redactor.h"
#include <string.h>

enum { SHORTEST = 4 };

struct Redactor {
    GPtrArray *values; /* secret */
};

/* What stands for itself is kept in group 1, and a closing part in group 2. */
static const char *const patterns[] = {
    /* Authorization: Basic …, Bearer … */
    "((?i:\\b(?:proxy-)?authorization[\"']?\\s*[:=]\\s*[\"']?(?:(?:basic|bearer|digest)\\s+)?))[^\\s\"',;]+("
    ")",
    "((?i:\\bbearer\\s+))[A-Za-z0-9._~+/=-]{8,}()",
    /* Cookie and Set-Cookie with their value, vSphere's session wherever it stands */
    "((?i:\\b(?:set-)?cookie[\"']?\\s*[:=]\\s*[\"']?))[^\\s\"']+()",
    "(vmware_soap_session=|vmware-api-session-id[:=]\\s*)[^\\s;,]+()",
    /* password=…, "token": "…" */
    "((?i:\\b(?:[a-z_-]*(?:password|passwd|passphrase|secret|token|apikey|api_key))[\"']?\\s*[:=]\\s*))\"(?:["
    "^\"\\\\]|\\\\.)*\"()",
    "((?i:\\b(?:[a-z_-]*(?:password|passwd|passphrase|token|apikey|api_key))[\"']?\\s*[:=]\\s*))[^\\s\"',;&}"
    "\\]<]+()",
    /* https://user:password@host */
    "(://[^/\\s:@]+:)[^/\\s@]+(@)",
    /* JSON web tokens, PEM private keys */
    "()\\beyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]*()",
    "(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]*()",
};

static GRegex *compiled(guint i)
{
    static GRegex *all[G_N_ELEMENTS(patterns)];
    static gsize once;

    if (g_once_init_enter(&once)) {
        for (guint n = 0; n < G_N_ELEMENTS(patterns); n++)
            all[n] = g_regex_new(patterns[n], G_REGEX_OPTIMIZE | G_REGEX_RAW, 0, NULL);
        g_once_init_leave(&once, 1);
    }
    return all[i];
}

static void clear(char *value)
{
    explicit_bzero(value, strlen(value));
    g_free(value);
}

Redactor *redactor_new(void)
{
    Redactor *redactor = g_new0(Redactor, 1);
    redactor->values = g_ptr_array_new_with_free_func((GDestroyNotify)clear);
    return redactor;
}

void redactor_free(Redactor *redactor)
{
    g_ptr_array_unref(redactor->values);
    g_free(redactor);
}

void redactor_hide(Redactor *redactor, const char *value)
{
    if (strlen(value) < SHORTEST)
        return;
    g_ptr_array_add(redactor->values, g_strdup(value));
    g_ptr_array_add(redactor->values, g_base64_encode((const guchar *)value, strlen(value)));
}

char *redactor_text(const Redactor *redactor, const char *text)
{
    GString *redacted = g_string_new(text);

    for (guint i = 0; i < redactor->values->len; i++)
        g_string_replace(redacted, redactor->values->pdata[i], REDACTED, 0);
    for (guint i = 0; i < G_N_ELEMENTS(patterns); i++) {
        char *next = g_regex_replace(compiled(i), redacted->str, redacted->len, 0, "\\1" REDACTED "\\2",
                                     G_REGEX_MATCH_DEFAULT, NULL);
        if (next) {
            g_string_assign(redacted, next);
            g_free(next);
        }
    }
    return g_string_free(redacted, FALSE);
}

/* userData is cloud-init's, which carries passwords. Names of objects that hold a secret are no secret. */
static gboolean names_a_credential(const char *member)
{
    static const char *const parts[] = {"password", "passwd", "passphrase", "userdata", "token"};
    g_autofree char *lower = g_ascii_strdown(member, -1);

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strstr(lower, parts[i]))
            return TRUE;
    return FALSE;
}

static json_t *redacted_string(const Redactor *redactor, const char *text)
{
    g_autofree char *clean = redactor_text(redactor, text);
    return json_string_nocheck(clean);
}

void redactor_json(const Redactor *redactor, json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;
    void *next;

    json_object_foreach_safe(json, next, key, value)
    {
        if (!json_is_string(value))
            redactor_json(redactor, value);
        else if (names_a_credential(key))
            json_object_set_new(json, key, json_string(REDACTED));
        else
            json_object_set_new(json, key, redacted_string(redactor, json_string_value(value)));
    }
    json_array_foreach (json, i, value) {
        if (!json_is_string(value))
            redactor_json(redactor, value);
        else
            json_array_set_new(json, i, redacted_string(redactor, json_string_value(value)));
    }
}
