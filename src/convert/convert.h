/* convert: makes a copied guest fit for KVM: inspection, virt-v2v-in-place on overlays, commit.
 *
 * Guarantee: the disks are the pristine copy, or the converted guest, or (after a kill in the middle of the
 * commit) on their way to the latter; running it again ends in the converted guest. A failed conversion
 * leaves the pristine copy. Threads: the phase and detail of a Conversion may be read by any while it runs.
 * Errors: inspect.h's, GUEST_NO_SPACE, CONVERSION_FAILED, CONVERSION_STOPPED, CONVERSION_TOOL, IO,
 * G_IO_ERROR_CANCELLED.
 */
#pragma once
#include "convert/spec.h"

typedef struct ConvertProgress ConvertProgress;
ConvertProgress *convert_progress_new(void);
void convert_progress_free(ConvertProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConvertProgress, convert_progress_free)
/* {"phase": "Inspecting"|"Converting"|"Committing"|"Completed", "detail": what the tool said last} */
json_t *convert_progress_json(ConvertProgress *progress);

/* What the tools say goes to our standard error and to conversion.log beside the first overlay, where it
 * stays. report: {"os": inspect.h's, "firmware": "bios"|"efi"}, a new reference, on success. */
gboolean convert_run(ConvertSpec *spec, ConvertProgress *progress, json_t **report, GCancellable *cancel,
                     GError **error);

/* The document of the termination message. */
json_t *convert_result_json(const json_t *report, double seconds, const GError *error);
