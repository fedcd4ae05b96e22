/* hypervisor: the virtual machines of one machine: libvirt's QEMU driver inside this process (qemu:///embed), with a root of its own.
 *
 * Guarantee: a running machine outlives this process and is found again by the next one on the same directory. What libvirt
 * needs is kept below DIR/libvirt; a link with a short name in /run/gantry leads there, as paths of its sockets are limited to
 * 107 bytes. One process at a time may have a directory open.
 * Threads: any; one thread of its own hears of machines that stop. It is opened once per process: libvirt's event loop has no end.
 * Errors: HYPERVISOR, with libvirt's words.
 */
#pragma once
#include "base/errors.h"

typedef struct Hypervisor Hypervisor;

/* changed: some machine has started or stopped; called on the event thread, must not block. */
Hypervisor *hypervisor_open(const char *dir, void (*changed)(const char *name, gpointer user_data), gpointer user_data,
                            GError **error);
/* changed is not called any more once this has returned. */
void hypervisor_mute(Hypervisor *hypervisor);
void hypervisor_close(Hypervisor *hypervisor); /* the machines go on */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hypervisor, hypervisor_close)

typedef enum {
    MACHINE_ABSENT,   /* not defined */
    MACHINE_RUNNING,  /* or paused, or starting */
    MACHINE_STOPPED,  /* the guest has powered off */
    MACHINE_KILLED,   /* it was stopped from outside */
    MACHINE_CRASHED
} MachineState;

gboolean hypervisor_state(Hypervisor *hypervisor, const char *name, MachineState *state, GError **error);

/* Defines and starts the machine of a domain XML (https://libvirt.org/formatdomain.html); one that is defined already under its
 * name is replaced, one that runs is left alone. */
gboolean hypervisor_start(Hypervisor *hypervisor, const char *name, const char *xml, GError **error);

/* Asks the guest to shut down (ACPI). No error when it does not run. */
gboolean hypervisor_shut_down(Hypervisor *hypervisor, const char *name, GError **error);

/* Ends it at once when it runs, and forgets it with its NVRAM. No error when there is none. */
gboolean hypervisor_remove(Hypervisor *hypervisor, const char *name, GError **error);
