/* domain_xml: a VirtualMachineInstance's spec as a libvirt domain (https://libvirt.org/formatdomain.html).
 *
 * Pure: no file and no machine is touched. Kept from the spec: firmware, processors, memory, disks with bus, order and serial, NICs
 * with model and MAC, clock, SMBIOS uuid and serial, input devices. What KubeVirt offers beyond that and this does not is refused
 * or, where the guest runs without it, left out.
 * Errors: BAD_INPUT (field, value, what would be right).
 */
#pragma once
#include "base/acceleration.h"
#include <jansson.h>

typedef struct {
    const char *name;             /* the domain's */
    const char *uuid;             /* the domain's; the guest sees firmware.uuid */
    Acceleration acceleration;
    const char *console;          /* file that gets the serial console */
    /* Where a volume's image is, by the volume's name; NULL: no such volume. */
    const char *(*disk)(const char *volume, gpointer user_data);
    /* The bridge of a multus network ("namespace/name" or "name"); NULL: no such network definition. */
    const char *(*bridge)(const char *network, gpointer user_data);
    gpointer user_data;
} DomainPlace;

char *domain_xml(const json_t *spec, const DomainPlace *place, GError **error);
