/* proxy: Services and Routes of one machine: TCP connections handed to ready Pods.
 *
 * A Service gets a clusterIP of the network's block and a listener per port; a Route with the annotation
 * gantry.io/local-port-offset gets one on the API's address, that many ports above the API's. Connections go
 * to the Service's ready Pods in turn, byte for byte, so TLS ends in the Pod. The names of all Services are
 * in the hosts file of every Pod. Threads: start and stop from one thread.
 */
#pragma once
#include "local/kubelet/network.h"
#include "local/view.h"

#define ROUTE_PORT_OFFSET "gantry.io/local-port-offset"

typedef struct Proxy Proxy;

/* Before local_view_start(). host and port are the API's. host NULL: another API server gives Services their addresses, which have to
 * be this machine's own, and Routes are not served. */
Proxy *proxy_new(LocalView *view, Network *network, const char *host, guint port);
void proxy_free(Proxy *proxy); /* closes every connection */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Proxy, proxy_free)
