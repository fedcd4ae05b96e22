/* enter: runs a further command in a container's sandbox, with the container's own environment and rights.
 *
 * Threads: any.
 */
#pragma once
#include "local/kubelet/sandbox.h"

/* The vector that enters the sandbox (nsenter and setpriv) and runs command there; free with g_strfreev().
 * KUBE_UNAVAILABLE: it does not run. environment gets what the container was started with. */
char **enter_argv(const Sandbox *sandbox, const char *const *command, char ***environment, GError **error);
