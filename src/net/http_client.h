/* http_client: HTTPS requests that verify whom they talk to.
 *
 * Guarantee: a connection is made only to a server whose certificate passes the HttpTrust; nothing falls back to less.
 * Redirections are not followed (the caller sees the 3xx), proxies of the environment are not used, so a request and its
 * credentials go where the URL says and nowhere else.
 * Threads: an HttpClient may be used by any thread, each call blocks its own thread; connections are kept and reused.
 * Errors: HTTP_UNREACHABLE (connect, DNS, timeout), HTTP_CERTIFICATE (trust; the message names the fingerprint that was
 * seen), HTTP_TOO_LARGE, CANCELED, BAD_INPUT (a URL that is none). A status of 4xx or 5xx is not an error here: the caller
 * looks at reply->status.
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

/* timeout_s: how long one read or write may stand still; 0: for ever. trust NULL: a client for plain http:// only (another
 * process of the same machine or Pod network); one with a trust refuses http://. BAD_INPUT: field and why. */
typedef struct HttpClient HttpClient;
HttpClient *http_client_new(const HttpTrust *trust, guint timeout_s, GError **error);
void        http_client_free(HttpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpClient, http_client_free)

/* The certificate and key (PEM) that the client shows when a server asks. Call it before the first request. */
gboolean http_client_use_certificate(HttpClient *client, const char *certificate_pem, const char *key_pem,
                                     GError **error);

typedef struct {
    guint   status;      /* 200 … */
    char   *reason;      /* the status line's phrase */
    GBytes *body;        /* never NULL */
    GHashTable *headers; /* lower-case name → value; cookies are kept by the client */
} HttpReply;
void http_reply_free(HttpReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpReply, http_reply_free)

/* Drops the cookies that were kept: what is sent next carries none. */
void http_client_forget_cookies(HttpClient *client);

/* headers: NULL-terminated name, value, name, value … or NULL. body may be NULL. limit: the most bytes of a reply's body
 * (after decompression). */
HttpReply *http_client_send(HttpClient *client, const char *method, const char *url, const char *const *headers,
                            const char *content_type, GBytes *body, gsize limit, GCancellable *cancel, GError **error);

/* As http_client_send(), but the body is left to be read as it comes (watches, logs, downloads). The stream is the
 * caller's, may outlive the client, and is used by one thread at a time; reply->body is empty. */
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
