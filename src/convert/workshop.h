/* workshop: the surroundings of libguestfs' programs: a folder for their temporary files (the appliance is
 * too large for memory) and the environment that names it. Threads: none shared. Errors: IO,
 * acceleration.h's.
 */
#pragma once
#include "base/errors.h"

typedef struct {
    char *folder, **environment;
} Workshop;

gboolean workshop_open(Workshop *workshop, const char *state, GError **error); /* makes STATE/.guestfs */
void workshop_close(Workshop *workshop);                                       /* removes it */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Workshop, workshop_close)
