/* network: the addresses that one data directory's Pods and Services have on this machine.
 *
 * Each data directory has a block 127.X.0.0/16 of its own, chosen once among those that nobody on this
 * machine uses, and held while the process lives; or the block that it is given, where others than this
 * machine's programs are to reach Pods by their addresses (a real API server takes no loopback address).
 * Pods have X.Y.0.2 to X.Y.191.254, Services X.Y.192.1 and up. Threads: any.
 */
#pragma once
#include "base/errors.h"

typedef struct Network Network;

/* Reads or chooses the block; it is kept in data/network/block. given: "10.97.0.0/16", or NULL. Errors: IO; BAD_INPUT: what is given is
 * no such block, or no block of this machine. */
Network *network_open(const char *data, const char *given, GError **error);
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
