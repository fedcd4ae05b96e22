/* sandbox: bubblewrap's arguments, and processes that are found again. */
#include "local/kubelet/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MARK_VARIABLE "GANTRY_SANDBOX="

const char *const sandbox_capabilities[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",           "CAP_FSETID",     "CAP_KILL",    "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_SETFCAP", NULL,
};

/* What a program needs of the machine's /etc: libraries, certificates, time zone, and what the libguestfs
 * appliance is put together from. Nothing that is secret. */
static const char *const etc_entries[] = {
    "alternatives",
    "ansible",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "debian_version",
    "default",
    "fonts",
    "gai.conf",
    "gnutls",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "lvm",
    "magic",
    "mke2fs.conf",
    "modprobe.d",
    "modules",
    "nsswitch.conf",
    "os-release",
    "pki",
    "profile",
    "protocols",
    "qemu",
    "rpc",
    "security",
    "services",
    "shells",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
    NULL,
};

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\nqemu:x:107:107:qemu user:/:/usr/sbin/nologin\n"
                             "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
static const char group[] = "root:x:0:\nqemu:x:107:\nnogroup:x:65534:\n";

/* Where a path really is, as /var/run is a link to /run. */
static char *resolve_dest(const char *dest)
{
    return g_str_has_prefix(dest, "/var/run/") ? g_strdup(dest + strlen("/var")) : g_strdup(dest);
}

static void mount_free(gpointer data)
{
    SandboxMount *mount = data;
    g_free(mount->source);
    g_free(mount->dest);
    g_free(mount);
}

static void file_free(gpointer data)
{
    SandboxFile *file = data;
    g_free(file->dest);
    g_bytes_unref(file->data);
    g_free(file);
}

void sandbox_spec_mount(SandboxSpec *spec, const char *source, const char *dest, gboolean read_only)
{
    SandboxMount *mount = g_new0(SandboxMount, 1);
    mount->source = g_strdup(source);
    mount->dest = resolve_dest(dest);
    mount->read_only = read_only;
    g_ptr_array_add(spec->mounts, mount);
}

void sandbox_spec_file(SandboxSpec *spec, const char *dest, GBytes *data, guint mode)
{
    SandboxFile *file = g_new0(SandboxFile, 1);
    file->dest = resolve_dest(dest);
    file->data = g_bytes_ref(data);
    file->mode = mode;
    g_ptr_array_add(spec->files, file);
}

static void add_text(SandboxSpec *spec, const char *dest, const char *text)
{
    g_autoptr(GBytes) data = g_bytes_new_static(text, strlen(text));
    sandbox_spec_file(spec, dest, data, 0644);
}

SandboxSpec *sandbox_spec_new(void)
{
    SandboxSpec *spec = g_new0(SandboxSpec, 1);
    spec->mounts = g_ptr_array_new_with_free_func(mount_free);
    spec->files = g_ptr_array_new_with_free_func(file_free);
    add_text(spec, "/etc/passwd", passwd);
    add_text(spec, "/etc/group", group);
    return spec;
}

void sandbox_spec_free(SandboxSpec *spec)
{
    g_free(spec->mark);
    g_free(spec->hostname);
    g_free(spec->directory);
    g_ptr_array_unref(spec->mounts);
    g_ptr_array_unref(spec->files);
    g_strfreev(spec->command);
    g_strfreev(spec->environment);
    g_free(spec);
}

/* --- arguments --- */

static void add(GPtrArray *argv, ...) G_GNUC_NULL_TERMINATED;
static void add(GPtrArray *argv, ...)
{
    const char *argument;
    va_list list;

    va_start(list, argv);
    while ((argument = va_arg(list, const char *)))
        g_ptr_array_add(argv, g_strdup(argument));
    va_end(list);
}

static void add_machine(GPtrArray *argv)
{
    static const char *const roots[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

    add(argv, "--ro-bind", "/usr", "/usr", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(roots); i++) {
        g_autofree char *path = g_strconcat("/", roots[i], NULL);
        g_autofree char *target = g_file_read_link(path, NULL);
        if (target)
            add(argv, "--symlink", target, path, NULL);
        else if (g_file_test(path, G_FILE_TEST_IS_DIR))
            add(argv, "--ro-bind", path, path, NULL);
    }
    /* Supermin makes the libguestfs appliance of the machine's packages and kernel. */
    add(argv, "--ro-bind-try", "/boot", "/boot", "--ro-bind-try", "/var/lib/dpkg", "/var/lib/dpkg", NULL);
    /* /usr/share/misc/usb.ids leads here; libosinfo, and so virt-v2v, fails without it. */
    add(argv, "--ro-bind-try", "/var/lib/usbutils", "/var/lib/usbutils", NULL);
    add(argv, "--ro-bind-try", "/sys", "/sys", NULL);
    for (guint i = 0; etc_entries[i]; i++) {
        g_autofree char *path = g_strconcat("/etc/", etc_entries[i], NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            add(argv, "--ro-bind", path, path, NULL);
    }
    add(argv, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run", "--symlink", "../run",
        "/var/run", NULL);
    add(argv, "--symlink", SANDBOX_HOSTS, "/etc/hosts",
        NULL); /* in a directory, so that it can be replaced whole */
    add(argv, "--dir", "/root", "--dir", "/var/lib", "--dir", "/var/log", "--dir", "/var/cache", NULL);
    /* Own programs go here, as a mount point cannot be made in the machine's read-only /usr. */
    add(argv, "--tmpfs", "/usr/local", "--dir", "/usr/local/bin", "--dir", "/usr/local/share", NULL);
}

static gboolean is_inside(const char *path, const char *directory)
{
    gsize len = strlen(directory);
    return !strncmp(path, directory, len) && path[len] == '/';
}

/* The deepest directory of the machine that the sandbox shows read-only and in which dest would have to be
 * made; NULL when dest can be made, or is there already. */
static char *closed_parent(const char *dest)
{
    static const char *const closed[] = {"/usr", "/boot", "/var/lib/dpkg", "/sys"};
    g_autofree char *parent = g_path_get_dirname(dest);

    if (g_file_test(dest, G_FILE_TEST_EXISTS) || is_inside(dest, "/usr/local"))
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(closed); i++) {
        if (!is_inside(dest, closed[i]))
            continue;
        while (!g_file_test(parent, G_FILE_TEST_IS_DIR)) {
            char *up = g_path_get_dirname(parent);
            g_free(parent);
            parent = up;
        }
        return g_steal_pointer(&parent);
    }
    return NULL;
}

/* Makes directory writable for mount points: it becomes an own one, full of links to what the machine has
 * there. */
static void open_directory(GPtrArray *argv, const char *directory, GHashTable *opened)
{
    g_autofree char *below = g_strconcat("/.machine", directory, NULL);
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    if (!g_hash_table_add(opened, g_strdup(directory)))
        return;
    add(argv, "--ro-bind", directory, below, "--tmpfs", directory, NULL);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *target = g_build_filename(below, name, NULL);
        g_autofree char *link = g_build_filename(directory, name, NULL);
        add(argv, "--symlink", target, link, NULL);
    }
}

typedef struct {
    const SandboxMount *mount; /* one of the two */
    const SandboxFile *file;
    guint file_index;
    const char *dest;
} Entry;

static gint shallow_first(gconstpointer a, gconstpointer b)
{
    const Entry *left = a, *right = b;
    guint depth[2] = {0, 0};

    for (const char *c = left->dest; *c; c++)
        depth[0] += *c == '/';
    for (const char *c = right->dest; *c; c++)
        depth[1] += *c == '/';
    return depth[0] != depth[1] ? (depth[0] < depth[1] ? -1 : 1) : strcmp(left->dest, right->dest);
}

static void add_entry(GPtrArray *argv, const Entry *entry)
{
    if (entry->mount) {
        const char *how = entry->mount->device      ? "--dev-bind"
                          : entry->mount->read_only ? "--ro-bind"
                                                    : "--bind";
        add(argv, how, entry->mount->source, entry->dest, NULL);
        return;
    }
    g_autofree char *mode = g_strdup_printf("%04o", entry->file->mode);
    g_autofree char *fd = g_strdup_printf("%u", SANDBOX_FIRST_FILE_FD + entry->file_index);
    add(argv, "--perms", mode, "--ro-bind-data", fd, entry->dest, NULL);
}

static void add_entries(GPtrArray *argv, const SandboxSpec *spec)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(Entry));
    g_autoptr(GHashTable) opened = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < spec->mounts->len; i++) {
        Entry entry = {.mount = spec->mounts->pdata[i]};
        entry.dest = entry.mount->dest;
        g_array_append_val(entries, entry);
    }
    for (guint i = 0; i < spec->files->len; i++) {
        Entry entry = {.file = spec->files->pdata[i], .file_index = i};
        entry.dest = entry.file->dest;
        g_array_append_val(entries, entry);
    }
    g_array_sort(entries, shallow_first);
    for (guint i = 0; i < entries->len; i++) {
        Entry *entry = &g_array_index(entries, Entry, i);
        g_autofree char *parent = closed_parent(entry->dest);
        if (parent)
            open_directory(argv, parent, opened);
        add_entry(argv, entry);
    }
}

char **sandbox_argv(const SandboxSpec *spec)
{
    GPtrArray *argv = g_ptr_array_new();
    g_autofree char *status_fd = g_strdup_printf("%d", SANDBOX_STATUS_FD);

    add(argv, "bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", spec->hostname, NULL);
    add(argv, "--new-session", "--json-status-fd", status_fd, NULL);
    if (!spec->privileged && geteuid() == 0) {
        add(argv, "--cap-drop", "ALL", NULL);
        for (guint i = 0; sandbox_capabilities[i]; i++)
            add(argv, "--cap-add", sandbox_capabilities[i], NULL);
    }
    add_machine(argv);
    add_entries(argv, spec);
    add(argv, "--chdir", spec->directory ? spec->directory : "/", "--", NULL);
    for (guint i = 0; spec->command[i]; i++)
        add(argv, spec->command[i], NULL);
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

/* --- processes --- */

guint64 process_start_time(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;

    if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    char *end = strrchr(text, ')'); /* the name before may hold anything */
    if (!end)
        return 0;
    g_auto(GStrv) fields = g_strsplit(end + 1, " ", 24); /* fields[1] is the state, field 3 of proc(5) */
    if (g_strv_length(fields) < 21 || *fields[1] == 'Z')
        return 0;
    return g_ascii_strtoull(fields[20], NULL, 10);
}

static pid_t parent_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    int parent = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    char *end = strrchr(text, ')');
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* The mark in the environment that a process was started with, or NULL. */
static char *mark_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/environ", (int)pid);
    g_autofree char *text = NULL;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, NULL))
        return NULL;
    for (gsize at = 0; at < size; at += strlen(text + at) + 1)
        if (g_str_has_prefix(text + at, MARK_VARIABLE))
            return g_strdup(text + at + strlen(MARK_VARIABLE));
    return NULL;
}

typedef void (*ProcessVisit)(pid_t pid, gpointer user_data);

static void each_process(ProcessVisit visit, gpointer user_data)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_ascii_isdigit(*name))
            visit(atoi(name), user_data);
}

static void in_child(gpointer user_data)
{
    struct rlimit no_core = {0, 0}, pinned = {256 << 20, 256 << 20};

    setsid();                           /* Ctrl-C on `gantry up` is not for the containers */
    setrlimit(RLIMIT_CORE, &no_core);   /* a core file could hold a secret */
    setrlimit(RLIMIT_MEMLOCK, &pinned); /* for registered io_uring buffers; may be refused */
}

static int memory_file(GBytes *data, GError **error)
{
    gsize size, done = 0;
    const char *bytes = g_bytes_get_data(data, &size);
    int fd = memfd_create("gantry-volume", MFD_CLOEXEC);

    while (fd >= 0 && done < size) {
        gssize n = write(fd, bytes + done, size - done);
        if (n < 0)
            break;
        done += n;
    }
    if (fd < 0 || done < size || lseek(fd, 0, SEEK_SET) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "keeping a volume's file in memory: %s",
                    g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int open_for(const char *path, int flags, GError **error)
{
    int fd = open(path, flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", path, g_strerror(errno));
    return fd;
}

/* Hands the launcher everything that the sandbox gets by descriptor. */
static gboolean give_descriptors(GSubprocessLauncher *launcher, const SandboxSpec *spec, const char *log_path,
                                 const char *status_path, GError **error)
{
    int log = open_for(log_path, O_APPEND, error);
    if (log < 0)
        return FALSE;
    g_subprocess_launcher_take_stdout_fd(launcher, log);
    g_subprocess_launcher_take_stderr_fd(launcher, dup(log));

    int status = open_for(status_path, O_TRUNC, error);
    if (status < 0)
        return FALSE;
    g_subprocess_launcher_take_fd(launcher, status, SANDBOX_STATUS_FD);

    for (guint i = 0; i < spec->files->len; i++) {
        SandboxFile *file = spec->files->pdata[i];
        int fd = memory_file(file->data, error);
        if (fd < 0)
            return FALSE;
        g_subprocess_launcher_take_fd(launcher, fd, SANDBOX_FIRST_FILE_FD + i);
    }
    return TRUE;
}

gboolean sandbox_start(const SandboxSpec *spec, const char *log_path, const char *status_path,
                       Sandbox *sandbox, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_auto(GStrv) argv = sandbox_argv(spec);
    g_autofree char *mark = g_strconcat(MARK_VARIABLE, spec->mark, NULL);
    g_autoptr(GPtrArray) environment = g_ptr_array_new();
    g_autoptr(GSubprocess) process = NULL;
    Sandbox started = {0};

    if (!give_descriptors(launcher, spec, log_path, status_path, error))
        return FALSE;
    g_ptr_array_add(environment, mark);
    for (guint i = 0; spec->environment && spec->environment[i]; i++)
        g_ptr_array_add(environment, spec->environment[i]);
    g_ptr_array_add(environment, NULL);
    g_subprocess_launcher_set_environ(launcher, (char **)environment->pdata);
    g_subprocess_launcher_set_child_setup(launcher, in_child, NULL, NULL);

    process = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, error);
    if (!process)
        return FALSE;
    const char *pid = g_subprocess_get_identifier(process);
    started.outer = pid ? atoi(pid) : 0; /* NULL: it is gone already, and its status file says how */
    started.outer_start = process_start_time(started.outer);
    *sandbox = started;
    return TRUE;
}

/* The integer after "key": in any of the documents that bubblewrap appended; -1 when there is none. */
static gint64 status_value(const char *path, const char *key)
{
    g_autofree char *text = NULL;
    g_autofree char *quoted = g_strdup_printf("\"%s\"", key);

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return -1;
    const char *at = strstr(text, quoted);
    if (!at)
        return -1;
    at += strlen(quoted);
    at += strspn(at, " :");
    return g_ascii_isdigit(*at) ? g_ascii_strtoll(at, NULL, 10) : -1;
}

void sandbox_refresh(Sandbox *sandbox, const char *status_path, const char *mark)
{
    if (sandbox->inner)
        return;
    gint64 pid = status_value(status_path, "child-pid");
    if (pid <= 0)
        return;
    g_autofree char *found = mark_of(pid);
    if (g_strcmp0(found, mark))
        return;
    sandbox->inner = pid;
    sandbox->inner_start = process_start_time(pid);
}

static gboolean same_process(pid_t pid, guint64 start)
{
    return pid > 0 && start && process_start_time(pid) == start;
}

gboolean sandbox_alive(const Sandbox *sandbox)
{
    return same_process(sandbox->outer, sandbox->outer_start) ||
           same_process(sandbox->inner, sandbox->inner_start);
}

int sandbox_exit_code(const char *status_path)
{
    return status_value(status_path, "exit-code");
}

typedef struct {
    pid_t parent, child;
} Search;

static void match_child(pid_t pid, gpointer user_data)
{
    Search *search = user_data;
    if (parent_of(pid) == search->parent && (!search->child || pid < search->child))
        search->child = pid;
}

pid_t sandbox_main_process(const Sandbox *sandbox)
{
    Search search = {.parent = sandbox->inner};

    if (!same_process(sandbox->inner, sandbox->inner_start))
        return 0;
    each_process(match_child, &search);
    return search.child;
}

gboolean sandbox_signal(const Sandbox *sandbox, int signal)
{
    if (signal == SIGKILL) {
        if (same_process(sandbox->inner, sandbox->inner_start))
            return kill(sandbox->inner, SIGKILL) == 0; /* process 1: the kernel ends the others */
        return same_process(sandbox->outer, sandbox->outer_start) && kill(sandbox->outer, SIGKILL) == 0;
    }
    pid_t first = sandbox_main_process(sandbox); /* process 1 is bubblewrap's and ignores signals */
    return first && kill(first, signal) == 0;
}

typedef struct {
    const char *prefix;
    gboolean (*keep)(const char *mark, gpointer user_data);
    gpointer user_data;
    guint ended;
} Sweep;

static void end_stranger(pid_t pid, gpointer user_data)
{
    Sweep *sweep = user_data;
    g_autofree char *mark = mark_of(pid);

    if (!mark || !g_str_has_prefix(mark, sweep->prefix) || sweep->keep(mark, sweep->user_data))
        return;
    if (kill(pid, SIGKILL) == 0)
        sweep->ended++;
}

guint sandbox_end_strangers(const char *prefix, gboolean (*keep)(const char *mark, gpointer user_data),
                            gpointer user_data)
{
    Sweep sweep = {prefix, keep, user_data, 0};
    each_process(end_stranger, &sweep);
    return sweep.ended;
}
