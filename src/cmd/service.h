/* service: what the services of Deployments share: settings from the environment, files that it names, and
 * running until told to stop.
 *
 * Threads: the main one.
 */
#pragma once
#include "kube/lease.h"

/* The environment variable's value; absent when it is not set or empty. */
const char *service_setting(const char *name, const char *absent);

/* Reads the file that the environment variable names; *text stays NULL when it names none. The error names
 * the variable. */
gboolean service_read_file(const char *name, char **text, GError **error);

/* Returns after SIGTERM or SIGINT; runs the default main context until then. */
void service_run_until_told(void);

/* Cancelled by SIGTERM or SIGINT from the first call on, whatever the process does then: for starts that wait. Borrowed; the same each
 * time. Not together with service_run_until_told(). */
GCancellable *service_told_to_stop(void);
void service_wait(void); /* until then */
void service_wait_or(GCancellable *other); /* until then, or until that is cancelled; NULL: it never is */

/* Waits until this process is the one that does what name stands for: the Lease of that name in
 * $POD_NAMESPACE, else openshift-mtv. Losing it ends the process, as nothing may be done any more, unless
 * service_leaves() has been called: the namespace is being deleted, where nobody else can start. */
Lease *service_lead(KubeClient *kube, const char *name, GCancellable *cancel, GError **error);
void service_leaves(void);
