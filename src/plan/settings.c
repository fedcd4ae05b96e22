/* settings: one table of keys, read from spec, environment or default. */
#include "plan/settings.h"
#include "kube/quantity.h"
#include <errno.h>
#include <string.h>

typedef struct {
    const char *key, *environment;
    gsize offset;
    gint otherwise, least, most; /* most 1 with least 0: a boolean */
} Row;

#define AT(member) G_STRUCT_OFFSET(Settings, member)
static const Row rows[] = {
    {"controller_max_vm_inflight", "MAX_VM_INFLIGHT", AT(max_vm_inflight), 20, 1, 10000},
    {"controller_max_nfc_connections", "MAX_NFC_CONNECTIONS", AT(max_nfc_connections), 10, 1, 10000},
    {"controller_max_disks_per_datastore", "MAX_DISKS_PER_DATASTORE", AT(max_disks_per_datastore), 0, 0,
     10000},
    {"controller_max_disks_per_storage_class", "MAX_DISKS_PER_STORAGE_CLASS", AT(max_disks_per_storage_class),
     0, 0, 10000},
    {"controller_max_vms_per_namespace", "MAX_VMS_PER_NAMESPACE", AT(max_vms_per_namespace), 0, 0, 10000},
    {"controller_max_inspections", "MAX_INSPECTIONS", AT(max_inspections), 4, 1, 1000},
    {"controller_log_level", "LOG_LEVEL", AT(log_level), 2, 0, 10},
    {"validation_policy_agent_search_interval", "POLICY_AGENT_SEARCH_INTERVAL", AT(policy_interval_s), 120, 1,
     86400},
    {"controller_ovirt_warm_migration", "FEATURE_OVIRT_WARM_MIGRATION", AT(ovirt_warm), TRUE, 0, 1},
    {"controller_stalled_after", "STALLED_AFTER", AT(stalled_after_s), 180, 1, 86400},
    {"controller_importer_retry", "IMPORTER_RETRY", AT(importer_retry), 3, 0, 1000},
    {"controller_precopy_interval", "PRECOPY_INTERVAL", AT(precopy_interval_min), 60, 1, 43200},
    {"controller_precopy_interval_seconds", "PRECOPY_INTERVAL_SECONDS", AT(precopy_interval_s), 0, 0, 86400},
    {"controller_hook_retry", "HOOK_RETRY", AT(hook_retry), 3, 0, 1000},
    {"controller_power_off_timeout", "POWER_OFF_TIMEOUT", AT(power_off_timeout_s), 1200, 1, 86400},
    {"controller_target_start_timeout", "TARGET_START_TIMEOUT", AT(target_start_timeout_s), 600, 1, 86400},
    {"controller_retry_timeout", "RETRY_TIMEOUT", AT(retry_timeout_s), 600, 1, 86400},
    {"controller_filesystem_overhead", "FILESYSTEM_OVERHEAD", AT(filesystem_overhead_percent), 10, 0, 99},
    {"controller_block_overhead", "BLOCK_OVERHEAD", AT(block_overhead_bytes), 0, 0, G_MAXINT},
    {"controller_enable_change_tracking", "ENABLE_CHANGE_TRACKING", AT(track_changes), FALSE, 0, 1},
    {"feature_vmware_system_serial_number", "FEATURE_VMWARE_SYSTEM_SERIAL_NUMBER", AT(keep_serial), FALSE, 0,
     1},
    {"controller_power_off_force", "POWER_OFF_FORCE", AT(power_off_force), FALSE, 0, 1},
};

/* Keys of other readers: the operator, the inventory, the validation service, later kinds of migration. */
static const char *const foreign[] = {"feature_",
                                      "validation_",
                                      "inventory_",
                                      "ui_",
                                      "must_gather_",
                                      "virt_v2v_",
                                      "populator_",
                                      "hooks_",
                                      "hyperv_",
                                      "ovirt_",
                                      "vsphere_",
                                      "vddk_",
                                      "aap_",
                                      "metric",
                                      "k8s_cluster",
                                      "image_pull_policy",
                                      "olm_managed",
                                      "snapshot_",
                                      "wait_for_",
                                      "cleanup_",
                                      "api_",
                                      "cli_",
                                      "mcp_",
                                      "controller_vsphere_incremental_backup",
                                      "controller_snapshot_",
                                      "controller_vddk_",
                                      "controller_tls_",
                                      "controller_blocker_",
                                      "controller_pvc_",
                                      "controller_ocp_",
                                      "controller_static_",
                                      "controller_retain_",
                                      "controller_transfer_network",
                                      "controller_migration_service_account",
                                      "controller_max_populator_inflight",
                                      "controller_max_concurrent_reconciles",
                                      "controller_max_parent_backing_retries",
                                      "controller_cdi_",
                                      "controller_windows_",
                                      "controller_host_"};

static gboolean number_of(const json_t *value, gint64 *out)
{
    const char *text = json_string_value(value);
    char *end = NULL;

    if (json_is_integer(value))
        *out = json_integer_value(value);
    else if (json_is_boolean(value))
        *out = json_is_true(value);
    else if (text && !g_ascii_strcasecmp(text, "true"))
        *out = TRUE;
    else if (text && !g_ascii_strcasecmp(text, "false"))
        *out = FALSE;
    else if (text && *text) {
        errno = 0;
        *out = g_ascii_strtoll(text, &end, 10);
        return !errno && *end == '\0';
    } else
        return FALSE;
    return TRUE;
}

static gint from_environment(const Row *row)
{
    const char *text = g_getenv(row->environment);
    g_autoptr(json_t) value = text ? json_string(text) : NULL;
    gint64 number;

    return value && number_of(value, &number) && number >= row->least && number <= row->most ? number
                                                                                             : row->otherwise;
}

static void read_row(Settings *settings, const Row *row, const json_t *spec)
{
    const json_t *value = json_object_get(spec, row->key);
    gint *member = G_STRUCT_MEMBER_P(settings, row->offset);
    gint64 number;

    *member = from_environment(row);
    if (!value || json_is_null(value))
        return;
    if (number_of(value, &number) && number >= row->least && number <= row->most)
        *member = number;
    else
        g_ptr_array_add(settings->wrong, row->least == 0 && row->most == 1
                                             ? g_strdup_printf("%s: must be true or false", row->key)
                                             : g_strdup_printf("%s: must be a number from %d to %d", row->key,
                                                               row->least, row->most));
}

static const struct {
    const char *key, *environment;
    gsize offset;
} amounts[] = {
    {"controller_bandwidth_limit", "BANDWIDTH_LIMIT", AT(bandwidth_limit)},
    {"controller_bandwidth_limit_per_host", "BANDWIDTH_LIMIT_PER_HOST", AT(bandwidth_limit_per_host)},
};

static void read_amount(Settings *settings, guint i, const json_t *spec)
{
    const json_t *value = json_object_get(spec, amounts[i].key);
    guint64 *member = G_STRUCT_MEMBER_P(settings, amounts[i].offset);
    const char *otherwise = g_getenv(amounts[i].environment), *text = json_string_value(value);
    g_autofree char *number =
        json_is_integer(value) ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value)) : NULL;

    if (otherwise && !quantity_parse(otherwise, member, NULL))
        *member = 0;
    if (!value || json_is_null(value) || (text && !*text) ||
        ((text || number) && quantity_parse(number ? number : text, member, NULL)))
        return;
    g_ptr_array_add(settings->wrong,
                    g_strdup_printf("%s: must be bytes per second as \"50M\" or \"100Mi\"", amounts[i].key));
}

static gboolean known(const char *key)
{
    for (guint i = 0; i < G_N_ELEMENTS(amounts); i++)
        if (!strcmp(key, amounts[i].key))
            return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(key, rows[i].key))
            return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(foreign); i++)
        if (g_str_has_prefix(key, foreign[i]))
            return TRUE;
    return strstr(key, "_image_fqin") || strstr(key, "_container_");
}

static char *text_at(const json_t *spec, const char *key)
{
    const char *text = json_string_value(json_object_get(spec, key));
    return text && *text ? g_strdup(text) : NULL;
}

/* The operator's own templates would read braces, so they are written as "\{". */
static char *claim_template(const json_t *spec)
{
    g_autofree char *text = text_at(spec, "controller_pvc_name_template");
    g_auto(GStrv) parts = g_strsplit(text ? text : "", "\\", -1);

    return text ? g_strjoinv("", parts) : NULL;
}

/* Conversion Pods run Gantry's own program: another's image, as settings written for Forklift name it, has
 * none. */
static void read_conversion_image(Settings *settings, const json_t *spec)
{
    static const char key[] = "virt_v2v_image_fqin";
    g_autofree char *image = text_at(spec, key), *repository = NULL;
    const char *last;

    if (!image)
        return;
    last = strrchr(image, '/');
    repository = g_strndup(last ? last + 1 : image, strcspn(last ? last + 1 : image, ":@"));
    if (!strcmp(repository, "gantry"))
        settings->conversion_image = g_steal_pointer(&image);
    else
        g_ptr_array_add(settings->wrong,
                        g_strdup_printf("%s: not used: conversion Pods run Gantry's own image", key));
}

Settings *settings_parse(const json_t *spec)
{
    Settings *settings = g_atomic_rc_box_new0(Settings);
    g_autoptr(json_t) none = json_object();
    const char *key;
    json_t *value;
    gint64 dont = 0;

    settings->unknown = g_ptr_array_new_with_free_func(g_free);
    settings->wrong = g_ptr_array_new_with_free_func(g_free);
    if (!json_is_object(spec))
        spec = none;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        read_row(settings, &rows[i], spec);
    for (guint i = 0; i < G_N_ELEMENTS(amounts); i++)
        read_amount(settings, i, spec);
    settings->claim_template = claim_template(spec);
    settings->transfer_network = text_at(spec, "controller_transfer_network");
    settings->service_account = text_at(spec, "controller_migration_service_account");
    read_conversion_image(settings, spec);
    number_of(json_object_get(spec, "virt_v2v_dont_request_kvm"), &dont);
    settings->request_kvm = !dont;
    json_object_foreach ((json_t *)spec, key, value)
        if (!known(key))
            g_ptr_array_add(settings->unknown, g_strdup(key));
    return settings;
}

static void clear(gpointer data)
{
    Settings *settings = data;
    g_free(settings->claim_template);
    g_free(settings->transfer_network);
    g_free(settings->service_account);
    g_free(settings->conversion_image);
    g_ptr_array_unref(settings->unknown);
    g_ptr_array_unref(settings->wrong);
}

Settings *settings_retain(Settings *settings)
{
    return g_atomic_rc_box_acquire(settings);
}

void settings_release(Settings *settings)
{
    if (settings)
        g_atomic_rc_box_release_full(settings, clear);
}

static GMutex lock;
static Settings *current;

Settings *settings_ref(void)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    return current ? settings_retain(current) : settings_parse(NULL);
}

void settings_publish(Settings *settings)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    settings_release(current);
    current = settings ? settings_retain(settings) : NULL;
}
