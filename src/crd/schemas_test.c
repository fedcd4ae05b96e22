/* schemas: the definitions in deploy/ are structural, complete in what clients rely on, and accept the
 * guide's kinds.
 *
 * What makes a schema structural:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
#include "base/share.h"
#include "base/yaml.h"
#include <string.h>

#define MOST_SIZE (1024 * 1024)

typedef struct {
    const char *file, *group, *version, *kind, *plural, *singular;
    const char *short_names; /* joined by blanks */
    const char *columns;     /* upper case, joined by blanks, as users see them */
} Row;

static const Row rows[] = {
    {"crds/providers.yaml", "forklift.konveyor.io", "v1beta1", "Provider", "providers", "provider", "",
     "TYPE STATUS READY CONNECTED INVENTORY URL AGE"},
    {"crds/hosts.yaml", "forklift.konveyor.io", "v1beta1", "Host", "hosts", "host", "",
     "READY CONNECTED AGE"},
    {"crds/networkmaps.yaml", "forklift.konveyor.io", "v1beta1", "NetworkMap", "networkmaps", "networkmap",
     "networkmapping networkmappings", "READY AGE"},
    {"crds/storagemaps.yaml", "forklift.konveyor.io", "v1beta1", "StorageMap", "storagemaps", "storagemap",
     "storagemapping storagemappings", "READY AGE"},
    {"crds/hooks.yaml", "forklift.konveyor.io", "v1beta1", "Hook", "hooks", "hook", "", "READY IMAGE AGE"},
    {"crds/plans.yaml", "forklift.konveyor.io", "v1beta1", "Plan", "plans", "plan", "",
     "READY EXECUTING SUCCEEDED FAILED AGE"},
    {"crds/migrations.yaml", "forklift.konveyor.io", "v1beta1", "Migration", "migrations", "migration", "",
     "READY RUNNING SUCCEEDED FAILED AGE"},
    {"crds/forkliftcontrollers.yaml", "forklift.konveyor.io", "v1beta1", "ForkliftController",
     "forkliftcontrollers", "forkliftcontroller", "", "AGE"},
    {"crds/provisioners.yaml", "forklift.konveyor.io", "v1beta1", "Provisioner", "provisioners",
     "provisioner", "", "AGE"},
    {"node-crds/datavolumes.yaml", "cdi.kubevirt.io", "v1beta1", "DataVolume", "datavolumes", "datavolume",
     "dv dvs", "PHASE PROGRESS RESTARTS AGE"},
    {"node-crds/virtualmachines.yaml", "kubevirt.io", "v1", "VirtualMachine", "virtualmachines",
     "virtualmachine", "vm vms", "AGE STATUS READY"},
    {"node-crds/virtualmachineinstances.yaml", "kubevirt.io", "v1", "VirtualMachineInstance",
     "virtualmachineinstances", "virtualmachineinstance", "vmi vmis", "AGE PHASE IP NODENAME READY"},
    {"node-crds/network-attachment-definitions.yaml", "k8s.cni.cncf.io", "v1", "NetworkAttachmentDefinition",
     "network-attachment-definitions", "network-attachment-definition", "net-attach-def", NULL},
    {"local-crds/routes.yaml", "route.openshift.io", "v1", "Route", "routes", "route", NULL, NULL},
};

static json_t *load(const char *file)
{
    g_autofree char *name = g_strconcat("deploy/", file, NULL), *path = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) documents = NULL;

    path = share_find(&error, name, NULL);
    g_assert_no_error(error);
    documents = yaml_parse_file(path, MOST_SIZE, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(documents->len, ==, 1);
    return json_incref(documents->pdata[0]);
}

/* The texts of an array, or the member of each of its objects, joined by blanks. */
static char *joined(const json_t *array, const char *member)
{
    GString *text = g_string_new(NULL);
    const json_t *item;
    gsize i;

    json_array_foreach(array, i, item) g_string_append_printf(
        text, "%s%s", i ? " " : "", json_string_value(member ? json_object_get(item, member) : item));
    return g_string_free(text, FALSE);
}

static const json_t *schema_of(const json_t *crd)
{
    const json_t *version = json_array_get(json_at(crd, "spec.versions"), 0);
    return json_at(version, "schema.openAPIV3Schema");
}

static void every_definition_is_named_as_clients_expect(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) crd = load(rows[i].file);
        const json_t *version = json_array_get(json_at(crd, "spec.versions"), 0);
        g_autofree char *name = g_strdup_printf("%s.%s", rows[i].plural, rows[i].group);
        g_autofree char *shorts = joined(json_at(crd, "spec.names.shortNames"), NULL);
        g_autofree char *columns = joined(json_at(version, "additionalPrinterColumns"), "name");
        g_autofree char *upper = g_ascii_strup(columns, -1);

        g_test_message("%s", rows[i].file);
        g_assert_cmpstr(json_string_at(crd, "apiVersion", ""), ==, "apiextensions.k8s.io/v1");
        g_assert_cmpstr(json_string_at(crd, "metadata.name", ""), ==, name);
        g_assert_cmpstr(json_string_at(crd, "spec.group", ""), ==, rows[i].group);
        g_assert_cmpstr(json_string_at(crd, "spec.scope", ""), ==, "Namespaced");
        g_assert_cmpstr(json_string_at(crd, "spec.names.kind", ""), ==, rows[i].kind);
        g_assert_cmpstr(json_string_at(crd, "spec.names.singular", ""), ==, rows[i].singular);
        g_assert_cmpstr(json_string_at(version, "name", ""), ==, rows[i].version);
        g_assert_true(json_bool_at(version, "served", FALSE) && json_bool_at(version, "storage", FALSE));
        if (rows[i].short_names)
            g_assert_cmpstr(shorts, ==, rows[i].short_names);
        if (rows[i].columns)
            g_assert_cmpstr(upper, ==, rows[i].columns);
    }
}

static void check_structural(const json_t *schema, const char *path);

static void check_properties(const json_t *schema, const char *path)
{
    json_t *properties = json_object_get(schema, "properties");
    const json_t *required;
    const char *name;
    json_t *member;
    gsize i;

    json_object_foreach(properties, name, member)
    {
        g_autofree char *here = g_strconcat(path, ".", name, NULL);
        check_structural(member, here);
    }
    json_array_foreach(json_object_get(schema, "required"), i,
                       required) if (!json_object_get(properties, json_string_value(required)))
        g_error("%s: \"%s\" is required and not a property", path, json_string_value(required));
}

static void check_structural(const json_t *schema, const char *path)
{
    static const char *const types[] = {"object", "array", "string", "integer", "number", "boolean", NULL};
    const char *type = json_string_at(schema, "type", "");
    g_autofree char *inner = g_strconcat(path, "[]", NULL);

    if (!g_strv_contains(types, type))
        g_error("%s: type is \"%s\"", path, type);
    if (!strcmp(type, "array"))
        check_structural(json_object_get(schema, "items"), inner);
    else if (json_object_get(schema, "items"))
        g_error("%s: items of what is no array", path);
    if (json_object_get(schema, "properties") && json_object_get(schema, "additionalProperties"))
        g_error("%s: properties and additionalProperties exclude each other", path);
    if (json_is_object(json_object_get(schema, "additionalProperties")))
        check_structural(json_object_get(schema, "additionalProperties"), inner);
    check_properties(schema, path);
}

static void every_property_has_a_type(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) crd = load(rows[i].file);
        check_structural(schema_of(crd), rows[i].kind);
    }
}

static void status_is_a_subresource_of_every_kind_of_ours(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) crd = load(rows[i].file);
        const json_t *version = json_array_get(json_at(crd, "spec.versions"), 0);
        if (g_str_has_prefix(rows[i].file, "crds/"))
            g_assert_true(json_is_object(json_at(version, "subresources.status")));
    }
}

/* Walks "spec.vms[].hooks[].hook" through properties and items. */
static const json_t *property(const json_t *schema, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, ".", -1);

    for (guint i = 0; parts[i] && schema; i++) {
        gboolean list = g_str_has_suffix(parts[i], "[]");
        if (list)
            parts[i][strlen(parts[i]) - 2] = 0;
        schema = json_object_get(json_object_get(schema, "properties"), parts[i]);
        if (list)
            schema = json_object_get(schema, "items");
    }
    return schema;
}

/* An API server prunes what a schema does not name, so a missing field is a lost setting. */
static void fields_of_the_guide_and_of_newer_clients_are_not_pruned(void)
{
    static const struct {
        const char *file, *path, *type;
    } fields[] = {
        {"crds/providers.yaml", "spec.settings", "object"},
        {"crds/hosts.yaml", "spec.ipAddress", "string"},
        {"crds/networkmaps.yaml", "spec.map[].destination.namespace", "string"},
        {"crds/networkmaps.yaml", "spec.map[].destination.name", "string"},
        {"crds/networkmaps.yaml", "spec.map[].source.id", "string"},
        {"crds/storagemaps.yaml", "spec.map[].destination.accessMode", "string"},
        {"crds/storagemaps.yaml", "status.references[].id", "string"},
        {"crds/hooks.yaml", "spec.playbook", "string"},
        {"crds/hooks.yaml", "spec.deadline", "integer"},
        {"crds/plans.yaml", "spec.warm", "boolean"},
        {"crds/plans.yaml", "spec.vms[].name", "string"},
        {"crds/plans.yaml", "spec.vms[].hooks[].step", "string"},
        {"crds/plans.yaml", "spec.vms[].hooks[].hook.step", "string"},
        {"crds/plans.yaml", "spec.vms[].targetName", "string"},
        {"crds/plans.yaml", "spec.preserveStaticIPs", "boolean"},
        {"crds/plans.yaml", "spec.targetPowerState", "string"},
        {"crds/plans.yaml", "status.migration.vms[].pipeline[].tasks[].annotations", "object"},
        {"crds/plans.yaml", "status.migration.vms[].warm.precopies", "array"},
        {"crds/migrations.yaml", "spec.cutover", "string"},
        {"crds/migrations.yaml", "spec.plan.cutover", "string"},
        {"crds/migrations.yaml", "spec.cancel[].id", "string"},
        {"crds/migrations.yaml", "status.vms[].pipeline[].progress.completed", "integer"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autoptr(json_t) crd = load(fields[i].file);
        const json_t *found = property(schema_of(crd), fields[i].path);
        g_test_message("%s %s", fields[i].file, fields[i].path);
        g_assert_cmpstr(json_string_at(found, "type", "absent"), ==, fields[i].type);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crd/schemas/every definition is named as clients expect",
                    every_definition_is_named_as_clients_expect);
    g_test_add_func("/crd/schemas/every property has a type", every_property_has_a_type);
    g_test_add_func("/crd/schemas/status is a subresource of every kind of ours",
                    status_is_a_subresource_of_every_kind_of_ours);
    g_test_add_func("/crd/schemas/fields of the guide and of newer clients are not pruned",
                    fields_of_the_guide_and_of_newer_clients_are_not_pruned);
    return g_test_run();
}
