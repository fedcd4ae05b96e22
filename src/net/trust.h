/* trust: whether a server's certificate is to be believed, by exactly what the user gave.
 *
 * Chains are verified by GnuTLS (RFC 5280), names as RFC 6125 and IP addresses by their SANs.
 * Threads: a Trust is immutable and may be used by any. Errors: BAD_INPUT, with the field.
 */
#pragma once
#include "net/http_client.h"

typedef struct Trust Trust;
Trust *trust_new(const HttpTrust *trust, GError **error);
void   trust_free(Trust *trust);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trust, trust_free)

/* NULL when host may be believed to be who it says, else why not, to be freed; the words follow the server's name. */
char *trust_refuse(const Trust *trust, GTlsCertificate *certificate, const char *host);

/* Makes GLib's TLS connections of this process trust nobody by themselves, so that each asks whoever opened it. They would
 * otherwise load the system's whole trust store for every connection (5 MB, 10 ms), to no use. Any number of times. */
void trust_leave_it_to_callers(void);
