/* network: a converted guest keeps its static addresses.
 *
 * The network cards are new hardware with the old MACs. A Linux guest would name them anew, and its settings
 * name the old ones: so the interface that has an address in the guest's own files (ifupdown, ifcfg,
 * NetworkManager keyfiles, netplan) is tied to the MAC that had this address in the source, by a udev rule. A
 * Windows guest gets its addresses set by virt-v2v. Threads: any. Errors: guestfs.h's, IO.
 */
#pragma once
#include "convert/guestfs.h"

/* Adds values of virt-v2v's --mac (owned by the array) for each card that has an address. */
void network_v2v_options(const ConvertSpec *spec, GPtrArray *options);

/* Ties names to MACs in the overlays of a converted Linux guest; nothing when no address is known. folder: to
 * work in. */
gboolean network_keep_names(const Guestfs *guestfs, const json_t *guest, const char *folder,
                            GCancellable *cancel, GError **error);

/* Adds interface names by address ("192.0.2.10" → "ens192") from one file of the guest; path says which kind
 * it is. text is foreign. */
void network_read_file(const char *path, const char *text, GHashTable *names);

/* The rules; NULL when no card's address is in names. */
char *network_rules(const ConvertSpec *spec, GHashTable *names);
