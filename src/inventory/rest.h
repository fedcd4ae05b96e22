/* rest: the inventory's REST interface, as Forklift's clients know it.
 *
 *   GET /providers[/TYPE[/UID[/COLLECTION[/ID]]]]   COLLECTION also workloads and tree; ?detail= limit= offset= name= namespace= q=
 * Each request is authorised first; then 404 with "X-Reason: ProviderNotFound" for a provider that is not known, 206 for one that is
 * not loaded yet (after ten seconds). A refusal says why in X-Reason and forklift-error-message.
 * Threads: it serves from threads of its own until it is stopped.
 */
#pragma once
#include "inventory/inventory.h"
#include "kube/authorizer.h"

typedef struct {
    const char *listen; /* ADDRESS:PORT */
    const char *cert_pem, *key_pem; /* NULL: plain HTTP */
    const char *cors_origins; /* expressions, separated by blanks; NULL: none */
    guint ready_wait_ms; /* 0: 10 s */
    Inventory *inventory; /* both must outlive the server */
    Authorizer *authorizer;
} RestOptions;

typedef struct Rest Rest;
Rest *rest_start(const RestOptions *options, GError **error);
guint rest_port(const Rest *rest);
void rest_stop(Rest *rest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rest, rest_stop)
