/* simulated_time: a clock that goes on when nobody has anything to do.
 *
 * From simulated_time_begin() on, this program's calls of g_get_monotonic_time(), g_usleep() and
 * g_cond_wait_until() tell and wait for made-up time (the linker's --wrap leads them here; GLib's own stay as
 * they are). A thread of its own moves the clock to the next moment that somebody waits for, as soon as every
 * other thread of the process sleeps. So what is simulated takes as long on a busy machine as on an idle one:
 * work takes no time but what is said by g_usleep().
 * Threads: any, once it has begun; it does not end.
 */
#pragma once
#include <glib.h>

void simulated_time_begin(void);
