/* network: asks ip(8) for bridges. */
#include "local/kubevirt/network.h"
#include <net/if.h>
#include <string.h>

enum { CONFIG_LIMIT = 64 * 1024 };

char *network_bridge_name(const Object *definition)
{
    const char *text = json_string_at(object_json(definition), "spec.config", "");
    g_autoptr(json_t) config = json_parse(text, strlen(text), CONFIG_LIMIT, "spec.config", NULL);
    const char *type = json_string_at(config, "type", ""), *bridge = json_string_at(config, "bridge", NULL);

    if (!bridge || (strcmp(type, "bridge") && strcmp(type, "cnv-bridge")))
        return NULL;
    return g_strdup(bridge);
}

static gboolean run_ip(const char *const *arguments, GError **error)
{
    g_autofree char *said = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                      NULL, NULL, &said, &status, error))
        return FALSE;
    if (g_spawn_check_wait_status(status, NULL))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s %s %s: %s", arguments[0], arguments[1], arguments[2],
                g_strstrip(said));
    return FALSE;
}

gboolean network_make_bridge(const char *name, GError **error)
{
    const char *const add[] = {"ip", "link", "add", name, "type", "bridge", NULL};
    const char *const up[] = {"ip", "link", "set", name, "up", NULL};

    if (strlen(name) >= IF_NAMESIZE || !*name || strchr(name, '/')) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "bridge \"%s\": must be the name of a network interface, at most %d characters", name,
                    IF_NAMESIZE - 1);
        return FALSE;
    }
    return (if_nametoindex(name) || run_ip(add, error)) && run_ip(up, error);
}
