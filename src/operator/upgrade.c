/* upgrade: compares major and minor numbers. */
#include "operator/upgrade.h"
#include <stdio.h>

static gboolean parse(const char *version, guint *major, guint *minor)
{
    return sscanf(version, "%5u.%5u", major, minor) == 2;
}

gboolean upgrade_allowed(const char *installed, const char *wanted, GError **error)
{
    guint major, minor, wanted_major, wanted_minor;

    if (!*installed)
        return TRUE;
    if (!parse(installed, &major, &minor) || !parse(wanted, &wanted_major, &wanted_minor)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the installed version '%s' or the new one, '%s', is no version; 2.3.100 would be",
                    installed, wanted);
        return FALSE;
    }
    if (wanted_major == major && (wanted_minor == minor || wanted_minor == minor + 1))
        return TRUE;
    if (wanted_major < major || (wanted_major == major && wanted_minor < minor))
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "version %s is installed, which is newer than %s: there is no way back; install %u.%u",
                    installed, wanted, major, minor);
    else
        g_set_error(
            error, GANTRY_ERROR, ERROR_BAD_INPUT,
            "version %s is installed: no release may be skipped on the way to %s; the next one is %u.%u",
            installed, wanted, major, minor + 1);
    return FALSE;
}
