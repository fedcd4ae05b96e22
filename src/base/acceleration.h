/* acceleration: whether guests can use KVM here: found out by booting one, as a /dev/kvm that opens may still hang its guests.
 *
 * $GANTRY_ACCEL decides when it is kvm or tcg. Else (auto) this machine's own kernel is booted, as a KVM that runs a few
 * instructions may still hang a whole kernel; without a kernel in /boot it is tcg. The answer is kept in DIR until the
 * machine boots anew.
 * Threads: any; the probe blocks for up to ten seconds.
 */
#pragma once
#include "base/errors.h"

typedef enum { ACCELERATION_TCG, ACCELERATION_KVM } Acceleration;

/* BAD_INPUT: $GANTRY_ACCEL is something else. */
gboolean acceleration_find(const char *dir, Acceleration *acceleration, GError **error);
