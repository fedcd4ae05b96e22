/* pod: volumes, the security context, affinity. */
#include "target/pod.h"
#include "target/importer_pod.h"
#include <string.h>

/* KubeVirt's qemu user, who reads the disks later. */
enum { QEMU_USER = 107 };

static json_t *container_of(json_t *spec)
{
    return json_array_get(json_object_get(spec, "containers"), 0);
}

static json_t *list_in(json_t *owner, const char *key)
{
    json_t *list = json_object_get(owner, key);

    if (!list) {
        list = json_array();
        json_object_set_new(owner, key, list);
    }
    return list;
}

static void mount(json_t *spec, json_t *volume, const char *name, const char *path)
{
    json_array_append_new(list_in(spec, "volumes"), volume);
    json_array_append_new(list_in(container_of(spec), "volumeMounts"),
                          json_pack("{s:s, s:s}", "name", name, "mountPath", path));
}

static json_t *claim_volume(const char *volume, const char *claim)
{
    return json_pack("{s:s, s:{s:s}}", "name", volume, "persistentVolumeClaim", "claimName", claim);
}

void pod_mount_claim(json_t *spec, const char *volume, const char *claim, const char *path)
{
    mount(spec, claim_volume(volume, claim), volume, path);
}

void pod_attach_claim(json_t *spec, const char *volume, const char *claim, const char *device)
{
    json_array_append_new(list_in(spec, "volumes"), claim_volume(volume, claim));
    json_array_append_new(list_in(container_of(spec), "volumeDevices"),
                          json_pack("{s:s, s:s}", "name", volume, "devicePath", device));
}

void pod_mount_secret(json_t *spec, const char *volume, const char *secret, const char *path)
{
    mount(
        spec,
        json_pack("{s:s, s:{s:s, s:i}}", "name", volume, "secret", "secretName", secret, "defaultMode", 0400),
        volume, path);
}

void pod_mount_config_map(json_t *spec, const char *volume, const char *config_map, const char *path)
{
    mount(spec, json_pack("{s:s, s:{s:s}}", "name", volume, "configMap", "name", config_map), volume, path);
}

static json_t *requests(const char *cpu, const char *memory)
{
    return json_pack("{s:{s:s, s:s}}", "requests", "cpu", cpu, "memory", memory);
}

void pod_mount_vddk(json_t *spec, const char *from)
{
    json_t *side_car;

    if (g_path_is_absolute(from)) {
        mount(spec,
              json_pack("{s:s, s:{s:s, s:s}}", "name", "vddk", "hostPath", "path", from, "type", "Directory"),
              "vddk", TARGET_VDDK_PATH);
        return;
    }
    mount(spec, json_pack("{s:s, s:{}}", "name", "vddk", "emptyDir"), "vddk", "/opt");
    side_car =
        json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}], s:o, s:o}", "name", "vddk-side-car", "image", from,
                  "imagePullPolicy", "IfNotPresent", "volumeMounts", "name", "vddk", "mountPath", "/opt",
                  "resources", requests("10m", "32Mi"), "securityContext", pod_container_security());
    json_array_append_new(list_in(spec, "initContainers"), side_car);
}

void pod_mount_scratch(json_t *spec, const char *volume, const char *path)
{
    mount(spec, json_pack("{s:s, s:{}}", "name", volume, "emptyDir"), volume, path);
}

void pod_request_kvm(json_t *spec)
{
    json_set_at_new(spec, "nodeSelector", json_pack("{s:s}", "kubevirt.io/schedulable", "true"));
    json_set_at_new(container_of(spec), "resources.limits",
                    json_pack("{s:s}", "devices.kubevirt.io/kvm", "1"));
}

void pod_request(json_t *spec, const char *cpu, const char *memory)
{
    json_object_set_new(container_of(spec), "resources", requests(cpu, memory));
}

void pod_log_about(json_t *spec, const TargetOwner *owner)
{
    g_autofree char *plan = g_strconcat(owner->plan_namespace, "/", owner->plan_name, NULL);
    json_t *env = list_in(container_of(spec), "env");

    json_array_append_new(env, json_pack("{s:s, s:s}", "name", "LOG_PLAN", "value", plan));
    json_array_append_new(env, json_pack("{s:s, s:s}", "name", "LOG_VM", "value", owner->vm_id));
}

json_t *pod_container_security(void)
{
    return json_pack("{s:b, s:{s:[s]}}", "allowPrivilegeEscalation", 0, "capabilities", "drop", "ALL");
}

json_t *pod_security(int user)
{
    json_t *security =
        json_pack("{s:b, s:{s:s}}", "runAsNonRoot", 1, "seccompProfile", "type", "RuntimeDefault");

    if (user) {
        json_object_set_new(security, "runAsUser", json_integer(user));
        json_object_set_new(security, "fsGroup", json_integer(user));
    }
    return security;
}

json_t *pod_spec(const char *container, const char *image, json_t *command, const char *restart_policy)
{
    json_t *one =
        json_pack("{s:s, s:s, s:s, s:o, s:[{s:s, s:{s:{s:s}}}], s:[{s:i}], s:s, s:s, s:o}", "name", container,
                  "image", image, "imagePullPolicy", "IfNotPresent", "command", command, "env", "name",
                  "POD_IP", "valueFrom", "fieldRef", "fieldPath", "status.podIP", "ports", "containerPort",
                  TARGET_PROGRESS_PORT, "terminationMessagePath", "/dev/termination-log",
                  "terminationMessagePolicy", "File", "securityContext", pod_container_security());
    return json_pack("{s:s, s:b, s:o, s:[o]}", "restartPolicy", restart_policy,
                     "automountServiceAccountToken", 0, "securityContext", pod_security(QEMU_USER),
                     "containers", one);
}

void pod_keep_together(json_t *spec, const TargetOwner *owner)
{
    g_autofree char *vm = target_label_value(owner->vm_id);

    json_set_at_new(spec, "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution",
                    json_pack("[{s:{s:{s:s, s:s}}, s:s}]", "labelSelector", "matchLabels", "plan",
                              owner->plan_uid, "vmID", vm, "topologyKey", "kubernetes.io/hostname"));
}

void pod_transfer_network(json_t *metadata, const char *network)
{
    json_t *annotations = json_object_get(metadata, "annotations");

    if (!network)
        return;
    if (!annotations) {
        annotations = json_object();
        json_object_set_new(metadata, "annotations", annotations);
    }
    json_object_set_new(annotations, "v1.multus-cni.io/default-network", json_string(network));
}
