/* https: verified HTTPS for disk data: one request at a time per call, the body straight into the caller's
 * buffer.
 *
 * It stands beside net/http_client.h because bulk reads need libcurl's speed; trust means the same as there.
 * The peer is verified before a request is sent, so no credential reaches a server that is not trusted.
 * Threads: any number may call; each call uses a connection of its own, which is kept for the next.
 * Errors: HTTP_UNREACHABLE, HTTP_CERTIFICATE (the message has the fingerprint that was seen), HTTP_TOO_LARGE,
 * SOURCE_READ (the connection broke), G_IO_ERROR_CANCELLED. A status of 4xx or 5xx is no error here.
 */
#pragma once
#include "net/http_client.h"

typedef struct Https Https;

Https *https_new(const HttpTrust *trust, GError **error); /* BAD_INPUT: field and why */
void https_free(Https *https);                            /* no call may be under way */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Https, https_free)

/* Connections go to this name or address instead of the URL's host, on the URL's port (IPv6 with or without
 * brackets). The certificate must be that of the URL's host all the same. To be called before the first
 * request. */
void https_connect_to(Https *https, const char *address);

/* A header sent with every request from now on ("Cookie: …"), or NULL for none. It is wiped when it is
 * replaced. */
void https_set_credential(Https *https, const char *header);

/* Where a header is good for one request only: asked for before each, with its method and URL. NULL with an
 * error: the request is not sent. The header is freed with g_free() and wiped before. Set it before the first
 * request. */
typedef char *(*HttpsTicket)(const char *method, const char *url, gpointer user_data, GCancellable *cancel,
                             GError **error);
void https_set_ticket(Https *https, HttpsTicket ticket, gpointer user_data);

typedef struct {
    guint status;
    gsize size;                   /* bytes of body in the buffer */
    gboolean ranged;              /* it has a Content-Range: */
    guint64 start, total;         /* of the Content-Range; total is 0 when the peer does not know it */
    char etag[128], modified[64]; /* "" when absent */
    char cookie[1024];            /* the first Set-Cookie: up to its ';' */
} HttpsReply;

/* GETs [start, start + size) into buffer. What has arrived is counted in reply->size also when it fails; a
 * body with another status than 206 is not stored. */
gboolean https_get_range(Https *https, const char *url, guint64 start, gsize size, guint8 *buffer,
                         HttpsReply *reply, GCancellable *cancel, GError **error);

/* Sends a small document and gets one of at most limit bytes (HTTP_TOO_LARGE). */
typedef struct {
    const char *method;      /* "GET", "POST", "OPTIONS" */
    const char *soap_action; /* of a POST: its body is XML */
    GBytes *body;            /* or NULL */
    gsize limit;
} HttpsDocument;

GBytes *https_exchange(Https *https, const char *url, const HttpsDocument *document, HttpsReply *reply,
                       GCancellable *cancel, GError **error);
