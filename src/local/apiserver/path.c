/* path: segments between slashes. */
#include "local/apiserver/path.h"
#include <string.h>

enum { MOST_PARTS = 10 };

static char *segment(const char *raw)
{
    char *text = raw ? g_uri_unescape_string(raw, NULL) : NULL;
    return text ? text : g_strdup("");
}

/* "namespaces/NS/status" and "…/finalize" are subresources of the Namespace itself. */
static gboolean is_in_namespace(char **parts, guint count)
{
    return count > 2 && !strcmp(parts[0], "namespaces") && strcmp(parts[2], "status") &&
           strcmp(parts[2], "finalize");
}

void api_path_parse(const char *target, ApiPath *path)
{
    g_autofree char *whole = g_strndup(target, strcspn(target, "?"));
    g_auto(GStrv) parts = g_strsplit(*whole ? whole + 1 : whole, "/", MOST_PARTS);
    guint count = g_strv_length(parts), at = 0;
    gboolean core = count && !strcmp(parts[0], "api"), within;

#define NEXT (at < count ? parts[at++] : NULL)
    at = MIN(1, count);
    path->group = core ? g_strdup("") : segment(NEXT);
    path->version = segment(NEXT);
    within = is_in_namespace(parts + at, count - at);
    at += within;
    path->ns = within ? segment(NEXT) : g_strdup("");
    path->plural = segment(NEXT);
    path->name = segment(NEXT);
    path->sub = segment(NEXT);
    path->rest = at < count ? g_strjoinv("/", parts + at) : g_strdup("");
#undef NEXT
}

void api_path_clear(ApiPath *path)
{
    g_free(path->group);
    g_free(path->version);
    g_free(path->plural);
    g_free(path->ns);
    g_free(path->name);
    g_free(path->sub);
    g_free(path->rest);
}
