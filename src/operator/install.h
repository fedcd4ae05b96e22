/* install: brings what is installed to what the ForkliftController and this version say, and takes it away
 * again.
 *
 * Guarantee: a pass may be interrupted anywhere and is then done again; a field that the templates do not
 * name stays as somebody has set it. Nothing is done while a version would be skipped, or while the namespace
 * goes away. Threads: one pass at a time. Errors: those of kube/client.h; BAD_INPUT (a version would be
 * skipped); NOT_READY (a foreign Deployment has not gone yet), KUBE_UNAVAILABLE (so is the webhook, until the
 * controller runs): everything else was done, and another pass may be soon.
 */
#pragma once
#include "kube/client.h"

typedef struct {
    KubeClient *kube;
    const char *ns, *version;
    const char *templates; /* directory */
} Installation;

/* wrong (of char*) gets the settings that could not be used. *leaving: the namespace is being deleted, and
 * nothing was done. */
gboolean install(const Installation *installation, const Object *settings, GPtrArray *wrong,
                 gboolean *leaving, GCancellable *cancel, GError **error);

/* Takes away what no garbage collector does after its ForkliftController has gone: what lies in no namespace.
 */
gboolean uninstall(const Installation *installation, GCancellable *cancel, GError **error);

/* Applies the directory's definitions of our kinds, before anything that uses them. */
gboolean install_definitions(KubeClient *kube, const char *directory, GCancellable *cancel, GError **error);

/* Gives the objects of no namespace that an administrator made for us to the namespace, so that they go with
 * it. */
gboolean install_adopt(const Installation *installation, GCancellable *cancel, GError **error);
