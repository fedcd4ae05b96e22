/* machine_manifest: tests/machines/ holds a file for each of some sixty source VMs: how it differs from
 * base.yaml (or base-ovirt.yaml), and after "---" the whole VirtualMachine that comes out.
 * GANTRY_GOLDEN=write writes the second parts anew, to be read before they are kept. */
#include "base/yaml.h"
#include "plan/machine_manifest.h"
#include "plan/naming.h"
#include "plan/preference.h"
#include <string.h>

enum { FILE_LIMIT = 1 << 20 };

static GPtrArray *documents(const char *name)
{
    g_autofree char *path = g_build_filename(MACHINES, name, NULL);
    g_autoptr(GError) error = NULL;
    GPtrArray *all = yaml_parse_file(path, FILE_LIMIT, &error);

    g_assert_no_error(error);
    return all;
}

/* base's member with the case's changes. */
static json_t *member(const json_t *base, const json_t *one, const char *key)
{
    json_t *value = json_copy(json_object_get(base, key));

    if (!value)
        value = json_object();
    if (json_is_object(value))
        json_object_update(value, json_object_get(one, key));
    return value;
}

static gboolean is_taken(const char *name, gpointer taken)
{
    size_t i;
    json_t *other;

    json_array_foreach (taken, i, other)
        if (!strcmp(json_string_value(other), name))
            return TRUE;
    return FALSE;
}

static Object *object(const char *kind, json_t *metadata, const char *key, json_t *value)
{
    return object_new_take(json_pack("{s:s, s:o, s:o}", "kind", kind, "metadata", metadata, key, value));
}

/* The VM's status as it is when the target is made. */
static json_t *status_of(const json_t *spec_vm, const Vm *vm, const json_t *one)
{
    json_t *status = vm_status_new(spec_vm, vm->id, vm->name);
    const char *found = json_string_at(one, "found", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *name = naming_target(vm->name, vm->id, json_string_at(spec_vm, "targetName", NULL),
                                          is_taken, json_object_get(one, "taken"), &error);

    g_assert_no_error(error);
    if (strcmp(name, vm->name))
        json_object_set_new(status, "newName", json_string(name));
    if (found)
        json_object_set_new(status, "operatingSystem", json_string(found));
    json_object_set_new(status, "restorePowerState", json_string(vm->powered_on ? "On" : "Off"));
    return status;
}

static char **claims_of(const Vm *vm)
{
    char **claims = g_new0(char *, vm->disks->len + 1);

    for (guint i = 0; i < vm->disks->len; i++)
        claims[i] = g_strdup_printf("plan-%s-%05u", vm->id, i);
    return claims;
}

static json_t *manifest_of(const json_t *base, const json_t *one)
{
    const char *type = json_string_at(base, "type", "vsphere");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) source = member(base, one, "source"), spec_vm = member(base, one, "vm");
    g_autoptr(Object) plan = object(
        "Plan",
        json_pack("{s:s, s:s, s:s}", "name", "plan", "namespace", "openshift-mtv", "uid", "0f1e2d3c-plan"),
        "spec", member(base, one, "plan"));
    g_autoptr(Object) provider =
        object("Provider", json_pack("{s:s}", "name", "source"), "spec", json_pack("{s:s}", "type", type));
    g_autoptr(Object) map = object("NetworkMap", json_pack("{s:s}", "name", "networks"), "spec",
                                   json_pack("{s:O}", "map", json_object_get(base, "networkMap")));
    g_autoptr(Settings) settings = settings_parse(json_object_get(one, "settings"));
    g_autoptr(Vm) vm = source_describe(type, source, &error);
    PlanRun run = {.plan = plan,
                   .provider = provider,
                   .network_map = map,
                   .settings = settings,
                   .migration_uid = "4b5a6978-migration",
                   .image = "gantry"};
    g_autoptr(json_t) status = NULL;
    g_autoptr(VmRun) work = NULL;
    g_auto(GStrv) claims = NULL;
    g_autofree char *preference = NULL;
    MachineParts parts = {0};
    json_t *manifest;

    g_assert_no_error(error);
    status = status_of(spec_vm, vm, one);
    work = vm_run_new(&run, status);
    vm_run_set_workload(work, source);
    claims = claims_of(vm);
    preference = preference_name(machine_os(work, vm), machine_has_drivers(work, vm));
    parts.claims = (const char *const *)claims;
    parts.preference = json_bool_at(one, "preference", FALSE) ? preference : NULL;
    manifest = machine_manifest(work, vm, &parts, &error);
    g_assert_no_error(error);
    return manifest;
}

static void write_golden(const char *name, const json_t *manifest)
{
    g_autofree char *path = g_build_filename(MACHINES, name, NULL), *text = NULL, *yaml = yaml_text(manifest),
                    *whole = NULL;
    char *end;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    end = strstr(text, "\n---\n");
    if (end)
        end[1] = '\0';
    whole = g_strconcat(text, "---\n", yaml, NULL);
    g_assert_true(g_file_set_contents(path, whole, -1, NULL));
}

static void a_machine_is_what_its_file_says(gconstpointer data)
{
    const char *name = data;
    gboolean ovirt = g_str_has_prefix(name, "ovirt-");
    g_autoptr(GPtrArray) base = documents(ovirt ? "base-ovirt.yaml" : "base.yaml"), one = documents(name);
    g_autoptr(json_t) manifest = manifest_of(base->pdata[0], one->pdata[0]);
    g_autofree char *is = yaml_text(manifest), *should_be = NULL;

    if (!g_strcmp0(g_getenv("GANTRY_GOLDEN"), "write")) {
        write_golden(name, manifest);
        return;
    }
    g_assert_cmpuint(one->len, ==, 2);
    should_be = yaml_text(one->pdata[1]);
    if (!json_equal(manifest, one->pdata[1]))
        g_error("%s says:\n%s\nbut the manifest is:\n%s", name, should_be, is);
}

/* ---- what is refused ---- */

static void what_cannot_be_is_refused_with_the_field(void)
{
    static const struct {
        const char *plan, *vm, *words;
    } rows[] = {
        {"{diskBus: ide}", "{}", "spec.diskBus: 'ide' must be"},
        {"{}", "{rootDisk: /dev/sdc}", "rootDisk '/dev/sdc' names none of the VM's 1 disks"},
        {"{}", "{rootDisk: first}", "rootDisk 'first'"},
        {"{volumeNameTemplate: 'Vol_{{.VolumeIndex}}'}", "{}",
         "volumeNameTemplate 'Vol_{{.VolumeIndex}}' makes 'Vol_0'"},
        {"{networkNameTemplate: '{{.Nothing}}'}", "{}", "no field '.Nothing'"},
        {"{}", "{networkNameTemplate: ''}", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) base = documents("base.yaml");
        g_autoptr(GError) error = NULL;
        g_autoptr(Vm) vm = source_describe("vsphere", json_object_get(base->pdata[0], "source"), NULL);
        g_autoptr(json_t) spec_vm = yaml_parse(rows[i].vm, strlen(rows[i].vm), FILE_LIMIT, "vm", NULL);
        g_autoptr(Object) plan =
            object("Plan", json_object(), "spec",
                   yaml_parse(rows[i].plan, strlen(rows[i].plan), FILE_LIMIT, "plan", NULL));
        g_autoptr(Object) provider =
            object("Provider", json_object(), "spec", json_pack("{s:s}", "type", "vsphere"));
        g_autoptr(Object) map =
            object("NetworkMap", json_object(), "spec",
                   json_pack("{s:O}", "map", json_object_get(base->pdata[0], "networkMap")));
        g_autoptr(Settings) settings = settings_parse(NULL);
        PlanRun run = {.settings = settings,
                       .plan = plan,
                       .provider = provider,
                       .network_map = map,
                       .migration_uid = ""};
        g_autoptr(json_t) status = vm_status_new(spec_vm, vm->id, vm->name);
        g_autoptr(VmRun) work = vm_run_new(&run, status);
        vm_run_set_workload(work, json_object_get(base->pdata[0], "source"));
        const char *const claims[] = {"claim", NULL};
        MachineParts parts = {.claims = claims};
        g_autoptr(json_t) manifest = machine_manifest(work, vm, &parts, &error);
        g_assert_true(!manifest == (rows[i].words != NULL));
        if (rows[i].words && !strstr(error->message, rows[i].words))
            g_error("%s", error->message);
    }
}

static void preferences_are_named_as_kubevirt_names_them(void)
{
    static const struct {
        const char *os;
        gboolean converted;
        const char *name;
    } rows[] = {
        {"rhel8.1", TRUE, "rhel.8"},
        {"rhel10.0", TRUE, "rhel.10"},
        {"centos-stream9", TRUE, "centos.stream9"},
        {"centos7.0", TRUE, "centos.7"},
        {"ubuntu18.04", TRUE, "ubuntu"},
        {"sles15sp4", TRUE, "sles"},
        {"win10", TRUE, "windows.10.virtio"},
        {"win10", FALSE, "windows.10"},
        {"win2k12r2", TRUE, "windows.2k12.virtio"},
        {"opensusetumbleweed", TRUE, "opensuse.tumbleweed"},
        {"freebsd13.0", TRUE, NULL},
        {"rhel", TRUE, NULL},
        {NULL, TRUE, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = preference_name(rows[i].os, rows[i].converted);
        g_assert_cmpstr(name, ==, rows[i].name);
    }
}

static void a_preference_that_requires_more_does_not_fit(void)
{
    static const struct {
        const char *cpu, *memory;
        gboolean fits;
    } rows[] = {{"2", "2Gi", TRUE}, {"3", "1Gi", FALSE}, {"1", "3Gi", FALSE}, {"1", "\"nonsense\"", FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            "{spec: {requirements: {cpu: {guest: %s}, memory: {guest: %s}}}}", rows[i].cpu, rows[i].memory);
        g_autoptr(Object) preference =
            object_new_take(yaml_parse(text, strlen(text), FILE_LIMIT, "preference", NULL));
        Vm vm = {.sockets = 2, .cores = 1, .threads = 1, .memory = 2ULL << 30};
        g_assert_true(preference_fits(preference, &vm) == rows[i].fits);
    }
}

static void add_machines(void)
{
    g_autoptr(GDir) dir = g_dir_open(MACHINES, 0, NULL);
    const char *name;
    guint count = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path =
            g_strdup_printf("/plan/machine_manifest/%.*s", (int)(strcspn(name, ".")), name);
        if (!g_str_has_suffix(name, ".yaml") || g_str_has_prefix(name, "base"))
            continue;
        g_test_add_data_func_full(path, g_strdup(name), a_machine_is_what_its_file_says, g_free);
        count++;
    }
    g_assert_cmpuint(count, >=, 40);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_machines();
#define CASE(text, function) g_test_add_func("/plan/machine_manifest/" text, function)
    CASE("what cannot be is refused with the field", what_cannot_be_is_refused_with_the_field);
    CASE("preferences are named as KubeVirt names them", preferences_are_named_as_kubevirt_names_them);
    CASE("a preference that requires more does not fit", a_preference_that_requires_more_does_not_fit);
    return g_test_run();
}
