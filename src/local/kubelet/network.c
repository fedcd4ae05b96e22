/* network: a /16 block of addresses of this machine. */
#include "local/kubelet/network.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_BLOCK = 65, LAST_BLOCK = 126, FIRST_POD = 2, FIRST_SERVICE = 192 << 8, LAST = 0xfffe };

struct Network {
    char *directory;
    char *prefix; /* "127.65": the upper 16 bits */
    int lock;     /* the abstract socket that holds a block of loopback addresses; -1: none */
    GMutex mutex;
    GHashTable *taken; /* of GUINT: the lower 16 bits */
    guint next_pod, next_service;
};

/* An abstract socket is gone with its process, so nothing has to be cleaned up. -1: another process holds the
 * block. */
static int hold(int block)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int len = g_snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "gantry-network-%d", block);

    if (fd >= 0 &&
        bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + len) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Whether anybody listens there, as the Pods of a `gantry up` that was killed do. /proc/net/tcp writes
 * addresses as little-endian hexadecimal numbers. */
static gboolean in_use(int block)
{
    g_autofree char *text = NULL;
    g_autofree char *wanted = g_strdup_printf("%02X7F:", block);

    if (!g_file_get_contents("/proc/net/tcp", &text, NULL, NULL))
        return FALSE;
    return strstr(text, wanted) != NULL;
}

static int read_block(const char *path)
{
    g_autofree char *text = NULL;
    guint64 block;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    return g_ascii_string_to_unsigned(g_strstrip(text), 10, FIRST_BLOCK, LAST_BLOCK, &block, NULL)
               ? (int)block
               : 0;
}

static gboolean choose(Network *network, const char *path, GError **error)
{
    guint count = LAST_BLOCK - FIRST_BLOCK + 1, start = g_str_hash(path) % count;

    for (guint i = 0; i < count; i++) {
        int block = FIRST_BLOCK + (start + i) % count;
        g_autofree char *text = g_strdup_printf("%d\n", block);
        if (in_use(block) || (network->lock = hold(block)) < 0)
            continue;
        network->prefix = g_strdup_printf("127.%d", block);
        return g_file_set_contents(path, text, -1, error);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_IO,
                "all of 127.%d.0.0/16 to 127.%d.0.0/16 are used by other data directories", FIRST_BLOCK,
                LAST_BLOCK);
    return FALSE;
}

static gboolean open_block(Network *network, GError **error)
{
    g_autofree char *path = g_build_filename(network->directory, "block", NULL);
    int block = read_block(path);

    if (block && (network->lock = hold(block)) >= 0) {
        network->prefix = g_strdup_printf("127.%d", block);
        return TRUE;
    }
    return choose(network, path, error);
}

/* An address that is not this machine's cannot be bound. */
static gboolean is_here(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(text)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return bound;
}

static gboolean use_given(Network *network, const char *given, GError **error)
{
    guint high, low;
    int end = 0;

    if (sscanf(given, "%3u.%3u.0.0/16%n", &high, &low, &end) != 2 || !end || given[end] || !high ||
        high > 223 || low > 255) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the Pods' addresses '%s' must be a block of the form 10.97.0.0/16", given);
        return FALSE;
    }
    network->prefix = g_strdup_printf("%u.%u", high, low);
    g_autofree char *first = g_strdup_printf("%s.0.%d", network->prefix, FIRST_POD);
    if (is_here(first))
        return TRUE;
    g_set_error(
        error, GANTRY_ERROR, ERROR_BAD_INPUT,
        "%s is no address of this machine; 'ip route add local %s dev lo' makes the whole block its own",
        first, given);
    return FALSE;
}

Network *network_open(const char *data, const char *given, GError **error)
{
    g_autoptr(Network) network = g_new0(Network, 1);

    network->lock = -1;
    network->taken = g_hash_table_new(NULL, NULL);
    network->directory = g_build_filename(data, "network", NULL);
    network->next_pod = FIRST_POD;
    network->next_service = FIRST_SERVICE + 1;
    g_mutex_init(&network->mutex);
    if (g_mkdir_with_parents(network->directory, 0755) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", network->directory, g_strerror(errno));
        return NULL;
    }
    if (given ? !use_given(network, given, error) : !open_block(network, error))
        return NULL;
    return g_steal_pointer(&network);
}

void network_free(Network *network)
{
    if (network->lock >= 0)
        close(network->lock);
    g_hash_table_unref(network->taken);
    g_mutex_clear(&network->mutex);
    g_free(network->prefix);
    g_free(network->directory);
    g_free(network);
}

static char *take(Network *network, guint *next, guint first, guint last)
{
    char *address = NULL;

    g_mutex_lock(&network->mutex);
    for (guint i = 0; i <= last - first && !address; i++) {
        guint candidate = *next;
        *next = *next >= last ? first : *next + 1;
        if ((candidate & 0xff) == 0 || (candidate & 0xff) == 0xff ||
            !g_hash_table_add(network->taken, GUINT_TO_POINTER(candidate)))
            continue;
        address = g_strdup_printf("%s.%u.%u", network->prefix, candidate >> 8, candidate & 0xff);
    }
    g_mutex_unlock(&network->mutex);
    return address;
}

char *network_take_pod(Network *network)
{
    return take(network, &network->next_pod, FIRST_POD, FIRST_SERVICE - 1);
}
char *network_take_service(Network *network)
{
    return take(network, &network->next_service, FIRST_SERVICE + 1, LAST);
}

static guint parse(const Network *network, const char *address)
{
    gsize len = strlen(network->prefix);
    struct in_addr parsed;

    if (strncmp(address, network->prefix, len) || address[len] != '.' ||
        inet_pton(AF_INET, address, &parsed) != 1)
        return 0;
    return ntohl(parsed.s_addr) & 0xffff;
}

gboolean network_keep(Network *network, const char *address)
{
    guint low = parse(network, address);

    if (!low)
        return FALSE;
    g_mutex_lock(&network->mutex);
    g_hash_table_add(network->taken, GUINT_TO_POINTER(low));
    guint *next = low >= FIRST_SERVICE ? &network->next_service : &network->next_pod;
    *next = MAX(*next, low + 1);
    g_mutex_unlock(&network->mutex);
    return TRUE;
}

void network_release(Network *network, const char *address)
{
    g_mutex_lock(&network->mutex);
    g_hash_table_remove(network->taken, GUINT_TO_POINTER(parse(network, address)));
    g_mutex_unlock(&network->mutex);
}

const char *network_directory(const Network *network)
{
    return network->directory;
}
