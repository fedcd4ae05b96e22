/* plan_key: how log lines and records name a plan.
 *
 * A plan has one form everywhere, so that a search for plan=NS/NAME finds all that was said of it, and
 * nothing of a plan of the same name in another namespace. Threads: pure functions.
 */
#pragma once
#include "kube/object.h"

char *plan_key(const Object *plan); /* "NS/NAME", to be freed */
