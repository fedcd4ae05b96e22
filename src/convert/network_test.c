/* network: whose name an address has in each kind of file, and the rules that come of it. */
#include "convert/network.h"
#include <string.h>

static void each_kind_of_file_is_read(void)
{
    static const struct {
        const char *path, *text, *address, *name;
    } cases[] = {
        {"/x/network/interfaces", "auto ens192\niface ens192 inet static\n\taddress 192.0.2.10/24\n",
         "192.0.2.10", "ens192"},
        {"/x/network/interfaces.d/lan",
         "iface eth1 inet static\n  address 192.0.2.11\n  netmask 255.255.255.0\n", "192.0.2.11", "eth1"},
        {"/x/network-scripts/ifcfg-ens224", "IPADDR=\"192.0.2.12\"\nDEVICE=ens224\n", "192.0.2.12", "ens224"},
        {"/x/network-scripts/ifcfg-a", "DEVICE=eth0\nIPADDR0=192.0.2.13\n", "192.0.2.13", "eth0"},
        {"/x/system-connections/lan.nmconnection",
         "[connection]\nid=lan\ninterface-name=ens256\n[ipv4]\naddress1=192.0.2.14/"
         "24,192.0.2.1\nmethod=manual\n",
         "192.0.2.14", "ens256"},
        {"/x/netplan/01.yaml", "network:\n  ethernets:\n    ens160:\n      addresses: [192.0.2.15/24]\n",
         "192.0.2.15", "ens160"},
        {"/x/netplan/01.yaml",
         "network:\n  ethernets:\n    a:\n      set-name: lan0\n      addresses:\n      - "
         "\"2001:db8::1/64\"\n",
         "2001:db8::1", "lan0"},
        {"/x/network/interfaces", "iface lo inet static\naddress 127.0.0.1\n", "127.0.0.1", NULL},
        {"/x/network/interfaces", "iface a\"b inet static\naddress 192.0.2.16\n", "192.0.2.16", NULL},
        {"/x/netplan/01.yaml", "network: [", "192.0.2.15", NULL},
        {"/x/system-connections/a", "no key file", "192.0.2.15", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        network_read_file(cases[i].path, cases[i].text, names);
        g_test_message("%s", cases[i].text);
        g_assert_cmpstr(g_hash_table_lookup(names, cases[i].address), ==, cases[i].name);
    }
}

static void a_name_is_tied_to_the_mac_that_had_its_address(void)
{
    const ConvertNic nics[] = {{.mac = "00:50:56:AA:00:01", .addresses = {"192.0.2.10/24"}},
                               {.mac = "00:50:56:aa:00:02", .addresses = {"198.51.100.7/24"}},
                               {.mac = "00:50:56:aa:00:03"}};
    const ConvertSpec spec = {.nics = (ConvertNic *)nics, .n_nics = G_N_ELEMENTS(nics)};
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *rules = NULL;

    g_assert_null(network_rules(&spec, names));
    g_hash_table_insert(names, (gpointer) "192.0.2.10", (gpointer) "ens192");
    rules = network_rules(&spec, names);
    g_assert_nonnull(
        strstr(rules, "ATTR{address}==\"00:50:56:aa:00:01\", ATTR{type}==\"1\", NAME=\"ens192\"\n"));
    g_assert_null(strstr(rules, "aa:00:02"));
}

static void windows_gets_its_addresses_by_option(void)
{
    const ConvertNic nics[] = {{.mac = "00:50:56:aa:00:01",
                                .addresses = {"192.0.2.10/24"},
                                .gateway = "192.0.2.1",
                                .dns = {"192.0.2.2", "192.0.2.3"}},
                               {.mac = "00:50:56:aa:00:02"}};
    const ConvertSpec spec = {.nics = (ConvertNic *)nics, .n_nics = G_N_ELEMENTS(nics)};
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);

    network_v2v_options(&spec, options);
    g_assert_cmpuint(options->len, ==, 1);
    g_assert_cmpstr(options->pdata[0], ==,
                    "00:50:56:aa:00:01:ip:192.0.2.10,192.0.2.1,24,192.0.2.2,192.0.2.3");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/network/each kind of file is read", each_kind_of_file_is_read);
    g_test_add_func("/convert/network/a name is tied to the MAC that had its address",
                    a_name_is_tied_to_the_mac_that_had_its_address);
    g_test_add_func("/convert/network/Windows gets its addresses by option",
                    windows_gets_its_addresses_by_option);
    return g_test_run();
}
