/* spec: what one run of the conversion is asked to do: the JSON document of a conversion Pod.
 *
 *   {"version": 1, "vm": {"id", "name"}, "firmware": "bios"|"efi", "memory": BYTES, "cpus": N,
 *    "disks": [{"id", "path": PATH, "overlay": PATH, "manifest": PATH}]}       the first disk is the one to
 * boot from
 *
 * Errors: BAD_INPUT, BAD_JSON; the message says which member and what would be right.
 */
#pragma once
#include "base/json.h"

typedef struct {
    const char *id, *path, *overlay; /* path: raw file or block device */
} ConvertDisk;

typedef struct {
    json_t *json; /* owns every text below */
    const char *vm_id, *vm_name;
    gboolean efi;
    guint64 memory;
    guint cpus;
    ConvertDisk *disks;
    guint n_disks;
} ConvertSpec;

ConvertSpec *convert_spec_parse(const char *text, gsize size, GError **error);
ConvertSpec *convert_spec_read(const char *path, GError **error);
void convert_spec_free(ConvertSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConvertSpec, convert_spec_free)
