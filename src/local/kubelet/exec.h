/* exec: `kubectl exec`: a command in a container, with pipes or a terminal.
 *
 * Threads: any. The functions are those of PodsBackend (local/apiserver/pods.h).
 */
#pragma once
#include "local/apiserver/pods.h"
#include "local/kubelet/sandbox.h"

gboolean exec_start(const Sandbox *sandbox, const PodExecOptions *options, PodExec *exec, GError **error);
int exec_wait(PodExec *exec, GCancellable *cancel);
void exec_resize(PodExec *exec, guint16 columns, guint16 rows);
