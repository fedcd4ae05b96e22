/* session: who is signed in, by the cookie that their browser holds.
 *
 * The token stays here; the browser has only a random name of 256 bits, of which this table keeps the
 * SHA-256. A session ends by sign-out, eight hours after its last request, a day after its start, or when the
 * API server refuses its token. Threads: any. A Session is refcounted; what its getters return lives as long.
 */
#pragma once
#include "console/feed.h"
#include "net/http_client.h"

typedef struct Session Session;
typedef struct SessionTable SessionTable;

/* Where the services are that a session talks to, and how they prove themselves. Strings are borrowed for the
 * table's life. */
typedef struct {
    const char *api, *api_ca_pem;             /* "https://10.0.0.1:443"; NULL: system trust */
    const char *inventory, *inventory_ca_pem; /* "https://forklift-inventory.openshift-mtv.svc:8443" */
    const char *ns;
} SessionPeers;

SessionTable *session_table_new(const SessionPeers *peers);
void session_table_free(SessionTable *table); /* ends every session's streams */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionTable, session_table_free)

/* A session for a token, which is not tried here. user: the name to show. *secret gets the cookie's value, to
 * be freed with g_free(). Errors: BAD_INPUT (the peers' URLs or certificates). */
Session *session_create(SessionTable *table, const char *token, const char *user, char **secret,
                        GError **error);
Session *session_find(SessionTable *table, const char *secret); /* a reference to drop, or NULL */
void session_end(SessionTable *table, Session *session);

void session_unref(Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_unref)

const char *session_user(const Session *session);
const char *session_bearer(const Session *session); /* "Bearer TOKEN": for requests to the peers only */
HttpClient *session_api(const Session *session);
HttpClient *session_inventory(const Session *session);
Feed *session_feed(const Session *session);
