/* http_client: HTTPS requests that verify whom they talk to.
 *
 * Guarantee: a connection is made only to a server whose certificate passes the HttpTrust; nothing falls back to less.
 * Threads: an HttpClient may be used by any thread, each call blocks its own thread; connections are kept and reused.
 * Errors: HTTP_UNREACHABLE (connect, DNS, timeout), HTTP_CERTIFICATE (trust; the message names the fingerprint that was
 * seen), HTTP_TOO_LARGE. A status of 4xx or 5xx is not an error here: the caller looks at reply->status.
 */
#pragma once
#include "base/json.h"

/* How a server proves itself. Exactly what is set counts: CA certificates (PEM, one or more) alone, or a fingerprint
 * ("AA:BB:…", SHA-1 or SHA-256 by its length) that the leaf must have, or neither: the system's trust. insecure turns
 * verification off, which callers must show to the user. All strings are copied. */
typedef struct {
    const char *ca_pem;
    const char *fingerprint;
    gboolean    insecure;
} HttpTrust;

typedef struct HttpClient HttpClient;
HttpClient *http_client_new(const HttpTrust *trust, guint timeout_s, GError **error); /* BAD_INPUT: field and why */
void        http_client_free(HttpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpClient, http_client_free)

typedef struct {
    guint   status;      /* 200 … */
    char   *reason;      /* the status line's phrase */
    GBytes *body;        /* never NULL */
    GHashTable *headers; /* lower-case name → value; cookies are kept by the client */
} HttpReply;
void http_reply_free(HttpReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpReply, http_reply_free)

/* headers: NULL-terminated name, value, name, value … or NULL. body may be NULL. limit: the most bytes of a reply's body. */
HttpReply *http_client_send(HttpClient *client, const char *method, const char *url, const char *const *headers,
                            const char *content_type, GBytes *body, gsize limit, GCancellable *cancel, GError **error);

/* As http_client_send(), but the body is left to be read as it comes (watches, logs, downloads). The stream is the
 * caller's; reply->body is empty. */
GInputStream *http_client_stream(HttpClient *client, const char *method, const char *url, const char *const *headers,
                                 HttpReply **reply, GCancellable *cancel, GError **error);

/* The certificate that url's server shows, whether trusted or not, for fingerprints and "verify certificate". */
typedef struct {
    char *sha1, *sha256; /* "AA:BB:…" */
    char *subject, *issuer, *not_after;
    char *pem;
} HttpCertificate;
void             http_certificate_free(HttpCertificate *certificate);
HttpCertificate *http_peer_certificate(const char *url, guint timeout_s, GCancellable *cancel, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpCertificate, http_certificate_free)
