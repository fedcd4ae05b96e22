/* watch: tells clients over WebSockets what changes in one provider's inventory.
 *
 * A frame is {"ID","Labels","Action","Resource","Updated"} as Forklift's inventory sends it: started, the objects there are (if
 * asked for), parity, then each change after it was committed, whole commits in order. A client that cannot be served any
 * more gets error and end, and is expected to begin anew: one that leaves more than 16 MiB unread, or does not read on for half a
 * minute while it is sent what there is. Its WebSocket is closed with code 1008 and the reason, and cut when it does not take that
 * either, so what a slow client costs is bounded.
 * Threads: any. Owner of a WatchHub: the stock.
 */
#pragma once
#include "inventory/document.h"
#include "net/http_server.h"

typedef enum {
    WATCH_STARTED = 0,
    WATCH_PARITY = 1,
    WATCH_ERROR = 2,
    WATCH_END = 4,
    WATCH_CREATED = 16,
    WATCH_UPDATED = 32,
    WATCH_DELETED = 64,
} WatchAction;

typedef struct WatchHub WatchHub;
WatchHub *watch_hub_new(const ProviderType *type, const char *provider_uid);
void watch_hub_free(WatchHub *hub); /* ends every watch; before the database is closed */

gboolean watch_hub_wants(WatchHub *hub, const char *kind); /* somebody watches it */

/* ---- the writer's side: one commit's changes ----------------------------------------------------------- */

typedef struct WatchCommit WatchCommit;
WatchCommit *watch_commit_new(WatchHub *hub, const char *label); /* label: "VM-validated" or NULL */
/* Copies the rows; before or after may be NULL. Cheap when nobody watches. */
void watch_commit_add(WatchCommit *commit, const Row *before, const Row *after);
/* Sends it; snapshot is one that has seen the commit. Takes the commit; snapshot NULL: it was rolled back. */
void watch_commit_send(WatchCommit *commit, Snapshot *snapshot);
gboolean watch_commit_is_empty(const WatchCommit *commit);

/* ---- the watcher's side -------------------------------------------------------------------------------- */

/* Upgrades the exchange and watches objects of kind (with that id, or all). The caller keeps the writer out until this returns:
 * then nothing is missed and nothing comes twice. snapshot_take: what is there already, to be sent first, by a thread of its own;
 * or NULL. */
void watch_hub_add(WatchHub *hub, HttpExchange *exchange, const char *kind, const char *id, Snapshot *snapshot_take);
