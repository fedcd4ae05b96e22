/* gantry: the table of subcommands, and nothing else; what users do has a table of its own (cmd/verbs.c). */
#include "base/control.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/verbs.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} commands[] = {
    /* in the order in which a newcomer meets them */
    {"up", "run the local cluster: Kubernetes API, Pods, disks, virtual machines, Gantry's services", cmd_up},
    {"backup", "write the local cluster's objects and keys to a directory, also while it runs", cmd_backup},
    {"restore", "make a data directory of a backup, for 'gantry up' to start with", cmd_restore},
    {"node", "be the node of a cluster whose Kubernetes API is another program", cmd_node},
    {"console", "serve the web console", cmd_console},
    {"progress", "show how a Plan's migration goes", cmd_progress},
    {"must-gather", "put logs and objects of migrations into one archive", cmd_must_gather},
    {"operator", "keep Gantry installed on a cluster as its ForkliftController says", cmd_operator},
    {"controller", "run the controllers of Plans, Migrations, maps, Hosts and Hooks", cmd_controller},
    {"copy", "copy one disk of a virtual machine (the program of importer Pods)", cmd_copy},
    {"probe", "try TCP connections (the program of a plan's probe Pod)", cmd_probe},
    {"verify", "compare a copied disk with its manifest", cmd_verify},
    {"inspect", "look at a virtual machine in the source before it is copied (the program of inspection Pods)", cmd_inspect},
    {"convert", "convert a copied virtual machine for KVM (the program of conversion Pods)", cmd_convert},
    {"inventory", "serve what providers hold, and look after their connections", cmd_inventory},
    {"validation", "run the validation service: Rego rules that judge VMs", cmd_validation},
    {"policy", "test validation rules, and try one on a VM", cmd_policy},
    {"must-gather-api", "serve gatherings of logs and objects to the console", cmd_must_gather_api},
    {NULL, NULL, NULL},
};

static int usage(FILE *out, int code)
{
    fprintf(out, "Usage: gantry COMMAND [OPTION…]\n\nMoves virtual machines from vSphere and oVirt to KubeVirt.\n\nMigrating:\n");
    for (int i = 0; verbs[i]; i++)
        fprintf(out, "  %-16s %s\n", verbs[i]->name, verbs[i]->what);
    fprintf(out, "\nServices and programs:\n");
    for (int i = 0; commands[i].name; i++)
        fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].what);
    fprintf(out, "\n'gantry COMMAND --help' explains a command.\n");
    return code;
}

/* It can be asked what it does (gantry debug) while it runs; where it cannot be, it runs all the same. */
static int run_command(int (*run)(int argc, char **argv), int argc, char **argv)
{
    g_autofree char *name = g_strdup_printf("gantry %s", argv[0]);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Control) control = control_start(argv[0], &problem);

    if (problem)
        log_debug("no socket for gantry debug", "error", problem->message, NULL);
    g_set_prgname(name);
    return run(argc, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, 2);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
        return usage(stdout, 0);
    if (!strcmp(argv[1], "--version")) {
        puts("gantry " GANTRY_VERSION);
        return 0;
    }
    for (int i = 0; verbs[i]; i++)
        if (!strcmp(argv[1], verbs[i]->name)) {
            g_autofree char *name = g_strdup_printf("gantry %s", argv[1]);
            g_set_prgname(name);
            return verb_main(verbs[i], argc - 1, argv + 1);
        }
    for (int i = 0; commands[i].name; i++)
        if (!strcmp(argv[1], commands[i].name))
            return run_command(commands[i].run, argc - 1, argv + 1);
    fprintf(stderr, "gantry: there is no command '%s'; 'gantry --help' lists them\n", argv[1]);
    return 2;
}
