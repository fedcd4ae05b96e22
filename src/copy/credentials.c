/* credentials: files, and what keeps their content out of core dumps. */
#include "copy/credentials.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECRET_LIMIT 4096

void secret_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

/* Not g_file_get_contents(): that leaves copies behind while it grows its buffer. */
static char *read_secret(const char *directory, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char *text = g_malloc0(SECRET_LIMIT + 2);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, SECRET_LIMIT + 1);
    int saved = errno;

    if (fd >= 0)
        close(fd);
    if (size > 0 && text[size - 1] == '\n') /* as editors and echo leave it */
        text[--size] = 0;
    if (size > 0 && size <= SECRET_LIMIT && strlen(text) == (gsize)size)
        return text;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "credentials: %s %s", path,
                size < 0 ? g_strerror(saved) : "must hold a text of 1 to 4096 bytes");
    explicit_bzero(text, SECRET_LIMIT + 2);
    g_free(text);
    return NULL;
}

Credentials *credentials_read(const char *directory, GError **error)
{
    g_autoptr(Credentials) credentials = g_new0(Credentials, 1);

    if (!(credentials->user = read_secret(directory, "user", error)) ||
        !(credentials->password = read_secret(directory, "password", error)))
        return NULL;
    return g_steal_pointer(&credentials);
}

void credentials_free(Credentials *credentials)
{
    if (!credentials)
        return;
    secret_free(credentials->user);
    secret_free(credentials->password);
    g_free(credentials);
}

void credentials_protect_process(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
