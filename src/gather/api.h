/* api: the must-gather API, as Forklift 2.3's console speaks it.
 *
 *   GET  /                        who answers; needs no token
 *   POST /must-gather             asks for a gathering: 201 and its record; the body may name custom-name
 *                                 and command ("/usr/bin/gather", "PLAN=p /usr/bin/targeted");
 *                                 400 what is wrong; 503 too many are waiting
 *   GET  /must-gather             all records
 *   GET  /must-gather/ID          one, by number, or the newest of that custom-name; 404 an empty record
 *   GET  /must-gather/ID/data     its archive, once it is completed; else 404
 *
 * Whoever asks must be allowed everything (verb, group and resource "*"), as an archive shows everything; a
 * refusal is 401 with the reason. Gatherings are done here, with the caller's token, a
 * few at once, each within its time limit. Threads: it serves from threads of its own until it is stopped.
 */
#pragma once
#include "gather/records.h"
#include "kube/authorizer.h"
#include "net/http_server.h"

typedef struct {
    const char *listen, *cert_pem, *key_pem; /* as in net/http_server.h */
    const char *dir;                         /* of the records and archives */
    const char *cluster_ca_pem;              /* of the Kubernetes API; NULL: system trust */
    guint timeout_s;                         /* for a gathering that names none; 0: 20 minutes */
    gint64 keep_s;                           /* done records are removed after so long; < 0: never */
} GatherApiOptions;

typedef struct GatherApi GatherApi;
/* client answers who a token's bearer is and what they may. */
GatherApi *gather_api_start(KubeClient *client, const GatherApiOptions *options, GError **error);
guint gather_api_port(const GatherApi *api);
void gather_api_stop(GatherApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GatherApi, gather_api_stop)
