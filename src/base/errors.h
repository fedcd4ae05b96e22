/* errors: every way in which Gantry can fail, one row each in errors.def.
 *
 * A row has a class (what the caller should do), a reason (what conditions and clients see) and a remedy (what the
 * user should do). The page errors.md in the build directory is made of the same rows. Raise with g_set_error(), add context with
 * g_prefix_error() on the way up; log or write a condition once, where the error stops.
 */
#pragma once
#include <gio/gio.h>

typedef enum {
#define ERROR(code, class, reason, remedy) ERROR_##code,
#include "base/errors.def"
#undef ERROR
} ErrorCode;

/* What the caller does: retry with jitter and resume; lower the depth first; get a new ticket, session or snapshot
 * first; give up and show the remedy. */
typedef enum { TRANSIENT, CONGESTED, STALE, FATAL } ErrorClass;

#define GANTRY_ERROR (gantry_error_quark())
GQuark gantry_error_quark(void);

/* Errors of other domains are TRANSIENT, their reason "Unexpected". The strings are static. */
ErrorClass  error_class(const GError *error);
const char *error_class_name(ErrorClass class); /* "transient", "congested", "stale", "fatal" */
const char *error_reason(const GError *error);  /* stable, CamelCase */
const char *error_remedy(const GError *error);  /* one sentence */

/* The exit code by which a program of a Pod tells its controller the class: fatal 1, transient 75 (EX_TEMPFAIL of
 * sysexits.h), congested 76, stale 77. 2 is left to bad usage. */
int error_exit_code(const GError *error);
