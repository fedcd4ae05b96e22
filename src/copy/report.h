/* report: what a copy says about itself when it is done, for programs and for people.
 *
 * Both forms are made of the manifest, so that whoever verifies a disk later gets the same. Threads: any.
 */
#pragma once
#include "copy/manifest.h"

/* {"disk", "name", "size", "hash", "readBack", "completed", "reader", "bytesRead", "bytesWritten",
 * "generation", "verifiedBytes"}; a new reference. */
json_t *report_json(const ManifestResult *manifest);
/* The same in lines of text. */
char *report_text(const json_t *report);
