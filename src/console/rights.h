/* rights: which requests the console passes on to the Kubernetes API, and which it doesn't whoever asks.
 *
 * The API server decides what a person may do; this table decides what a browser page may ask for at all, so
 * that a page that was tampered with cannot read Secrets or start Pods.
 */
#pragma once
#include "base/errors.h"

/* path: decoded, begins with "/". The path to send (each part escaped anew), or NULL: not passed on. Free
 * with g_free(). */
char *rights_path(const char *method, const char *path, const char *ns);

/* TRUE for replies that carry Secrets: only their metadata goes back to the browser. */
gboolean rights_is_secret(const char *path);
