/* model_nic: a VM's network cards: what each is connected to, where the guest finds it, and in which order.
 *
 * A card's place on the guest's PCI bus is in its slot number, whose bits are FFF BBBBB DDDDD: function,
 * bridge (0: the root bus, N: bridge N-1) and device. Buses are counted in the order in which the bridges
 * stand on the root bus, after the root bus and that of AGP; a bridge has as many of them as it has
 * functions.
 */
#include "source/vsphere/vsphere.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_BRIDGED_BUS = 2, MOST_BRIDGES = 32 };

gboolean vsphere_is_card(const xmlNode *device)
{
    return soap_child(device, "macAddress") != NULL;
}

gint64 vsphere_pci_slot(const xmlNode *device)
{
    return vsphere_int(soap_child(soap_child(device, "slotInfo"), "pciSlotNumber"));
}

/* ---- where the guest finds it -------------------------------------------------------------------------- */

typedef struct {
    gint64 slot; /* 0: there is none of this number */
    gint64 functions;
} Bridge;

/* Takes what options of the names "pciBridge4.pciSlotNumber" and "pciBridge4.functions" say. */
static void read_bridges(Bridge bridges[MOST_BRIDGES], const xmlNode *extra_config)
{
    for (xmlNode *option = soap_first(extra_config); option; option = soap_next(option)) {
        const char *key = soap_peek(soap_child(option, "key"));
        gint64 value = vsphere_int(soap_child(option, "value"));
        char *rest;
        guint64 number;

        if (!key || !g_str_has_prefix(key, "pciBridge"))
            continue;
        number = g_ascii_strtoull(key + strlen("pciBridge"), &rest, 10);
        if (number >= MOST_BRIDGES || rest == key + strlen("pciBridge"))
            continue;
        if (!strcmp(rest, ".pciSlotNumber"))
            bridges[number].slot = value;
        else if (!strcmp(rest, ".functions"))
            bridges[number].functions = CLAMP(value, 1, 8);
    }
}

/* The first bus behind a bridge, or -1. */
static int bus_of(const Bridge bridges[MOST_BRIDGES], guint number)
{
    int bus = FIRST_BRIDGED_BUS;

    if (number >= MOST_BRIDGES || bridges[number].slot <= 0)
        return -1;
    for (guint i = 0; i < MOST_BRIDGES; i++)
        if (bridges[i].slot > 0 && (bridges[i].slot & 0x1f) < (bridges[number].slot & 0x1f))
            bus += MAX(bridges[i].functions, 1);
    return bus;
}

/* "0000:0b:00.0", or "" where the VM does not say enough. To be freed. */
static char *pci_address(const Bridge bridges[MOST_BRIDGES], gint64 slot)
{
    int device = slot & 0x1f, bridge = slot >> 5 & 0x1f, function = slot >> 10 & 7, bus;

    if (slot <= 0)
        return g_strdup("");
    if (!bridge)
        return g_strdup_printf("0000:00:%02x.0", device);
    bus = bus_of(bridges, bridge - 1);
    return bus < 0 ? g_strdup("") : g_strdup_printf("0000:%02x:%02x.0", bus + function, device);
}

/* ---- one card ------------------------------------------------------------------------------------------ */

/* The network of a card: of a standard switch by moref, of a distributed one by its port group's key, of NSX
 * by its own id. */
static json_t *card_network(const xmlNode *backing)
{
    const xmlNode *network = soap_child(backing, "network");
    const char *key = soap_peek(soap_child(soap_child(backing, "port"), "portgroupKey"));
    const char *opaque = soap_peek(soap_child(backing, "opaqueNetworkId"));

    if (network)
        return vsphere_ref(network);
    if (!key && !opaque)
        return vsphere_ref(NULL);
    return json_pack("{s:s, s:s}", "kind", "Network", "id", key ? key : opaque);
}

static json_t *new_nic(const xmlNode *device, size_t order, const Bridge bridges[MOST_BRIDGES])
{
    const xmlNode *connectable = soap_child(device, "connectable");
    const char *mac = soap_peek(soap_child(device, "macAddress"));
    g_autofree char *lower = g_ascii_strdown(mac ? mac : "", -1);
    g_autofree char *address = pci_address(bridges, vsphere_pci_slot(device));

    return json_pack("{s:o, s:s, s:I, s:I, s:s, s:b}", "network", card_network(soap_child(device, "backing")),
                     "mac", lower, "order", (json_int_t)order, "deviceKey",
                     (json_int_t)vsphere_int(soap_child(device, "key")), "pciAddress", address,
                     "startConnected",
                     (int)(!connectable || vsphere_bool(soap_child(connectable, "startConnected"))));
}

/* ---- all of them --------------------------------------------------------------------------------------- */

/* The number that the guest's tools give a card, or a larger one than any of theirs. */
static int place_in_guest(const json_t *nic, const json_t *guest_networks)
{
    const json_t *network;
    size_t at;

    json_array_foreach (guest_networks, at, network) {
        if (!g_ascii_strcasecmp(json_string_at(network, "mac", ""), json_string_at(nic, "mac", "")))
            return atoi(json_string_at(network, "device", ""));
    }
    return G_MAXINT;
}

/* Puts a card before those that come later in the guest; equals keep their order. */
static void insert_sorted(json_t *nics, json_t *nic, const json_t *guest_networks)
{
    int place = place_in_guest(nic, guest_networks);
    size_t to = json_array_size(nics);

    while (to > 0 && place_in_guest(json_array_get(nics, to - 1), guest_networks) > place)
        to--;
    json_array_insert_new(nics, to, nic);
}

json_t *vsphere_nics(const xmlNode *devices, const xmlNode *extra_config, const json_t *guest_networks)
{
    Bridge bridges[MOST_BRIDGES] = {0};
    json_t *nics = json_array();

    read_bridges(bridges, extra_config);
    for (xmlNode *device = soap_first(devices); device; device = soap_next(device)) {
        g_autofree char *type = soap_type(device);
        if (vsphere_is_card(device) && g_strcmp0(type, "VirtualSriovEthernetCard"))
            insert_sorted(nics, new_nic(device, json_array_size(nics), bridges), guest_networks);
    }
    return nics;
}
