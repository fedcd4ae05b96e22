/* disk: where the copier finds one disk of a vSphere VM, and the text by which it knows whether the VM has
 * written since.
 *
 * generation. A VM that is off cannot write; to write it must be started, and vSphere rewrites the VM's
 * configuration file when it does so, which moves config.changeVersion, as does every snapshot, resize or
 * exchange of a disk. runtime.bootTime says when a VM was started; some peers keep the last one after it was
 * stopped. So for a VM that is off the text is made of changeVersion, bootTime and the disk's file: it stays
 * the same as long as nothing can have been written, and differs after any start, also one that was over
 * before anybody looked. A VM that runs may write at any moment: its text is never the same twice, so nothing
 * that was read before counts.
 */
#include "source/vsphere/vsphere.h"
#include <string.h>

static const json_t *find_disk(const json_t *workload, const char *disk_id, GError **error)
{
    const json_t *disks = json_at(workload, "disks"), *disk;
    size_t at;

    json_array_foreach (disks, at, disk) {
        g_autofree char *id = g_strdup_printf("%d", (int)json_int_at(disk, "key", 0));
        if (!strcmp(id, disk_id))
            return disk;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND,
                "VM '%s' (%s) has no disk with the device key %s any more",
                json_string_at(workload, "name", ""), json_string_at(workload, "id", ""), disk_id);
    return NULL;
}

/* What datastore access over HTTPS cannot read is refused before anything is copied. */
static gboolean check_readable(const json_t *disk, GError **error)
{
    const char *file = json_string_at(disk, "file", "");

    if (json_bool_at(disk, "rdm", FALSE)) {
        g_set_error(
            error, GANTRY_ERROR, ERROR_SOURCE_VM,
            "disk '%s' is a raw device mapping, which is no file: convert it to a virtual disk, or detach it",
            file);
        return FALSE;
    }
    return TRUE;
}

/* "[datastore] dir/x.vmdk" */
static gboolean split_file(const char *file, char **datastore, char **path, GError **error)
{
    const char *end = *file == '[' ? strstr(file, "] ") : NULL;

    if (!end || !end[2]) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM, "disk file '%s' does not read '[datastore] path'",
                    file);
        return FALSE;
    }
    *datastore = g_strndup(file + 1, end - file - 1);
    *path = g_strdup(end + 2);
    return TRUE;
}

static char *generation(const json_t *workload, const char *file)
{
    const char *version = json_string_at(workload, "changeVersion", "");

    if (strcmp(json_string_at(workload, "powerState", ""), "poweredOff"))
        return g_strdup_printf("running/%s/%" G_GINT64_FORMAT, json_string_at(workload, "bootTime", ""),
                               g_get_real_time());
    return g_strdup_printf("off/%s/%s/%s", version, json_string_at(workload, "bootTime", ""), file);
}

/* The datacenter's inventory path without its leading slash, as datastore access wants it ("dcPath"). */
static const char *datacenter_path(const json_t *workload, const char *host)
{
    const char *path = json_string_at(workload, "host.cluster.datacenter.path", "");

    if (host)
        return "ha-datacenter"; /* every ESXi host's only one */
    if (!*path)
        path = json_string_at(workload, "host.cluster.datacenter.name", "");
    return *path == '/' ? path + 1 : path;
}

/* Where the disk is no file (vSAN, vVol) vCenter streams it: of a VM that is off, or as a snapshot of it has
 * it (source_snapshot_source()). */
static json_t *other_ways(const char *url, const json_t *workload, const char *generation)
{
    return json_pack("[{s:s, s:s, s:s, s:s}]", "type", "lease", "url", url, "vm",
                     json_string_at(workload, "id", ""), "generation", generation);
}

json_t *vsphere_disk(const char *url, const json_t *workload, const char *disk_id, const char *host,
                     GError **error)
{
    const json_t *disk = find_disk(workload, disk_id, error);
    g_autofree char *datastore = NULL, *path = NULL, *text = NULL, *host_url = NULL;
    const char *file = disk ? json_string_at(disk, "file", "") : NULL;
    const char *datacenter = datacenter_path(workload, host);
    json_t *source;

    if (!disk || !check_readable(disk, error) || !split_file(file, &datastore, &path, error))
        return NULL;
    if (!*datacenter) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM,
                    "the datacenter of VM '%s' (%s) is not in the inventory",
                    json_string_at(workload, "name", ""), json_string_at(workload, "id", ""));
        return NULL;
    }
    text = generation(workload, file);
    if (host && g_hostname_is_ip_address(host) && strchr(host, ':'))
        host_url = g_strdup_printf("https://[%s]/sdk", host);
    else if (host)
        host_url = g_strdup_printf("https://%s/sdk", host);
    source = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", "https", "url", host_url ? host_url : url,
                       "datacenter", datacenter, "datastore", datastore, "path", path, "generation", text);
    if (!host)
        json_object_set_new(source, "others", other_ways(url, workload, text));
    return source;
}
