/* spec: what one run of the conversion is asked to do: the JSON document of a conversion Pod.
 *
 *   {"version": 1, "vm": {"id", "name"}, "firmware": "bios"|"efi", "memory": BYTES, "cpus": N,
 *    "root": "first"|"/dev/sda2"…?,          which operating system, where there are several
 *    "keys": DIRECTORY?,                      each file in it is a key of an encrypted disk (LUKS, BitLocker)
 *    "clevis": BOOL?,                         encrypted disks are opened over the network (NBDE)
 *    "nics": [{"mac", "addresses": ["192.0.2.10/24", …], "gateway": ADDRESS?, "dns": [ADDRESS, …]?}]?,
 *    "disks": [{"id", "path": PATH, "overlay": PATH, "manifest": PATH}]}     the first is the one to boot
 * from
 *
 * nics are those with static addresses, which the guest keeps. For an inspection (gantry inspect) disks are
 * still in the source: {"id", "copy": PATH}, a file with the copy spec of each, and "state": DIRECTORY is
 * where the tools may work.
 *
 * Errors: BAD_INPUT, BAD_JSON; the message says which member and what would be right.
 */
#pragma once
#include "base/json.h"

typedef struct {
    const char *id, *path, *overlay; /* path: raw file, block device, or NBD URI of a disk in the source */
    const char *copy;                /* NULL but in an inspection */
} ConvertDisk;

#define NIC_ADDRESSES 32

typedef struct {
    const char *mac; /* lower case as it came */
    const char *addresses[NIC_ADDRESSES + 1], *dns[NIC_ADDRESSES + 1];
    const char *gateway; /* or NULL */
} ConvertNic;

typedef struct {
    json_t *json; /* owns every text below */
    const char *vm_id, *vm_name;
    gboolean efi;
    guint64 memory;
    guint cpus;
    const char *root, *keys; /* NULL: not said */
    gboolean clevis;
    const char *state; /* where the tools may work; of an inspection only, else NULL */
    ConvertDisk *disks;
    guint n_disks;
    ConvertNic *nics;
    guint n_nics;
    int log; /* set by who runs the conversion: gets what the tools say; 0: none */
} ConvertSpec;

ConvertSpec *convert_spec_parse(const char *text, gsize size, GError **error);
ConvertSpec *convert_spec_read(const char *path, GError **error);
void convert_spec_free(ConvertSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConvertSpec, convert_spec_free)
