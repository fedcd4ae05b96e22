/* volumes: what a container mounts.
 *
 * Secrets, ConfigMaps, the downward API and service account tokens become files in the sandbox's memory, read
 * when the container starts; emptyDir is a directory of the Pod that all its containers share; a
 * PersistentVolumeClaim and a hostPath are bound from the machine. Errors: KUBE_NOT_FOUND (a Secret,
 * ConfigMap, key or claim is missing), KUBE_UNAVAILABLE (a claim is not bound yet), BAD_INPUT (a volume of a
 * type that is not served, a path that leaves its volume). All name the volume.
 */
#pragma once
#include "local/kubelet/environment.h"
#include "local/kubelet/sandbox.h"

typedef struct {
    const char *directory; /* of the Pod; emptyDir volumes are made in directory/volumes */
    PodSource source;
    /* The directory on this machine of a claim of the Pod's namespace; KUBE_UNAVAILABLE while it is not
     * bound. */
    char *(*claim)(const char *claim, gpointer user_data, GError **error);
    gpointer user_data;     /* of both */
    const char *token, *ca; /* the service account's; ca in PEM */
} VolumeSources;

gboolean volumes_mount(SandboxSpec *spec, const json_t *pod, const json_t *container,
                       const VolumeSources *sources, GError **error);
