/* credentials: user and password, read from files when they are needed and forgotten at once.
 *
 * Errors: BAD_INPUT (the file is missing, empty or over 4 KiB).
 */
#pragma once
#include "base/errors.h"

typedef struct {
    char *user, *password;
} Credentials;

Credentials *credentials_read(const char *directory, GError **error); /* the files user and password */
void credentials_free(Credentials *credentials);                      /* wipes both */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Credentials, credentials_free)

void secret_free(char *secret); /* wipes a text, then frees it */

/* From now on this process leaves no core file and cannot be traced by others of its user. */
void credentials_protect_process(void);
