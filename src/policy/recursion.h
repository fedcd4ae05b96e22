/* recursion: functions that call themselves, which Rego forbids and the interpreter would follow until its
 * stack ends.
 *
 * Calls are found in the text of a function, from its line to that of the next rule of its file.
 * Threads: an instance belongs to one thread.
 */
#pragma once
#include "base/errors.h"

typedef struct Recursion Recursion;
Recursion *recursion_new(void);
void recursion_free(Recursion *recursion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recursion, recursion_free)

/* A function of a package, its place ("FILE:LINE") and its text. Several definitions of one name are one
 * function. */
void recursion_add(Recursion *recursion, const char *package, const char *name, const char *place,
                   const char *text, gsize size);
/* FALSE: POLICY_INVALID, naming a function that calls itself, directly or by way of others. */
gboolean recursion_check(Recursion *recursion, GError **error);
