/* probe: asks a container once whether it is ready.
 *
 * httpGet (2xx and 3xx are success; TLS is not verified, as everywhere in Kubernetes), tcpSocket and exec.
 * Threads: any; blocks for at most the probe's timeoutSeconds.
 */
#pragma once
#include "local/kubelet/sandbox.h"

gboolean probe_ask(const json_t *pod, const json_t *container, const json_t *probe, const char *ip,
                   const Sandbox *sandbox);
/* A container's port by number or name; 0: there is none. */
guint container_port(const json_t *container, const json_t *port);
