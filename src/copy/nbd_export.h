/* nbd_export: shows a reader's disk to programs of this machine as an NBD server on a unix socket, read only.
 *
 * So that tools which know files and NBD look at a disk while it is still in the source, over the wire. What
 * they ask for is fetched in blocks that are kept for a while, as they come back to the same places.
 * The protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md (fixed newstyle, simple
 * replies). Threads: one of its own, and one a connection; the reader is used by them only, until
 * nbd_export_stop(). Errors: IO. A read that fails is an I/O error for the program that asked;
 * nbd_export_error() says why.
 */
#pragma once
#include "copy/reader.h"

typedef struct NbdExport NbdExport;

NbdExport *nbd_export_start(Reader *reader, const char *socket_path, GError **error);
void nbd_export_stop(NbdExport *server); /* waits; removes the socket */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NbdExport, nbd_export_stop)

GError *nbd_export_error(NbdExport *server); /* the first that a read ended with, a copy; or NULL */
guint64 nbd_export_bytes(NbdExport *server); /* that the source had to send */
