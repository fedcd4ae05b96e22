/* domain_xml: the guest as virt-v2v-in-place wants it described (-i libvirtxml): its overlays as disks, in
 * their order. */
#pragma once
#include "convert/spec.h"

char *conversion_domain_xml(const ConvertSpec *spec);
/* "sda" … "sdz", "sdaa" … as the kernel counts; to be freed. */
char *domain_disk_name(guint index);
