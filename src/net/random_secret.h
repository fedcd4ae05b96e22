/* random_secret: what a session or a client is known by, which nobody can guess. Threads: any. */
#pragma once
#include <glib.h>

/* 256 random bits as 43 characters that a cookie and a URL can bear, to be freed with g_free(). */
char *random_secret(void);
