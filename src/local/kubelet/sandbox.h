/* sandbox: one run of one container: a process tree under bubblewrap that outlives the program which started
 * it.
 *
 * The sandbox sees /usr, its own /etc, /dev, /proc and empty /tmp and /run, and what the Pod mounts; it has a
 * pid namespace of its own and the machine's network. Its end is known from the file that bubblewrap writes,
 * so whoever adopts a sandbox learns the exit code too. Every process of a sandbox carries
 * GANTRY_SANDBOX=<mark> in the environment that it was started with. A process is taken for ours only if its
 * start time and that mark agree, so a recycled process id is never signalled. Threads: a spec and a Sandbox
 * belong to one thread at a time.
 */
#pragma once
#include "base/json.h"
#include <sys/types.h>

/* Where /etc/hosts of a sandbox leads; whoever starts it mounts the directory. */
#define SANDBOX_HOSTS "/run/gantry/hosts"

typedef struct {
    char *source, *dest; /* source on the machine; a directory or a file */
    gboolean read_only, device;
} SandboxMount;

typedef struct {
    char *dest;
    GBytes *data; /* lives in the sandbox's memory only, never on a disk */
    guint mode;
} SandboxFile;

typedef struct {
    char *mark;                 /* identifies the run: "<data dir>/pods/<uid>/<container>/<N>" */
    char *hostname, *directory; /* directory: where the command starts, "/" when NULL */
    GPtrArray *mounts;          /* of SandboxMount */
    GPtrArray *files;           /* of SandboxFile */
    char **command;
    char **environment;  /* NAME=value; handed over by exec, so never in an argument */
    gboolean privileged; /* keeps all capabilities */
} SandboxSpec;

SandboxSpec *sandbox_spec_new(void); /* with /etc/passwd and /etc/group among its files */
void sandbox_spec_free(SandboxSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SandboxSpec, sandbox_spec_free)
void sandbox_spec_mount(SandboxSpec *spec, const char *source, const char *dest, gboolean read_only);
void sandbox_spec_file(SandboxSpec *spec, const char *dest, GBytes *data, guint mode);

/* The argument vector for bubblewrap, free it with g_strfreev(). File number i of spec->files is read from
 * descriptor SANDBOX_FIRST_FILE_FD + i, the status goes to SANDBOX_STATUS_FD. Mount points are made wherever
 * they are: in a directory that is only readable, what was there stays visible beside them. */
enum { SANDBOX_STATUS_FD = 3, SANDBOX_FIRST_FILE_FD = 10 };
char **sandbox_argv(const SandboxSpec *spec);

/* The capabilities that containers usually have, as bubblewrap and setpriv name them; NULL-terminated. */
extern const char *const sandbox_capabilities[];

typedef struct {
    pid_t outer, inner; /* bubblewrap's own process; process 1 of the sandbox, 0 while it is not known */
    guint64 outer_start, inner_start; /* field 22 of /proc/PID/stat */
} Sandbox;

/* Starts it with its output appended to log_path; status_path is written anew. IO: why it could not start. */
gboolean sandbox_start(const SandboxSpec *spec, const char *log_path, const char *status_path,
                       Sandbox *sandbox, GError **error);

/* Looks for the inner process when it is not known yet. */
void sandbox_refresh(Sandbox *sandbox, const char *status_path, const char *mark);

gboolean sandbox_alive(const Sandbox *sandbox);
/* The exit code that bubblewrap noted (128 + N for signal N), or -1. */
int sandbox_exit_code(const char *status_path);

/* Signals the container's first process, as a runtime does; FALSE: there is none yet, or none any more.
 * SIGKILL ends every process of the sandbox. */
gboolean sandbox_signal(const Sandbox *sandbox, int signal);
/* The container's first process, through which to enter its namespaces, or 0. */
pid_t sandbox_main_process(const Sandbox *sandbox);

/* Kills every process on the machine whose mark begins with prefix and for which keep() says FALSE. Gives how
 * many. */
guint sandbox_end_strangers(const char *prefix, gboolean (*keep)(const char *mark, gpointer user_data),
                            gpointer user_data);

/* Field 22 (start time) of /proc/PID/stat; 0: there is no such process, or it is a zombie. */
guint64 process_start_time(pid_t pid);
