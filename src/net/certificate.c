/* certificate: X.509 by GnuTLS. */
#include "net/certificate.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

#define AUTHORITY_DAYS 3650
#define DAY_SECONDS    86400

typedef struct gnutls_x509_crt_int X509;
typedef struct gnutls_x509_privkey_int X509Key;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, gnutls_x509_crt_deinit)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509Key, gnutls_x509_privkey_deinit)

/* Turns a GnuTLS result into a GError; TRUE when it was a success. */
static gboolean ok(int result, const char *doing, GError **error)
{
    if (result >= 0)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "%s: %s", doing, gnutls_strerror(result));
    return FALSE;
}

static void wipe(char *secret)
{
    if (secret)
        gnutls_memset(secret, 0, strlen(secret));
    g_free(secret);
}

void certificate_free(Certificate *certificate)
{
    g_free(certificate->pem);
    wipe(certificate->key_pem);
    g_free(certificate);
}

static gboolean set_serial(X509 *crt, GError **error)
{
    guint8 serial[16];

    if (!ok(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial), "random serial number", error))
        return FALSE;
    serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and always sixteen bytes */
    return ok(gnutls_x509_crt_set_serial(crt, serial, sizeof serial), "serial number", error);
}

static gboolean add_name(X509 *crt, const char *name, GError **error)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(name);

    if (address)
        return ok(
            gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, g_inet_address_to_bytes(address),
                                                 g_inet_address_get_native_size(address), GNUTLS_FSAN_APPEND),
            name, error);
    if (!*name || strlen(name) > 253 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*") != strlen(name)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "certificate name \"%s\": neither an IP address nor a DNS name", name);
        return FALSE;
    }
    return ok(
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, strlen(name), GNUTLS_FSAN_APPEND),
        name, error);
}

/* A certificate with everything but names, purposes and signature. */
static X509 *begin(X509Key *key, const char *common_name, guint days, GError **error)
{
    g_autoptr(X509) crt = NULL;
    time_t now = time(NULL);
    guint8 id[20];
    gsize id_size = sizeof id;

    gnutls_x509_crt_init(&crt);
    if (ok(gnutls_x509_crt_set_version(crt, 3), "version", error) && set_serial(crt, error) &&
        ok(gnutls_x509_crt_set_activation_time(crt, now - 3600), "begin", error) &&
        ok(gnutls_x509_crt_set_expiration_time(crt, now + (time_t)days * DAY_SECONDS), "end", error) &&
        ok(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
                                         MIN(strlen(common_name), 64)),
           "common name", error) &&
        ok(gnutls_x509_crt_set_key(crt, key), "key", error) &&
        ok(gnutls_x509_crt_get_key_id(crt, 0, id, &id_size), "key id", error) &&
        ok(gnutls_x509_crt_set_subject_key_id(crt, id, id_size), "key id", error))
        return g_steal_pointer(&crt);
    return NULL;
}

static X509Key *new_key(GError **error)
{
    g_autoptr(X509Key) key = NULL;

    gnutls_x509_privkey_init(&key);
    if (!ok(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                         GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
            "new key", error))
        return NULL;
    return g_steal_pointer(&key);
}

static Certificate *export(X509 *crt, X509Key *key, GError **error)
{
    gnutls_datum_t pem = {NULL, 0}, key_pem = {NULL, 0};
    Certificate *certificate = NULL;

    if (ok(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), "certificate", error) &&
        ok(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key_pem),
           "key", error)) {
        certificate = g_new0(Certificate, 1);
        certificate->pem = g_strndup((const char *)pem.data, pem.size);
        certificate->key_pem = g_strndup((const char *)key_pem.data, key_pem.size);
        gnutls_memset(key_pem.data, 0, key_pem.size);
    }
    gnutls_free(pem.data);
    gnutls_free(key_pem.data);
    return certificate;
}

Certificate *certificate_new_authority(const char *name, GError **error)
{
    g_autoptr(X509Key) key = new_key(error);
    g_autoptr(X509) crt = key ? begin(key, name, AUTHORITY_DAYS, error) : NULL;

    if (crt && ok(gnutls_x509_crt_set_basic_constraints(crt, 1, 0), "constraints", error) &&
        ok(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN), "usage",
           error) &&
        ok(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), "signature", error))
        return export(crt, key, error);
    return NULL;
}

static gboolean import(const Certificate *certificate, X509 **crt, X509Key **key, GError **error)
{
    gnutls_datum_t pem = {(guint8 *)certificate->pem, strlen(certificate->pem)};
    gnutls_datum_t key_pem = {(guint8 *)certificate->key_pem, strlen(certificate->key_pem)};

    gnutls_x509_crt_init(crt);
    gnutls_x509_privkey_init(key);
    return ok(gnutls_x509_crt_import(*crt, &pem, GNUTLS_X509_FMT_PEM), "certificate", error) &&
           ok(gnutls_x509_privkey_import2(*key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0), "key", error);
}

static gboolean sign_by(X509 *crt, const Certificate *authority, GError **error)
{
    g_autoptr(X509) ca = NULL;
    g_autoptr(X509Key) ca_key = NULL;
    guint8 id[64];
    gsize id_size = sizeof id;

    return import(authority, &ca, &ca_key, error) &&
           ok(gnutls_x509_crt_get_subject_key_id(ca, id, &id_size, NULL), "authority's key id", error) &&
           ok(gnutls_x509_crt_set_authority_key_id(crt, id, id_size), "authority's key id", error) &&
           ok(gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0), "signature", error);
}

Certificate *certificate_issue(const Certificate *authority, const char *const *names, guint days,
                               GError **error)
{
    g_autoptr(X509Key) key = new_key(error);
    g_autoptr(X509) crt = key ? begin(key, names[0], days, error) : NULL;

    if (!crt)
        return NULL;
    for (guint i = 0; names[i]; i++)
        if (!add_name(crt, names[i], error))
            return NULL;
    if (ok(gnutls_x509_crt_set_basic_constraints(crt, 0, -1), "constraints", error) &&
        ok(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE), "usage", error) &&
        ok(gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0), "purpose", error) &&
        ok(gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0), "purpose", error) &&
        sign_by(crt, authority, error))
        return export(crt, key, error);
    return NULL;
}

Certificate *certificate_read(const char *pem_path, const char *key_path, GError **error)
{
    g_autoptr(Certificate) certificate = g_new0(Certificate, 1);
    g_autoptr(X509) crt = NULL;
    g_autoptr(X509Key) key = NULL;

    if (!g_file_get_contents(pem_path, &certificate->pem, NULL, error) ||
        !g_file_get_contents(key_path, &certificate->key_pem, NULL, error))
        return NULL;
    if (!import(certificate, &crt, &key, error)) {
        g_prefix_error(error, "%s, %s: ", pem_path, key_path);
        return NULL;
    }
    return g_steal_pointer(&certificate);
}

gboolean certificate_write(const Certificate *certificate, const char *pem_path, const char *key_path,
                           GError **error)
{
    return g_file_set_contents_full(key_path, certificate->key_pem, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                    error) &&
           g_file_set_contents_full(pem_path, certificate->pem, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                    error);
}

char *certificate_fingerprint(gconstpointer der, gsize size, GChecksumType type)
{
    g_autofree char *hex = g_compute_checksum_for_data(type, der, size);
    GString *text = g_string_new(NULL);

    for (const char *c = hex; *c; c++) {
        if (text->len % 3 == 2)
            g_string_append_c(text, ':');
        g_string_append_c(text, g_ascii_toupper(*c));
    }
    return g_string_free(text, FALSE);
}

gboolean certificate_parse_fingerprint(const char *text, char **fingerprint, GChecksumType *type,
                                       GError **error)
{
    g_autoptr(GString) clean = g_string_new(NULL);
    const char *c = text;

    for (int i = 0; i < 2; i++) { /* a prefix as tools print it */
        static const char *const prefixes[] = {"sha1:", "sha256:"};
        if (!g_ascii_strncasecmp(text, prefixes[i], strlen(prefixes[i])))
            c = text + strlen(prefixes[i]);
    }
    for (; *c; c++) {
        if (*c == ':')
            continue;
        if (!g_ascii_isxdigit(*c) || clean->len > 3 * 32)
            break;
        if (clean->len % 3 == 2)
            g_string_append_c(clean, ':');
        g_string_append_c(clean, g_ascii_toupper(*c));
    }
    if (*c || (clean->len != 3 * 20 - 1 && clean->len != 3 * 32 - 1)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "fingerprint \"%.100s\": must be a SHA-1 (20 bytes) or SHA-256 (32 bytes) in "
                    "hexadecimal, as AA:BB:…",
                    text);
        return FALSE;
    }
    *type = clean->len == 3 * 20 - 1 ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256;
    *fingerprint = g_strdup(clean->str);
    return TRUE;
}

gboolean certificate_lasts(const char *pem, guint days)
{
    g_autoptr(X509) crt = NULL;
    gnutls_datum_t data = {(guint8 *)pem, strlen(pem)};

    gnutls_x509_crt_init(&crt);
    return gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM) == 0 &&
           gnutls_x509_crt_get_expiration_time(crt) > time(NULL) + (time_t)days * DAY_SECONDS;
}
