/* pod: what the Pods of a migration have in common. Used inside target/ only. */
#pragma once
#include "target/child.h"

enum { TARGET_PROGRESS_PORT = 8080 };

/* What a Pod with a libguestfs appliance asks for, as Forklift's does. */
#define TARGET_APPLIANCE_CPU    "1"
#define TARGET_APPLIANCE_MEMORY "1Gi"

/* Adds a volume and its mount (or its device, for block) to a Pod spec under construction. */
void pod_mount_claim(json_t *spec, const char *volume, const char *claim, const char *path);
void pod_attach_claim(json_t *spec, const char *volume, const char *claim, const char *device);
void pod_mount_secret(json_t *spec, const char *volume, const char *secret, const char *path);
/* VMware's VDDK at TARGET_VDDK_PATH: from is a directory of the node, or an image whose entry point copies it
 * to /opt. */
void pod_mount_vddk(json_t *spec, const char *from);
void pod_mount_config_map(json_t *spec, const char *volume, const char *config_map, const char *path);
void pod_mount_scratch(json_t *spec, const char *volume, const char *path); /* goes with the Pod */

/* What the container is sure to get of its node; quotas of the namespace count it. */
void pod_request(json_t *spec, const char *cpu, const char *memory);

/* Each line that Gantry logs in it names the plan and the VM. */
void pod_log_about(json_t *spec, const TargetOwner *owner);

/* The Pod needs, and gets, a node's hardware help for virtual machines. */
void pod_request_kvm(json_t *spec);

/* No privilege: what a namespace that enforces the "restricted" Pod security standard asks of a container, and
 * of a Pod. user: 0 for that of the image. */
json_t *pod_container_security(void);
json_t *pod_security(int user);

/* A spec with one container that runs the words of command, with $POD_IP, no API token, no privilege; takes
 * command. */
json_t *pod_spec(const char *container, const char *image, json_t *command, const char *restart_policy);

/* The VM's Pods stay on one node, since they share its state claim. */
void pod_keep_together(json_t *spec, const TargetOwner *owner);

void pod_transfer_network(json_t *metadata, const char *network);
