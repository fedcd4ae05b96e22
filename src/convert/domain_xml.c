/* domain_xml: text, every value escaped. */
#include "convert/domain_xml.h"

char *domain_disk_name(guint index)
{
    g_autofree char *more = index >= 26 ? domain_disk_name(index / 26 - 1) : g_strdup("sd");
    return g_strdup_printf("%s%c", more, 'a' + index % 26);
}

char *conversion_domain_xml(const ConvertSpec *spec)
{
    GString *xml = g_string_new(NULL);

    g_string_append_printf(xml, "<domain type='kvm'>\n");
    {
        g_autofree char *name = g_markup_printf_escaped("  <name>%s</name>\n", spec->vm_name);
        g_string_append(xml, name);
    }
    g_string_append_printf(
        xml,
        "  <memory unit='b'>%" G_GUINT64_FORMAT "</memory>\n  <vcpu>%u</vcpu>\n"
        "  <os%s><type arch='x86_64'>hvm</type></os>\n  <features><acpi/></features>\n  <devices>\n",
        spec->memory, spec->cpus, spec->efi ? " firmware='efi'" : "");
    for (guint i = 0; i < spec->n_disks; i++) {
        g_autofree char *device = domain_disk_name(i);
        g_autofree char *disk = g_markup_printf_escaped(
            "    <disk type='file' device='disk'>\n      <driver name='qemu' type='qcow2'/>\n"
            "      <source file='%s'/>\n      <target dev='%s' bus='scsi'/>\n    </disk>\n",
            spec->disks[i].overlay, device);
        g_string_append(xml, disk);
    }
    g_string_append(xml, "  </devices>\n</domain>\n");
    return g_string_free(xml, FALSE);
}
