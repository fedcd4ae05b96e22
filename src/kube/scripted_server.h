/* scripted_server: for tests, an HTTPS server on loopback that answers as it is told and remembers what it was asked.
 *
 * Threads: any.
 */
#pragma once
#include "base/json.h"

typedef struct ScriptedServer ScriptedServer;
ScriptedServer *scripted_server_start(void);
void            scripted_server_stop(ScriptedServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScriptedServer, scripted_server_stop)

const char *scripted_server_url(const ScriptedServer *server); /* "https://127.0.0.1:PORT" */
const char *scripted_server_ca(const ScriptedServer *server);  /* PEM */

/* Goes away with all its connections, and comes back on the same port. */
void scripted_server_pause(ScriptedServer *server);
void scripted_server_resume(ScriptedServer *server);

/* From now on, method and path (without query) get this answer; body is JSON with ' for ". */
void scripted_server_answer(ScriptedServer *server, const char *method, const char *path, guint status,
                            const char *body);

/* So many requests from now on, whatever they ask, get 429 with this Retry-After (NULL: none). */
void scripted_server_put_off(ScriptedServer *server, guint requests, const char *retry_after);

/* Requests with watch=true get a stream. Waits until one is open, and sends a line on each. */
void scripted_server_send(ScriptedServer *server, const char *line);
void scripted_server_end_watches(ScriptedServer *server);
void scripted_server_wait_watch(ScriptedServer *server);

/* The last request: "METHOD TARGET", its body, a header; to be freed. */
char *scripted_server_last(ScriptedServer *server);
char *scripted_server_last_body(ScriptedServer *server);
char *scripted_server_last_header(ScriptedServer *server, const char *name);
guint scripted_server_count(ScriptedServer *server, const char *target_part); /* requests whose target holds this */
