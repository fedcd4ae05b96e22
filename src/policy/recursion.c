/* recursion: looks for circles among functions and what they call. */
#include "policy/recursion.h"
#include <string.h>

typedef struct {
    char *package, *place;
    GPtrArray *calls; /* as written: "f", "data.a.b.f", "b.f" */
    enum { UNSEEN, OPEN, DONE } state;
} Function;

struct Recursion {
    GHashTable *functions; /* "PACKAGE.NAME" → Function */
    GRegex *call;
};

static void function_free(gpointer data)
{
    Function *function = data;

    g_free(function->package);
    g_free(function->place);
    g_ptr_array_unref(function->calls);
    g_free(function);
}

Recursion *recursion_new(void)
{
    Recursion *recursion = g_new0(Recursion, 1);

    recursion->functions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, function_free);
    recursion->call = g_regex_new("([A-Za-z_][A-Za-z0-9_.]*)\\(", 0, 0, NULL);
    return recursion;
}

void recursion_free(Recursion *recursion)
{
    g_hash_table_unref(recursion->functions);
    g_regex_unref(recursion->call);
    g_free(recursion);
}

/* The head's own "f(" is no call. */
static void add_calls(Recursion *recursion, Function *function, const char *text, gsize size)
{
    g_autoptr(GMatchInfo) match = NULL;

    g_regex_match_full(recursion->call, text, size, 0, 0, &match, NULL);
    for (gboolean head = TRUE; g_match_info_matches(match); g_match_info_next(match, NULL), head = FALSE)
        if (!head)
            g_ptr_array_add(function->calls, g_match_info_fetch(match, 1));
}

void recursion_add(Recursion *recursion, const char *package, const char *name, const char *place,
                   const char *text, gsize size)
{
    g_autofree char *key = g_strconcat(package, ".", name, NULL);
    Function *function = g_hash_table_lookup(recursion->functions, key);

    if (!function) {
        function = g_new0(Function, 1);
        function->package = g_strdup(package);
        function->place = g_strdup(place);
        function->calls = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(recursion->functions, g_steal_pointer(&key), function);
    }
    add_calls(recursion, function, text, size);
}

static gboolean ends_with_name(const char *key, const char *call)
{
    return g_str_has_suffix(key, call) && key[strlen(key) - strlen(call) - 1] == '.';
}

/* Whether a call in a package may mean that function; an imported package's name is taken for every package
 * that ends in it. */
static gboolean may_mean(const char *package, const char *call, const char *key)
{
    if (g_str_has_prefix(call, "data."))
        return !strcmp(call + strlen("data."), key);
    if (strchr(call, '.'))
        return strlen(key) > strlen(call) ? ends_with_name(key, call) : !strcmp(key, call);
    return g_str_has_prefix(key, package) && key[strlen(package)] == '.' &&
           !strcmp(key + strlen(package) + 1, call);
}

static gboolean visit(Recursion *recursion, Function *function, GError **error)
{
    GHashTableIter iter;
    gpointer key, other;

    if (function->state == OPEN)
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID,
                    "%s: the function calls itself, perhaps by way of others, which Rego does not allow",
                    function->place);
    if (function->state != UNSEEN)
        return function->state == DONE;
    function->state = OPEN;
    for (guint i = 0; i < function->calls->len; i++) {
        g_hash_table_iter_init(&iter, recursion->functions);
        while (g_hash_table_iter_next(&iter, &key, &other))
            if (may_mean(function->package, function->calls->pdata[i], key) &&
                !visit(recursion, other, error))
                return FALSE;
    }
    function->state = DONE;
    return TRUE;
}

gboolean recursion_check(Recursion *recursion, GError **error)
{
    GHashTableIter iter;
    gpointer function;

    g_hash_table_iter_init(&iter, recursion->functions);
    while (g_hash_table_iter_next(&iter, NULL, &function))
        if (!visit(recursion, function, error))
            return FALSE;
    return TRUE;
}
