/* trust: GnuTLS trust lists and fingerprints behind one question. */
#include "net/trust.h"
#include "net/certificate.h"
#include <gnutls/x509.h>
#include <string.h>

#define MOST_CA_SIZE (4 * 1024 * 1024)
#define MOST_CHAIN   16

struct Trust {
    gboolean insecure;
    char *fingerprint;
    GChecksumType fingerprint_type;
    gnutls_x509_trust_list_t authorities; /* NULL: the system's */
};

/* ---- what is believed ---- */

/* The system's trust store, loaded when it is first needed and kept. */
static gnutls_x509_trust_list_t system_authorities(void)
{
    static gnutls_x509_trust_list_t list;
    static gsize loaded;

    if (g_once_init_enter(&loaded)) {
        gnutls_x509_trust_list_init(&list, 0);
        gnutls_x509_trust_list_add_system_trust(list, 0, 0);
        g_once_init_leave(&loaded, 1);
    }
    return list;
}

static gboolean take_authorities(Trust *trust, const char *pem, GError **error)
{
    gnutls_datum_t text = {(guint8 *)pem, strlen(pem)};
    int count;

    if (text.size > MOST_CA_SIZE) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "CA certificates: more than %d bytes",
                    MOST_CA_SIZE);
        return FALSE;
    }
    gnutls_x509_trust_list_init(&trust->authorities, 0);
    count = gnutls_x509_trust_list_add_trust_mem(trust->authorities, &text, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    if (count > 0)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "CA certificate: %s; one or more in PEM are needed",
                count < 0 ? gnutls_strerror(count) : "there is none");
    return FALSE;
}

Trust *trust_new(const HttpTrust *given, GError **error)
{
    g_autoptr(Trust) trust = g_new0(Trust, 1);

    trust->insecure = given->insecure;
    if (given->insecure)
        return g_steal_pointer(&trust);
    if (given->fingerprint && *given->fingerprint) {
        if (!certificate_parse_fingerprint(given->fingerprint, &trust->fingerprint, &trust->fingerprint_type,
                                           error))
            return NULL;
    } else if (given->ca_pem && *given->ca_pem && !take_authorities(trust, given->ca_pem, error)) {
        return NULL;
    }
    return g_steal_pointer(&trust);
}

void trust_free(Trust *trust)
{
    if (trust->authorities)
        gnutls_x509_trust_list_deinit(trust->authorities, 1);
    g_free(trust->fingerprint);
    g_free(trust);
}

/* ---- the question ---- */

typedef struct {
    gnutls_x509_crt_t certificates[MOST_CHAIN];
    guint len;
} Chain;

static void chain_clear(Chain *chain)
{
    for (guint i = 0; i < chain->len; i++)
        gnutls_x509_crt_deinit(chain->certificates[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Chain, chain_clear)

/* The certificate and those that the server sent after it. FALSE: one cannot be read, or they are too many.
 */
static gboolean chain_of(GTlsCertificate *certificate, Chain *chain)
{
    for (; certificate; certificate = g_tls_certificate_get_issuer(certificate)) {
        g_autoptr(GByteArray) der = NULL;
        gnutls_datum_t data;

        if (chain->len == MOST_CHAIN)
            return FALSE;
        g_object_get(certificate, "certificate", &der, NULL);
        data = (gnutls_datum_t){der->data, der->len};
        gnutls_x509_crt_init(&chain->certificates[chain->len++]);
        if (gnutls_x509_crt_import(chain->certificates[chain->len - 1], &data, GNUTLS_X509_FMT_DER) < 0)
            return FALSE;
    }
    return TRUE;
}

/* What GnuTLS has against a chain, in words; NULL: nothing. */
static char *describe(guint status)
{
    static const struct {
        guint flag;
        const char *words;
    } table[] = {
        {GNUTLS_CERT_SIGNER_NOT_FOUND, "it is not signed by a trusted CA"},
        {GNUTLS_CERT_SIGNER_NOT_CA, "its signer is no CA"},
        {GNUTLS_CERT_SIGNATURE_FAILURE, "its signature is wrong"},
        {GNUTLS_CERT_UNEXPECTED_OWNER, "it is made out to another name"},
        {GNUTLS_CERT_NOT_ACTIVATED, "it is not valid yet"},
        {GNUTLS_CERT_EXPIRED, "it has expired"},
        {GNUTLS_CERT_REVOKED, "it was revoked"},
        {GNUTLS_CERT_INSECURE_ALGORITHM, "its algorithm is insecure"},
        {GNUTLS_CERT_PURPOSE_MISMATCH, "it is not for servers"},
    };
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    if (status == 0)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        if (status & table[i].flag)
            g_ptr_array_add(words, (gpointer)table[i].words);
    if (words->len == 0)
        g_ptr_array_add(words, (gpointer) "it could not be verified");
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" and ", (char **)words->pdata);
}

static char *verify(const Trust *trust, GTlsCertificate *certificate, const char *host)
{
    gnutls_typed_vdata_st expected[] = {
        {GNUTLS_DT_DNS_HOSTNAME, (guint8 *)host, strlen(host)}, /* an IP address too */
        {GNUTLS_DT_KEY_PURPOSE_OID, (guint8 *)GNUTLS_KP_TLS_WWW_SERVER, strlen(GNUTLS_KP_TLS_WWW_SERVER)},
    };
    g_auto(Chain) chain = {.len = 0};
    guint status = GNUTLS_CERT_INVALID;

    if (!chain_of(certificate, &chain) ||
        gnutls_x509_trust_list_verify_crt2(trust->authorities ? trust->authorities : system_authorities(),
                                           chain.certificates, chain.len, expected, G_N_ELEMENTS(expected), 0,
                                           &status, NULL) < 0)
        return g_strdup("it could not be verified");
    return describe(status);
}

static char *fingerprint_of(GTlsCertificate *certificate, GChecksumType type)
{
    g_autoptr(GByteArray) der = NULL;

    g_object_get(certificate, "certificate", &der, NULL);
    return certificate_fingerprint(der->data, der->len, type);
}

char *trust_refuse(const Trust *trust, GTlsCertificate *certificate, const char *host)
{
    g_autofree char *sha256 = fingerprint_of(certificate, G_CHECKSUM_SHA256);
    g_autofree char *sha1 = fingerprint_of(certificate, G_CHECKSUM_SHA1);
    g_autofree char *flaws = NULL;

    if (trust->insecure)
        return NULL;
    if (trust->fingerprint) {
        const char *seen = trust->fingerprint_type == G_CHECKSUM_SHA1 ? sha1 : sha256;
        if (!strcmp(seen, trust->fingerprint))
            return NULL;
        return g_strdup_printf("its certificate's fingerprint is %s, expected %s", seen, trust->fingerprint);
    }
    flaws = verify(trust, certificate, host);
    if (!flaws)
        return NULL;
    return g_strdup_printf("its certificate does not verify by %s: %s (fingerprint SHA-256 %s, SHA-1 %s)",
                           trust->authorities ? "the CA given" : "the system's trust", flaws, sha256, sha1);
}

/* ---- a store that trusts nobody ---- */

typedef GTlsDatabase NoTrust;
typedef GTlsDatabaseClass NoTrustClass;
static GType no_trust_get_type(void);
G_DEFINE_TYPE(NoTrust, no_trust, G_TYPE_TLS_DATABASE)

static GTlsCertificateFlags trust_nobody(GTlsDatabase *store, GTlsCertificate *chain, const char *purpose,
                                         GSocketConnectable *identity, GTlsInteraction *interaction,
                                         GTlsDatabaseVerifyFlags flags, GCancellable *cancel, GError **error)
{
    return G_TLS_CERTIFICATE_UNKNOWN_CA;
}

static void no_trust_class_init(NoTrustClass *class)
{
    class->verify_chain = trust_nobody;
}
static void no_trust_init(NoTrust *store) {}

void trust_leave_it_to_callers(void)
{
    static gsize done;

    if (g_once_init_enter(&done)) {
        g_autoptr(GTlsDatabase) store = g_object_new(no_trust_get_type(), NULL);
        g_tls_backend_set_default_database(g_tls_backend_get_default(), store);
        g_once_init_leave(&done, 1);
    }
}
