/* path: what a request's target names: "/api/v1/namespaces/NS/pods/NAME/log?…",
 * "/apis/GROUP/VERSION/PLURAL/NAME".
 *
 * Every part is there, "" where the target has none; all but rest are percent-decoded, and one that cannot be
 * is "". Threads: any.
 */
#pragma once
#include <glib.h>

typedef struct {
    char *group, *version, *plural;
    char *ns, *name;
    char *sub;  /* the subresource: "status", "log" … */
    char *rest; /* what follows it, as it came */
} ApiPath;

/* target begins with "/api/" or "/apis/". */
void api_path_parse(const char *target, ApiPath *path);
void api_path_clear(ApiPath *path);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ApiPath, api_path_clear)
