/* log_filter: the lines of a service's log that are about certain plans.
 *
 * A line that names a plan (plan=NS/NAME, crd/plan_key.h) is about that plan and no other. Any other line is
 * about one when it has one of the filter's words as a whole word. Either is not older than the plan. A line
 * without a time belongs to the line before it (stack traces, values with line ends). Threads: none is
 * shared.
 */
#pragma once
#include "base/errors.h"

typedef struct LogFilter LogFilter;
/* since: RFC 3339, as in creationTimestamp; NULL: from the start. */
LogFilter *log_filter_new(const char *since);
void log_filter_free(LogFilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogFilter, log_filter_free)

void log_filter_add_plan(LogFilter *filter, const char *key); /* "NS/NAME" */
void log_filter_add(LogFilter *filter, const char *word);
/* line has no line end. Lines come in their order. */
gboolean log_filter_keeps(LogFilter *filter, const char *line);
