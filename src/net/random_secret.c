/* random_secret: GnuTLS's generator for keys. */
#include "net/random_secret.h"
#include "base/base64url.h"
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

enum { SECRET_SIZE = 32 };

char *random_secret(void)
{
    guint8 random[SECRET_SIZE];

    if (gnutls_rnd(GNUTLS_RND_KEY, random, sizeof random) < 0)
        g_error("no random numbers to be had");
    return base64url(random, sizeof random);
}
