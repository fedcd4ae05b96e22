/* network: four kinds of files, one rule. */
#include "convert/network.h"
#include "base/yaml.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT  (256 * 1024)
#define FILES_LIMIT 1000
#define RULES       "/etc/udev/rules.d/70-gantry-net.rules"

void network_v2v_options(const ConvertSpec *spec, GPtrArray *options)
{
    for (guint i = 0; i < spec->n_nics; i++) {
        const ConvertNic *nic = &spec->nics[i];
        g_auto(GStrv) address = nic->addresses[0] ? g_strsplit(nic->addresses[0], "/", 2) : NULL;
        g_autoptr(GString) option = g_string_new(NULL);

        if (!address)
            continue;
        g_string_append_printf(option, "%s:ip:%s,%s,%s", nic->mac, address[0],
                               nic->gateway ? nic->gateway : "", address[1]);
        for (guint each = 0; nic->dns[each]; each++)
            g_string_append_printf(option, ",%s", nic->dns[each]);
        g_ptr_array_add(options, g_string_free(g_steal_pointer(&option), FALSE));
    }
}

/* ---- the guest's files ------------------------------------------------------------------------- */

/* As the kernel allows it, and nothing that means something in a rule. */
static gboolean is_name(const char *name)
{
    gsize len = name ? strlen(name) : 0;

    for (const char *c = name; c && *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("_-.:", *c))
            return FALSE;
    return len > 0 && len < 16 && strcmp(name, "lo");
}

/* address may have a length, a gateway and quotes about it: "192.0.2.10/24,192.0.2.1". */
static void add_name(GHashTable *names, const char *address, const char *name)
{
    g_autofree char *plain = g_strdup(address ? address : "");

    g_strdelimit(plain, "/,;", 0);
    g_strstrip(g_strdelimit(plain, "\"'", ' '));
    if (is_name(name) && g_hostname_is_ip_address(plain))
        g_hash_table_insert(names, g_strdup(plain), g_strdup(name));
}

static void read_ifupdown(char **lines, GHashTable *names)
{
    const char *name = NULL;
    g_autofree char *kept = NULL;

    for (; *lines; lines++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*lines), " \t", 3);
        if (g_strv_length(words) < 2)
            continue;
        if (!strcmp(words[0], "iface")) {
            g_free(kept);
            name = kept = g_strdup(words[1]);
        } else if (!strcmp(words[0], "address") && name) {
            add_name(names, words[1], name);
        }
    }
}

static void read_ifcfg(char **lines, GHashTable *names)
{
    g_autofree char *name = NULL;
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);

    for (; *lines; lines++) {
        char *value = strchr(g_strstrip(*lines), '=');
        if (!value)
            continue;
        *value++ = 0;
        g_strstrip(g_strdelimit(value, "\"'", ' '));
        if (!strcmp(*lines, "DEVICE")) {
            g_free(name);
            name = g_strdup(value);
        } else if (g_str_has_prefix(*lines, "IPADDR") || !strcmp(*lines, "IPV6ADDR")) {
            g_ptr_array_add(addresses, g_strdup(value));
        }
    }
    for (guint i = 0; i < addresses->len; i++)
        add_name(names, addresses->pdata[i], name);
}

static void read_keyfile(const char *text, GHashTable *names)
{
    static const char *const groups[] = {"ipv4", "ipv6"};
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *name = NULL;

    if (!g_key_file_load_from_data(file, text, -1, G_KEY_FILE_NONE, NULL))
        return;
    name = g_key_file_get_string(file, "connection", "interface-name", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_auto(GStrv) keys = g_key_file_get_keys(file, groups[i], NULL, NULL);
        for (guint each = 0; keys && keys[each]; each++) {
            g_autofree char *value = g_key_file_get_string(file, groups[i], keys[each], NULL);
            if (g_str_has_prefix(keys[each], "address"))
                add_name(names, value, name);
        }
    }
}

static void read_netplan(const char *text, GHashTable *names)
{
    g_autoptr(json_t) json = yaml_parse(text, strlen(text), FILE_LIMIT, "netplan", NULL);
    json_t *ethernets = json_at(json, "network.ethernets"), *one;
    const char *name;

    json_object_foreach (ethernets, name, one) {
        const json_t *addresses = json_at(one, "addresses");
        const char *set = json_string_at(one, "set-name", name);
        for (gsize i = 0; i < json_array_size(addresses); i++)
            add_name(names, json_string_value(json_array_get(addresses, i)), set);
    }
}

void network_read_file(const char *path, const char *text, GHashTable *names)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    g_autofree char *file = g_path_get_basename(path);

    if (g_str_has_suffix(path, ".yaml"))
        read_netplan(text, names);
    else if (strstr(path, "/system-connections/"))
        read_keyfile(text, names);
    else if (g_str_has_prefix(file, "ifcfg-"))
        read_ifcfg(lines, names);
    else if (strstr(path, "/interfaces"))
        read_ifupdown(lines, names);
}

char *network_rules(const ConvertSpec *spec, GHashTable *names)
{
    g_autoptr(GString) rules =
        g_string_new("# The network cards keep the names that they had before the migration.\n");
    gsize empty = rules->len;

    for (guint i = 0; i < spec->n_nics; i++) {
        const ConvertNic *nic = &spec->nics[i];
        g_autofree char *mac = g_ascii_strdown(nic->mac, -1);
        const char *name = NULL;

        for (guint each = 0; nic->addresses[each] && !name; each++) {
            g_auto(GStrv) address = g_strsplit(nic->addresses[each], "/", 2);
            name = g_hash_table_lookup(names, address[0]);
        }
        if (name)
            g_string_append_printf(rules,
                                   "SUBSYSTEM==\"net\", ACTION==\"add\", ATTR{address}==\"%s\", "
                                   "ATTR{type}==\"1\", NAME=\"%s\"\n",
                                   mac, name);
    }
    return rules->len > empty ? g_string_free(g_steal_pointer(&rules), FALSE) : NULL;
}

/* ---- in and out of the guest ------------------------------------------------------------------- */

/* The tree is the guest's: links are not followed, and there is an end to it. */
static void read_tree(const char *path, GHashTable *names, guint *left)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder)) && *left) {
        g_autofree char *one = g_build_filename(path, name, NULL), *text = NULL;
        struct stat stat;

        (*left)--;
        if (lstat(one, &stat) < 0)
            continue;
        if (S_ISDIR(stat.st_mode))
            read_tree(one, names, left);
        else if (S_ISREG(stat.st_mode) && stat.st_size < FILE_LIMIT &&
                 g_file_get_contents(one, &text, NULL, NULL))
            network_read_file(one, text, names);
    }
}

static GHashTable *find_names(const Guestfs *guestfs, const char *folder, GCancellable *cancel,
                              GError **error)
{
    static const char *const before[] = {"guestfish", "--ro", "--format=raw", NULL};
    const char *after[] = {"-i",   "--", "-copy-out", "/etc/network",
                           folder, ":",  "-copy-out", "/etc/sysconfig/network-scripts",
                           folder, ":",  "-copy-out", "/etc/NetworkManager/system-connections",
                           folder, ":",  "-copy-out", "/etc/netplan",
                           folder, NULL};
    g_autofree char *said = guestfs_ask(guestfs, before, after, cancel, error);
    guint left = FILES_LIMIT;
    GHashTable *names;

    if (!said)
        return NULL;
    names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    read_tree(folder, names, &left);
    return names;
}

static gboolean write_rules(const Guestfs *guestfs, const char *file, GCancellable *cancel, GError **error)
{
    const char *commands[] = {"mkdir-p", "/etc/udev/rules.d", ":", "upload", file, RULES, NULL};
    return guestfs_write(guestfs, commands, cancel, error);
}

gboolean network_keep_names(const Guestfs *guestfs, const json_t *guest, const char *folder,
                            GCancellable *cancel, GError **error)
{
    g_autofree char *tree = g_build_filename(folder, "network", NULL),
                    *file = g_build_filename(folder, "net.rules", NULL), *rules = NULL;
    g_autoptr(GHashTable) names = NULL;
    gboolean any = FALSE;

    for (guint i = 0; i < guestfs->spec->n_nics; i++)
        any = any || guestfs->spec->nics[i].addresses[0];
    if (!any || strcmp(json_string_at(guest, "type", ""), "linux"))
        return TRUE;
    if (g_mkdir_with_parents(tree, 0700) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", tree, g_strerror(errno));
        return FALSE;
    }
    if (!(names = find_names(guestfs, tree, cancel, error)))
        return FALSE;
    rules = network_rules(guestfs->spec, names);
    return !rules ||
           (g_file_set_contents(file, rules, -1, error) && write_rules(guestfs, file, cancel, error));
}
