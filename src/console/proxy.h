/* proxy: requests of a page, passed on with the session's token, and answers in the form that pages expect.
 *
 * A token goes to the peer that it is for and nowhere else; what comes back of a Secret is its metadata.
 */
#pragma once
#include "console/session.h"

/* rest: the decoded path after the prefix, beginning with "/". */
void proxy_cluster(const SessionPeers *peers, HttpExchange *exchange, const Session *session,
                   const char *rest);
void proxy_inventory(const SessionPeers *peers, HttpExchange *exchange, const Session *session,
                     const char *rest);

/* ?url=https://host[:port]/…: issuer, fingerprints, expiry and PEM of the certificate that the host shows. */
void proxy_certificate(HttpExchange *exchange);

void proxy_reply_json(HttpExchange *exchange, guint status, json_t *json); /* takes the reference */
/* A Kubernetes Status document. */
void proxy_reply_status(HttpExchange *exchange, guint code, const char *reason, const char *message);
