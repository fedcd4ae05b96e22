/* gather: the must-gather API for a page: which gatherings there are, a new one, and the archive of one.
 *
 *   GET, POST /must-gather     GET /must-gather/ID     GET /must-gather/ID/data
 * A refusal of that API (401: the token's user is no administrator) is 403 here, as the session is not over.
 * Answers are the API's; errors Status documents. Threads: any.
 */
#pragma once
#include "console/session.h"

typedef struct {
    HttpClient *client;
    const char *url; /* "https://forklift-must-gather-api.openshift-mtv.svc:8443" */
} GatherPeer;

/* rest: the decoded path after the prefix, beginning with "/". */
void gather_pass_on(const GatherPeer *peer, HttpExchange *exchange, const Session *session, const char *rest);
