/* logs: containers' log files: read, followed, and kept within a ceiling.
 *
 * A container writes its log itself, so that nothing is lost while nobody is there to carry it. The ceiling
 * is kept by freeing the file's oldest blocks (a hole at its head): offsets stay as they are, so writers and
 * readers need not know. Threads: any.
 */
#pragma once
#include "local/apiserver/pods.h"

/* Writes the log. alive says whether more may come: asked at each end of the file while following. */
gboolean log_write(const char *path, const PodLogOptions *options, PodLogWrite write, gpointer writer,
                   gboolean (*alive)(gpointer user_data), gpointer user_data, GCancellable *cancel,
                   GError **error);

/* Frees the oldest part of a file that takes more than most bytes of the disk, so that half of that is left.
 */
void log_trim(const char *path, guint64 most);
