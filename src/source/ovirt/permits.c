/* permits: what an account lacks for each thing that a migration does.
 *
 * An engine grants by roles: a permission gives a user, or a group of his, a role on one object and all that
 * is in it; a permission without an object is for the whole system. A role is a list of permits. Which action
 * needs which permit is the engine's own table; older engines know one permit, vm_basic_operations, for the
 * three of power. An engine that does not let the account read its own permissions has not said that
 * anything is missing.
 */
#include "source/ovirt/ovirt.h"
#include <string.h>

static const struct {
    const char *task, *permit, *older;
} rows[] = {
    {"powerOff", "shut_down_vm", "vm_basic_operations"},
    {"powerOn", "run_vm", "vm_basic_operations"},
    {"imageio", "edit_disk_properties", NULL},
    {"snapshots", "backup_disk", NULL},
};

/* ---- what the account was given ------------------------------------------------------------------------ */

typedef struct {
    OvirtSession *session;
    GCancellable *cancel;
    GPtrArray *permissions; /* of json_t, each with its role's id */
    GHashTable *roles;      /* id → GHashTable of permits */
    gboolean known;
} Grants;

static void grants_clear(Grants *grants)
{
    g_ptr_array_unref(grants->permissions);
    g_hash_table_unref(grants->roles);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Grants, grants_clear)

/* FALSE: the engine cannot be asked. *out NULL: it does not say that to this account. */
static gboolean read_document(const Grants *grants, const char *path, json_t **out, GError **error)
{
    g_autoptr(GError) refused = NULL;

    *out = ovirt_get(grants->session, path, grants->cancel, &refused);
    if (*out || g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND) ||
        g_error_matches(refused, GANTRY_ERROR, ERROR_SOURCE_FAULT))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&refused));
    return FALSE;
}

static gboolean read_role(Grants *grants, const char *id, GError **error)
{
    g_autofree char *path = g_strdup_printf("roles/%s?follow=permits", id);
    g_autoptr(json_t) role = NULL;
    g_autoptr(GHashTable) permits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const json_t *permit;
    size_t i;

    if (!*id || g_hash_table_contains(grants->roles, id))
        return TRUE;
    if (!read_document(grants, path, &role, error))
        return FALSE;
    grants->known = grants->known && role;
    json_array_foreach (json_at(role, "permits.permit"), i, permit)
        g_hash_table_add(permits, g_strdup(ovirt_text(permit, "name")));
    g_hash_table_insert(grants->roles, g_strdup(id), g_steal_pointer(&permits));
    return TRUE;
}

/* whose: "users/ID" or "groups/ID". */
static gboolean read_permissions(Grants *grants, const char *whose, gboolean *said, GError **error)
{
    g_autofree char *path = g_strconcat(whose, "/permissions", NULL);
    g_autoptr(json_t) list = NULL;
    json_t *permission;
    size_t i;

    if (!read_document(grants, path, &list, error))
        return FALSE;
    *said = list != NULL;
    json_array_foreach (json_object_get(list, "permission"), i, permission) {
        g_ptr_array_add(grants->permissions, json_incref(permission));
        if (!read_role(grants, ovirt_text(permission, "role.id"), error))
            return FALSE;
    }
    return TRUE;
}

/* What his groups were given counts too; a group that the engine does not tell of may have given all. */
static gboolean read_groups(Grants *grants, const char *user, GError **error)
{
    g_autofree char *path = g_strconcat(user, "/groups", NULL);
    g_autoptr(json_t) list = NULL;
    const json_t *group;
    size_t i;

    if (!read_document(grants, path, &list, error))
        return FALSE;
    json_array_foreach (json_object_get(list, "group"), i, group) {
        g_autofree char *whose = g_strconcat("groups/", ovirt_text(group, "id"), NULL);
        gboolean said;
        if (!read_permissions(grants, whose, &said, error))
            return FALSE;
        grants->known = grants->known && said;
    }
    return TRUE;
}

static gboolean read_grants(Grants *grants, GError **error)
{
    g_autoptr(json_t) root = ovirt_get(grants->session, "", grants->cancel, error);
    g_autofree char *user = g_strconcat("users/", ovirt_text(root, "authenticated_user.id"), NULL);

    if (!root)
        return FALSE;
    grants->known = *ovirt_text(root, "authenticated_user.id") != 0;
    return !grants->known || (read_permissions(grants, user, &grants->known, error) &&
                              (!grants->known || read_groups(grants, user, error)));
}

/* ---- judging ------------------------------------------------------------------------------------------- */

/* Whether the permission is for the VM, its disks, or something that holds them. */
static gboolean covers(const json_t *permission, const json_t *workload)
{
    static const char *const objects[] = {"vm",       "disk", "cluster", "data_center", "storage_domain",
                                          "template", "host", "vm_pool"};
    const char *ids[] = {json_string_at(workload, "id", ""), json_string_at(workload, "cluster.id", ""),
                         json_string_at(workload, "dataCenter.id", "")};
    gboolean of_something = FALSE;
    const json_t *attachment;
    size_t at;

    for (guint i = 0; i < G_N_ELEMENTS(objects); i++) {
        const char *id = ovirt_text(json_object_get(permission, objects[i]), "id");
        if (!*id)
            continue;
        of_something = TRUE;
        for (guint n = 0; n < G_N_ELEMENTS(ids); n++)
            if (!strcmp(ids[n], id))
                return TRUE;
        json_array_foreach (json_object_get(workload, "diskAttachments"), at, attachment)
            if (!strcmp(json_string_at(attachment, "disk.id", ""), id) ||
                !strcmp(json_string_at(attachment, "disk.storageDomain", ""), id))
                return TRUE;
    }
    return !of_something;
}

static gboolean has(const Grants *grants, const json_t *workload, const char *permit)
{
    for (guint i = 0; permit && i < grants->permissions->len; i++) {
        const json_t *permission = grants->permissions->pdata[i];
        GHashTable *permits = g_hash_table_lookup(grants->roles, ovirt_text(permission, "role.id"));
        if (permits && g_hash_table_contains(permits, permit) && covers(permission, workload))
            return TRUE;
    }
    return FALSE;
}

static json_t *missing_for(const Grants *grants, const json_t *workload)
{
    json_t *missing = json_object();

    for (guint i = 0; grants->known && i < G_N_ELEMENTS(rows); i++)
        if (!has(grants, workload, rows[i].permit) && !has(grants, workload, rows[i].older))
            json_object_set_new(missing, rows[i].task, json_pack("[s]", rows[i].permit));
    return missing;
}

json_t *ovirt_missing_rights(gpointer session, const json_t *workloads, GCancellable *cancel, GError **error)
{
    g_auto(Grants) grants = {
        .session = session,
        .cancel = cancel,
        .permissions = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref),
        .roles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref)};
    json_t *all, *workload;
    size_t i;

    if (!read_grants(&grants, error))
        return NULL;
    all = json_object();
    json_array_foreach (workloads, i, workload)
        json_object_set_new(all, json_string_at(workload, "id", ""), missing_for(&grants, workload));
    return all;
}
