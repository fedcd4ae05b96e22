/* datastore: the files of vSphere's datastores, read through the datastore browser of vCenter or an ESXi
 * host.
 *
 * GET /folder/<path>?dcPath=<datacenter>&dsName=<datastore> with byte ranges, as published in the vSphere Web
 * Services SDK Programming Guide ("HTTP access to vSphere server files"). Names read "[datastore] dir/file".
 * Each file is asked for its size before anything is copied, and every reply is checked against what was seen
 * then. Threads: any, after it was opened. Errors: those of vmdk_store.h.
 */
#pragma once
#include "copy/reader.h"
#include "copy/vmdk_store.h"

typedef struct Datastore Datastore;

/* Reads url and datacenter of the spec's source, and logs in. session: the reader's (reader.h), which
 * renewals move on. */
Datastore *datastore_open(const CopySpec *spec, gint *session, GCancellable *cancel, GError **error);
void datastore_close(Datastore *datastore); /* logs out */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Datastore, datastore_close)

VmdkStore *datastore_files(Datastore *datastore);
/* As reader_renew(). */
gboolean datastore_renew(Datastore *datastore, gint session, GCancellable *cancel, GError **error);
const char *datastore_login_way(Datastore *datastore); /* "session", "basic", "ticket", "none" */
