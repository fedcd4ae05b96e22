/* service: what the services of Deployments share: settings from the environment, files that it names, and
 * running until told to stop.
 *
 * Threads: the main one.
 */
#pragma once
#include "base/errors.h"

/* The environment variable's value; absent when it is not set or empty. */
const char *service_setting(const char *name, const char *absent);

/* Reads the file that the environment variable names; *text stays NULL when it names none. The error names
 * the variable. */
gboolean service_read_file(const char *name, char **text, GError **error);

/* Returns after SIGTERM or SIGINT. */
void service_run_until_told(void);
