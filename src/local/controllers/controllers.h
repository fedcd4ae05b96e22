/* controllers: what kube-controller-manager does on a cluster: Deployments, Jobs, Namespaces, garbage
 * collection; and serving certificates as OpenShift's service CA makes them.
 *
 * Each is level-triggered: it compares what is wanted with what there is, and may be run again after any
 * crash. Threads: new before local_view_start(), free after local_view_mute(); they work in threads of their
 * own.
 */
#pragma once
#include "local/view.h"

typedef struct LocalControllers LocalControllers;

typedef struct {
    const char *ca_path, *ca_key_path; /* the data directory's authority */
    const char *listen_host;           /* a name that serving certificates carry too */
} LocalControllersOptions;

/* Errors: IO, BAD_INPUT: the authority cannot be read. */
LocalControllers *local_controllers_new(LocalView *view, const LocalControllersOptions *options,
                                        GError **error);
void local_controllers_free(LocalControllers *controllers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LocalControllers, local_controllers_free)
