/* importer_pod: the Pod that copies one disk with `gantry copy`, and the Secret with its copy spec
 * (copy/spec.h) and credentials.
 *
 * Threads: pure functions; results are new references.
 */
#pragma once
#include "source/vm.h"
#include "target/child.h"

#define TARGET_IMPORTER_APP "importer"
#define TARGET_VDDK_PATH    "/opt/vmware-vix-disklib-distrib" /* in the Pod */
#define TARGET_COPY_CONFIG  "/etc/gantry/copy" /* where its Secret is mounted */

typedef struct {
    const VmDisk *disk;
    const json_t *source;  /* the "source" member, by source_disk() */
    const json_t *changes; /* the "changes" member; NULL: the whole disk is copied */
    const json_t *trust;   /* {"ca","fingerprint","insecure"}; may be NULL */
    const char *user, *password;
    const char *fence; /* unlike any other writer's */
    gint64 generation; /* larger than any earlier writer's of this disk */
    const char *claim; /* the PVC of the disk */
    gboolean block;    /* the PVC is a block device */
    const char *state_claim;
    const char
        *transfer_network; /* "namespace/name" of a NetworkAttachmentDefinition, or NULL: the pod network */
    const char *service_account; /* or NULL */
    guint64 rate; /* bytes per second that it may read at the beginning; 0: any number */
    const char *vddk;            /* an image or a directory of the node that holds VMware's VDDK; or NULL */
} Importer;

/* The document that the Pod reads; copy/spec.h. */
json_t *target_copy_spec(const TargetOwner *owner, const Importer *importer);
json_t *target_importer_secret(const TargetOwner *owner, const Importer *importer);
/* secret: the name that the Secret got. */
json_t *target_importer_pod(const TargetOwner *owner, const Importer *importer, const char *secret);
const char *target_importer_secret_name(const json_t *pod); /* borrowed; "" when it mounts none */
