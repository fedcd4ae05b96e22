/* certificate: what is issued verifies, names are told apart, keys are private. */
#include "net/certificate.h"
#include <glib/gstdio.h>
#include <string.h>

static GTlsCertificateFlags verify(const char *pem, const char *ca_pem, const char *name)
{
    g_autoptr(GTlsCertificate) certificate = g_tls_certificate_new_from_pem(pem, -1, NULL);
    g_autoptr(GTlsCertificate) ca = g_tls_certificate_new_from_pem(ca_pem, -1, NULL);
    g_autoptr(GSocketConnectable) server = g_network_address_new(name, 443);

    g_assert_nonnull(certificate);
    g_assert_nonnull(ca);
    return g_tls_certificate_verify(certificate, server, ca);
}

static void an_issued_certificate_verifies_for_its_names_only(void)
{
    static const char *const names[] = {"forklift-inventory.openshift-mtv.svc", "127.9.8.7", "::1",
                                        "localhost", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) ca = certificate_new_authority("test CA", &error);
    g_autoptr(Certificate) other = certificate_new_authority("test CA", &error);
    g_autoptr(Certificate) server = certificate_issue(ca, names, 30, &error);

    g_assert_no_error(error);
    for (guint i = 0; names[i]; i++)
        g_assert_cmpint(verify(server->pem, ca->pem, names[i]), ==, 0);
    g_assert_cmpint(verify(server->pem, ca->pem, "127.9.8.8"), ==, G_TLS_CERTIFICATE_BAD_IDENTITY);
    g_assert_cmpint(verify(server->pem, ca->pem, "example.org"), ==, G_TLS_CERTIFICATE_BAD_IDENTITY);
    g_assert_cmpint(verify(server->pem, other->pem, "localhost") & G_TLS_CERTIFICATE_UNKNOWN_CA, !=, 0);
    g_assert_true(certificate_lasts(server->pem, 29));
    g_assert_false(certificate_lasts(server->pem, 31));
    g_assert_false(certificate_lasts("nothing", 0));
}

static void a_name_that_cannot_stand_in_a_certificate_is_refused(void)
{
    static const char *const names[] = {"not a name", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) ca = certificate_new_authority("test CA", NULL);

    g_assert_null(certificate_issue(ca, names, 30, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "not a name"));
}

static void files_are_read_back_and_the_key_is_private(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("gantry-certificate-XXXXXX", NULL);
    g_autofree char *pem = g_build_filename(directory, "ca.crt", NULL);
    g_autofree char *key = g_build_filename(directory, "ca.key", NULL);
    g_autoptr(Certificate) ca = certificate_new_authority("test CA", NULL);
    g_autoptr(Certificate) again = NULL;
    GStatBuf info;

    g_assert_true(certificate_write(ca, pem, key, &error));
    g_assert_no_error(error);
    again = certificate_read(pem, key, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(again->pem, ==, ca->pem);
    g_assert_cmpstr(again->key_pem, ==, ca->key_pem);
    g_assert_cmpint(g_stat(key, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    g_unlink(pem);
    g_unlink(key);
    g_rmdir(directory);
}

static void a_fingerprint_is_read_in_every_usual_spelling(void)
{
    static const struct {
        const char *text, *fingerprint;
        GChecksumType type;
    } rows[] = {
        {"6c:df:c9:92:89:b8:14:ad:2a:24:00:f7:84:1a:ef:67:0c:92:42:d6",
         "6C:DF:C9:92:89:B8:14:AD:2A:24:00:F7:84:1A:EF:67:0C:92:42:D6", G_CHECKSUM_SHA1},
        {"SHA1:6CDFC99289B814AD2A2400F7841AEF670C9242D6",
         "6C:DF:C9:92:89:B8:14:AD:2A:24:00:F7:84:1A:EF:67:0C:92:42:D6", G_CHECKSUM_SHA1},
        {"sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
         "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55",
         G_CHECKSUM_SHA256},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *fingerprint = NULL;
        GChecksumType type;
        g_assert_true(certificate_parse_fingerprint(rows[i].text, &fingerprint, &type, NULL));
        g_assert_cmpstr(fingerprint, ==, rows[i].fingerprint);
        g_assert_cmpint(type, ==, rows[i].type);
    }
}

static void what_is_no_fingerprint_is_refused(void)
{
    static const char *const texts[] = {
        "", "AA:BB", "6C:DF:C9:92:89:B8:14:AD:2A:24:00:F7:84:1A:EF:67:0C:92:42:DX",
        "6CDFC99289B814AD2A2400F7841AEF670C9242D6AA", "md5:00112233445566778899aabbccddeeff"};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *fingerprint = NULL;
        GChecksumType type;
        g_assert_false(certificate_parse_fingerprint(texts[i], &fingerprint, &type, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/certificate/an issued certificate verifies for its names only",
                    an_issued_certificate_verifies_for_its_names_only);
    g_test_add_func("/net/certificate/a name that cannot stand in a certificate is refused",
                    a_name_that_cannot_stand_in_a_certificate_is_refused);
    g_test_add_func("/net/certificate/files are read back and the key is private",
                    files_are_read_back_and_the_key_is_private);
    g_test_add_func("/net/certificate/a fingerprint is read in every usual spelling",
                    a_fingerprint_is_read_in_every_usual_spelling);
    g_test_add_func("/net/certificate/what is no fingerprint is refused", what_is_no_fingerprint_is_refused);
    return g_test_run();
}
