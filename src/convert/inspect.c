/* inspect: virt-inspector's XML, and the reasons to refuse. */
#include "convert/inspect.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>
#include <unistd.h>

static char *child_text(const xmlNode *parent, const char *name)
{
    for (xmlNode *node = parent->children; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name)) {
            xmlChar *content = xmlNodeGetContent(node);
            char *text = g_strstrip(g_utf8_make_valid((const char *)content, -1));
            xmlFree(content);
            return text;
        }
    return g_strdup("");
}

static json_t *guest_of(const xmlNode *system)
{
    g_autofree char *id = child_text(system, "osinfo"), *type = child_text(system, "name"),
                    *distro = child_text(system, "distro"), *product = child_text(system, "product_name"),
                    *major = child_text(system, "major_version"),
                    *minor = child_text(system, "minor_version"), *arch = child_text(system, "arch"),
                    *root = child_text(system, "root"), *version = g_strdup_printf("%s.%s", major, minor);

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", *id ? id : "unknown", "type", type, "distro",
                     distro, "product", product, "version", version, "arch", arch, "root", root);
}

json_t *inspect_parse(const char *xml, gsize size, gboolean *found, GError **error)
{
    xmlDoc *document =
        xmlReadMemory(xml, size, "inspection", NULL,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    json_t *guest = NULL;

    *found = FALSE;
    if (!root || document->intSubset || strcmp((const char *)root->name, "operatingsystems")) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "virt-inspector printed no description of operating systems");
        xmlFreeDoc(document);
        return NULL;
    }
    for (xmlNode *node = root->children; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, "operatingsystem"))
            continue;
        if (guest)
            json_array_append_new(json_object_get(guest, "others"), guest_of(node));
        else if ((guest = guest_of(node)))
            json_object_set_new(guest, "others", json_array());
    }
    *found = guest != NULL;
    xmlFreeDoc(document);
    return guest;
}

/* TRUE: there are encrypted devices, which is said. */
static gboolean explain_by_encryption(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) devices = guestfs_encrypted(guestfs, cancel, NULL);
    g_autofree char *list = NULL;

    if (!devices || !devices->len)
        return FALSE;
    g_ptr_array_add(devices, NULL);
    list = g_strjoinv(", ", (char **)devices->pdata);
    g_set_error(error, GANTRY_ERROR, ERROR_GUEST_ENCRYPTED, "the guest's disk is encrypted%s: %s",
                guestfs->keys->len ? " and none of the keys opens it"
                                   : " and no key is named (luks or nbdeClevis of the plan's VM)",
                list);
    return TRUE;
}

/* There is no operating system: the file systems say why. */
static void explain(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    g_autofree char *list = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GString) types = g_string_new(NULL);

    if (!guestfs->keys->len && explain_by_encryption(guestfs, cancel, error))
        return;
    list = guestfs_list(guestfs, cancel, NULL);
    lines = g_strsplit(list ? list : "", "\n", 0);
    for (guint i = 1; lines[0] && lines[i]; i++) { /* the first has the columns' names: Name,Type,VFS,… */
        g_auto(GStrv) fields = g_strsplit(lines[i], ",", 4);
        if (g_strv_length(fields) >= 3)
            g_string_append_printf(types, "%s%s (%s)", types->len ? ", " : "", fields[0], fields[2]);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_GUEST_UNKNOWN,
                "no operating system was found on the disk%s; file systems: %s",
                guestfs->spec->n_disks > 1 ? "s" : "", types->len ? types->str : "none that can be read");
}

/* Windows needs drivers from outside, and must have been shut down, not hibernated. */
static gboolean check_windows(const Guestfs *guestfs, const json_t *guest, GCancellable *cancel,
                              GError **error)
{
    const char *drivers = g_getenv("VIRTIO_WIN");
    g_autofree char *root = g_strconcat(json_string_at(guest, "root", ""), ":/", NULL);
    const char *before[] = {"guestfish", "--ro", "--format=raw", NULL};
    const char *after[] = {"-m", root, "--", "-pread", "/hiberfil.sys", "4", "0", NULL};
    g_autofree char *signature = NULL;

    if (access(drivers ? drivers : "/usr/share/virtio-win", R_OK) ||
        (access("/usr/share/virt-tools/rhsrvany.exe", R_OK) &&
         access("/usr/share/virt-tools/pvvxsvc.exe", R_OK))) {
        g_set_error(error, GANTRY_ERROR, ERROR_GUEST_NO_DRIVERS,
                    "the guest is %s, and the drivers that Windows needs are not installed here",
                    json_string_at(guest, "product", "Windows"));
        return FALSE;
    }
    /* the minus: a guest without that file is no error */
    if (!(signature = guestfs_ask(guestfs, before, after, cancel, error)))
        return FALSE;
    if (!g_ascii_strncasecmp(signature, "hibr", 4)) {
        g_set_error(error, GANTRY_ERROR, ERROR_GUEST_HIBERNATED,
                    "%s is hibernated or was shut down with Fast Startup",
                    json_string_at(guest, "product", "Windows"));
        return FALSE;
    }
    return TRUE;
}

/* Whether root names a whole disk. */
static gboolean is_disk(const char *root)
{
    return g_str_has_prefix(root, "/dev/sd") && !strpbrk(root, "0123456789");
}

/* A disk stands for the system on one of its partitions. */
static gboolean is_on(const json_t *guest, const char *root)
{
    const char *device = json_string_at(guest, "root", ""), *rest;

    if (!strcmp(device, root))
        return TRUE;
    rest = is_disk(root) && g_str_has_prefix(device, root) ? device + strlen(root) : "";
    return *rest && strspn(rest, "0123456789") == strlen(rest);
}

/* Puts the guest whose root was chosen in front of the others. One system on logical volumes does not show
 * which disk it is on: it is the chosen one. */
static json_t *choose(json_t *guest, const char *root, GError **error)
{
    g_autoptr(json_t) first = guest, others = json_incref(json_object_get(guest, "others"));

    json_object_del(first, "others");
    json_array_insert(others, 0, first);
    for (gsize i = 0; i < json_array_size(others); i++) {
        json_t *one = json_array_get(others, i);
        if (root && strcmp(root, "first") && !is_on(one, root) &&
            !(is_disk(root) && json_array_size(others) == 1))
            continue;
        json_incref(one);
        json_array_remove(others, i);
        json_object_set(one, "others", others);
        return one;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_GUEST_UNKNOWN,
                "there is no operating system on %s, the chosen root", root);
    return NULL;
}

json_t *inspect_guest(const Guestfs *guestfs, GCancellable *cancel, GError **error)
{
    static const char *const before[] = {"virt-inspector", "--format=raw", "--no-applications", "--no-icon",
                                         NULL},
                             *const after[] = {NULL};
    g_autoptr(GError) failed = NULL;
    g_autofree char *xml = guestfs_ask(guestfs, before, after, cancel, &failed);
    g_autoptr(json_t) guest = NULL;
    gboolean found = FALSE;

    /* some versions end with an error when there is no operating system, and all that lack a key */
    if (failed && (!g_error_matches(failed, GANTRY_ERROR, ERROR_CONVERSION_FAILED) ||
                   !strstr(failed->message, "operating system"))) {
        if (!g_error_matches(failed, GANTRY_ERROR, ERROR_CONVERSION_FAILED) ||
            !explain_by_encryption(guestfs, cancel, error))
            g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    guest = xml ? inspect_parse(xml, strlen(xml), &found, NULL) : NULL;
    if (!found) {
        explain(guestfs, cancel, error);
        return NULL;
    }
    guest = choose(g_steal_pointer(&guest), guestfs->spec->root, error);
    if (!guest || (!strcmp(json_string_at(guest, "type", ""), "windows") &&
                   !check_windows(guestfs, guest, cancel, error)))
        return NULL;
    return g_steal_pointer(&guest);
}
