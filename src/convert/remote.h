/* remote: looks at a guest whose disks are still in the source, over the wire, before anything is copied.
 *
 * Each disk's reader (copy/reader.h) is shown to libguestfs as a disk; only what the tools ask for is read.
 * Readers that read forward only cannot do that. Threads: one at a time. Errors: look.h's, the readers',
 * BAD_INPUT.
 */
#pragma once
#include "convert/spec.h"

/* spec: of an inspection. {"os", "concerns": look.h's, "bytesRead"}; where a reader reads forward only, os is
 * null and a concern says that. */
json_t *remote_look(ConvertSpec *spec, GCancellable *cancel, GError **error);
