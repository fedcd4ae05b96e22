/* workshop: made, and cleared away. */
#include "convert/workshop.h"
#include "base/acceleration.h"
#include "convert/tool.h"
#include <errno.h>

static void remove_folder(const char *path)
{
    const char *argv[] = {"rm", "-rf", "--", path, NULL};
    const ToolOptions options = {0};
    tool_run(argv, &options, NULL, NULL);
}

void workshop_close(Workshop *workshop)
{
    if (workshop->folder)
        remove_folder(workshop->folder);
    g_free(workshop->folder);
    g_strfreev(workshop->environment);
}
gboolean workshop_open(Workshop *workshop, const char *state, GError **error)
{
    Acceleration acceleration;

    workshop->folder = g_build_filename(state, ".guestfs", NULL);
    if (g_mkdir_with_parents(workshop->folder, 0700) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", workshop->folder, g_strerror(errno));
        return FALSE;
    }
    if (!acceleration_find(workshop->folder, &acceleration, error))
        return FALSE;
    workshop->environment = g_environ_setenv(g_get_environ(), "LIBGUESTFS_BACKEND", "direct", TRUE);
    workshop->environment =
        g_environ_setenv(workshop->environment, "LIBGUESTFS_CACHEDIR", workshop->folder, TRUE);
    workshop->environment = g_environ_setenv(workshop->environment, "TMPDIR", workshop->folder, TRUE);
    workshop->environment = g_environ_setenv(workshop->environment, "LC_ALL", "C.UTF-8", TRUE);
    if (acceleration == ACCELERATION_TCG)
        workshop->environment =
            g_environ_setenv(workshop->environment, "LIBGUESTFS_BACKEND_SETTINGS", "force_tcg", TRUE);
    return TRUE;
}
