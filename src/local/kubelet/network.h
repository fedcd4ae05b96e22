/* network: the loopback addresses of one data directory.
 *
 * Each data directory has a block 127.X.0.0/16 of its own, chosen once among those that nobody on this
 * machine uses, and held while the process lives. Pods have 127.X.0.2 to 127.X.191.254, Services 127.X.192.1
 * and up. Threads: any.
 */
#pragma once
#include "base/errors.h"

typedef struct Network Network;

/* Reads or chooses the block; it is kept in data/network/block. Errors: IO. */
Network *network_open(const char *data, GError **error);
void network_free(Network *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Network, network_free)

/* An address that is not taken, or NULL when all are. Addresses are reused as late as possible. */
char *network_take_pod(Network *network);
char *network_take_service(Network *network);
/* Marks an address as taken that was given out before; FALSE: it is not of this block. */
gboolean network_keep(Network *network, const char *address);
void network_release(Network *network, const char *address);

/* What every Pod sees read-only at /run/gantry; the Services are written to its hosts file. */
const char *network_directory(const Network *network); /* data/network */
