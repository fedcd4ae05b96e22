/* assets: files in memory-mapped form, with the headers that browsers keep them by. */
#include "console/assets.h"
#include <string.h>

enum { MOST_DEPTH = 4 };

#define MOST_SIZE (64 << 20)

typedef struct {
    GBytes *bytes;
    char *etag;
    const char *content_type;
    gboolean immutable;
} Asset;

struct Assets {
    GHashTable *files; /* "/assets/index-abc.js" → Asset */
    gsize size;
};

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *path)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_has_suffix(path, types[i].suffix))
            return types[i].type;
    return "application/octet-stream";
}

static void asset_free(Asset *asset)
{
    g_bytes_unref(asset->bytes);
    g_free(asset->etag);
    g_free(asset);
}

static void add(Assets *assets, const char *path, GBytes *bytes)
{
    Asset *asset = g_new0(Asset, 1);
    g_autofree char *hash = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);

    asset->bytes = g_bytes_ref(bytes);
    asset->etag = g_strdup_printf("\"%.32s\"", hash);
    asset->content_type = type_of(path);
    asset->immutable = g_str_has_prefix(path, "/assets/");
    g_hash_table_insert(assets->files, g_strdup(path), asset);
}

static gboolean load_file(Assets *assets, const char *file, const char *path, GError **error)
{
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(file, FALSE, error);
    g_autoptr(GBytes) bytes = NULL;

    if (!mapped)
        return FALSE;
    assets->size += g_mapped_file_get_length(mapped);
    if (assets->size > MOST_SIZE) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: the bundle is larger than 64 MiB", file);
        return FALSE;
    }
    bytes = g_mapped_file_get_bytes(mapped);
    add(assets, path, bytes);
    return TRUE;
}

static gboolean load_dir(Assets *assets, const char *dir, const char *prefix, int depth, GError **error)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, error);
    const char *name;

    if (!entries)
        return FALSE;
    while ((name = g_dir_read_name(entries))) {
        g_autofree char *file = g_build_filename(dir, name, NULL);
        g_autofree char *path = g_strconcat(prefix, "/", name, NULL);
        gboolean loaded;

        if (name[0] == '.')
            continue;
        if (g_file_test(file, G_FILE_TEST_IS_DIR))
            loaded = depth >= MOST_DEPTH || load_dir(assets, file, path, depth + 1, error);
        else
            loaded = load_file(assets, file, path, error);
        if (!loaded)
            return FALSE;
    }
    return TRUE;
}

static Assets *assets_new(void)
{
    Assets *assets = g_new0(Assets, 1);
    assets->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)asset_free);
    return assets;
}

Assets *assets_load(const char *dir, GError **error)
{
    g_autoptr(Assets) assets = assets_new();
    g_autofree char *index = g_build_filename(dir, "index.html", NULL);

    if (!g_file_test(index, G_FILE_TEST_EXISTS)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO,
                    "%s has no index.html: build the console with 'npm ci && npm run build' in ui/, or name "
                    "its folder "
                    "with --ui",
                    dir);
        return NULL;
    }
    if (!load_dir(assets, dir, "", 0, error))
        return NULL;
    return g_steal_pointer(&assets);
}

Assets *assets_missing(const char *why)
{
    Assets *assets = assets_new();
    g_autofree char *escaped = g_markup_escape_text(why, -1);
    char *page = g_strdup_printf(
        "<!doctype html><html lang=\"en\"><title>Gantry</title><h1>The console is not built</h1><p>%s</p>\n",
        escaped);
    g_autoptr(GBytes) bytes = g_bytes_new_take(page, strlen(page));

    add(assets, "/index.html", bytes);
    return assets;
}

void assets_free(Assets *assets)
{
    g_hash_table_unref(assets->files);
    g_free(assets);
}

/* A page of the console, as opposed to a file: no dot in its last part, and nothing that the server has
 * another use for. */
static gboolean is_page(const char *path)
{
    return !strchr(strrchr(path, '/'), '.') && !g_str_has_prefix(path, "/assets/");
}

void assets_serve(const Assets *assets, HttpExchange *x)
{
    const char *path = http_exchange_path(x);
    const char *known = http_exchange_header(x, "If-None-Match");
    const Asset *asset = g_hash_table_lookup(assets->files, path);

    if (!asset && is_page(path))
        asset = g_hash_table_lookup(assets->files, "/index.html");
    if (!asset) {
        http_exchange_reply_text(x, 404, "text/plain; charset=utf-8", "There is no such file.\n");
        return;
    }
    http_exchange_add_header(x, "ETag", asset->etag);
    http_exchange_add_header(x, "Cache-Control",
                             asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (known && strstr(known, asset->etag))
        http_exchange_reply(x, 304, NULL, NULL);
    else
        http_exchange_reply(x, 200, asset->content_type, asset->bytes);
}
