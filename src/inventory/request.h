/* request: one request to the REST interface, its parameters read and checked. Private to the room. */
#pragma once
#include "inventory/inventory.h"
#include "inventory/output.h"
#include "inventory/parameters.h"

typedef struct {
    HttpExchange *exchange;
    Inventory *inventory;
    GCancellable *cancel;
    char **parts; /* of the path, decoded: "providers", TYPE, UID … */
    guint len;
    Parameters query;
    gboolean watch, watch_snapshot;
} Request;

/* Answers with an empty body and the reason in headers. */
void request_fail(Request *request, guint status, const char *reason);
void request_reply(Request *request, json_t *take);

/* Says which version of the stock the answer is (ETag); when the client has that one already (If-None-Match) it is answered with 304,
 * which gives TRUE. To be called before the stock is read. */
gboolean request_is_known(Request *request, Stock *stock);

/* What serves a collected provider's collections, objects, workloads and trees; all parameters are valid, the provider is ready
 * and the client may see it. parts[3] is the collection. */
void rest_source(Request *request, Stock *stock);
/* The same for a cluster. */
void rest_cluster(Request *request, Stock *stock);
/* The list of all providers or of one type, and one provider (stock not NULL). */
void rest_providers(Request *request, const char *type);
void rest_provider(Request *request, Stock *stock);
void rest_tree(Request *request, Stock *stock);
