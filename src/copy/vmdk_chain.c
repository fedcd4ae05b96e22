/* vmdk_chain: opens the layers, looks bytes up from the youngest down, and reads what was found in few
 * pieces. */
#include "copy/vmdk_chain.h"
#include "copy/vmdk_descriptor.h"
#include "copy/vmdk_grains.h"
#include <string.h>

#define TABLE_BUDGET ((gsize)6 << 20) /* bytes of tables that are kept */
#define ALONE        (128 * 1024)     /* a run of so many bytes is worth a request of its own */
#define GATHERED     (1024 * 1024)    /* at most so many bytes are gathered from smaller ones */
#define SKIPPED      (32 * 1024)      /* reading so many bytes in vain is cheaper than another request */

typedef struct {
    VmdkExtentKind kind;
    guint64 start, size; /* in the disk */
    guint64 offset;      /* of FLAT: into the file */
    VmdkFile *file;      /* NULL for ZERO */
    VmdkGrains *grains;  /* of sparse kinds */
} Part;

typedef struct {
    guint32 cid;
    guint64 size;
    char *create_type;
    GArray *parts; /* of Part */
} Layer;

struct VmdkChain {
    VmdkStore *store;
    GPtrArray *layers; /* of Layer, youngest first */
    TableCache *cache;
};

/* ---- opening ----------------------------------------------------------------------------------- */

static void part_clear(gpointer data)
{
    Part *part = data;
    g_free(part->grains);
    vmdk_file_close(part->file);
}

static void layer_free(gpointer data)
{
    Layer *layer = data;
    g_array_unref(layer->parts);
    g_free(layer->create_type);
    g_free(layer);
}

void vmdk_chain_free(VmdkChain *chain)
{
    if (!chain)
        return;
    g_ptr_array_unref(chain->layers);
    table_cache_free(chain->cache);
    g_free(chain);
}

static const VmdkFormat *format_of(VmdkExtentKind kind)
{
    return kind == VMDK_VMFS_SPARSE ? &vmdk_cowd : kind == VMDK_SE_SPARSE ? &vmdk_sesparse : &vmdk_hosted;
}

static gboolean open_flat(Part *part, GError **error)
{
    if (part->offset <= part->file->size && part->size <= part->file->size - part->offset)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_DISK_DESCRIPTOR,
                "%s has %" G_GUINT64_FORMAT " bytes, but the descriptor says %" G_GUINT64_FORMAT,
                part->file->name, part->file->size, part->offset + part->size);
    return FALSE;
}

static gboolean open_part(VmdkChain *chain, Layer *layer, const VmdkExtent *extent, const char *name,
                          GCancellable *cancel, GError **error)
{
    Part *part;
    g_autofree char *file = NULL;

    g_array_set_size(layer->parts, layer->parts->len + 1);
    part = &g_array_index(layer->parts, Part, layer->parts->len - 1);
    *part =
        (Part){.kind = extent->kind, .start = layer->size, .size = extent->size, .offset = extent->offset};
    layer->size += extent->size;
    if (extent->kind == VMDK_ZERO)
        return TRUE;
    if (strstr(extent->file, "://")) { /* "vsan://…", "vvol://…" */
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "%s is no file: its data are the object %s, which is not read over HTTPS", name,
                    extent->file);
        return FALSE;
    }
    if (!(file = chain->store->type->resolve(chain->store, name, extent->file, error)) ||
        !(part->file = chain->store->type->open(chain->store, file, cancel, error)))
        return FALSE;
    if (extent->kind == VMDK_FLAT)
        return open_flat(part, error);
    part->grains = vmdk_grains_open(format_of(extent->kind), part->file, part->size, cancel, error);
    return part->grains != NULL;
}

/* The descriptor inside a monolithic sparse file. */
static VmdkDescriptor *read_embedded(VmdkFile *file, GCancellable *cancel, GError **error)
{
    guint8 header[512] = {0};
    guint64 at, size;
    gsize done = 0;
    g_autofree guint8 *text = NULL;

    if (file->size >= sizeof header &&
        !file->store->type->read(file, 0, sizeof header, header, &done, cancel, error))
        return NULL;
    at = vmdk_u64(header + 28);
    size = vmdk_u64(header + 36);
    if (memcmp(header, "KDMV", 4) || !at || !size || at > file->size / 512 ||
        size > VMDK_DESCRIPTOR_LIMIT / 512 || size * 512 > file->size - at * 512) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "%s is neither a descriptor nor a sparse disk with one inside", file->name);
        return NULL;
    }
    text = g_malloc(size * 512);
    done = 0;
    return file->store->type->read(file, at * 512, size * 512, text, &done, cancel, error)
               ? vmdk_descriptor_parse((const char *)text, size * 512, error)
               : NULL;
}

static VmdkDescriptor *read_descriptor(VmdkStore *store, const char *name, GCancellable *cancel,
                                       GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(GBytes) text = store->type->get(store, name, VMDK_DESCRIPTOR_LIMIT, cancel, &failed);
    g_autoptr(VmdkFile) file = NULL;
    gsize size = 0;
    const char *data = text ? g_bytes_get_data(text, &size) : NULL;

    if (text && (size < 4 || memcmp(data, "KDMV", 4)))
        return vmdk_descriptor_parse(data, size, error);
    if (!text && !g_error_matches(failed, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    file = store->type->open(store, name, cancel, error);
    return file ? read_embedded(file, cancel, error) : NULL;
}

static gboolean open_layer(VmdkChain *chain, const VmdkDescriptor *descriptor, const char *name,
                           GCancellable *cancel, GError **error)
{
    Layer *layer = g_new0(Layer, 1);

    layer->cid = descriptor->cid;
    layer->create_type = g_strdup(descriptor->create_type ? descriptor->create_type : "(none)");
    layer->parts = g_array_new(FALSE, TRUE, sizeof(Part));
    g_array_set_clear_func(layer->parts, part_clear);
    g_ptr_array_add(chain->layers, layer);
    for (guint i = 0; i < descriptor->extents->len; i++)
        if (!open_part(chain, layer, descriptor->extents->pdata[i], name, cancel, error))
            return FALSE;
    return TRUE;
}

static gboolean broken(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean broken(GError **error, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, GANTRY_ERROR, ERROR_DISK_CHAIN, what);
    return FALSE;
}

/* The name of the layer below, or NULL with an error. */
static char *name_parent(VmdkStore *store, const VmdkDescriptor *child, const char *name,
                         const char *const *parents, guint depth, GError **error)
{
    if (parents && depth < g_strv_length((char **)parents))
        return g_strdup(parents[depth]);
    if (child->parent)
        return store->type->resolve(store, name, child->parent, error);
    broken(error, "%s is a snapshot's delta, but names no parent disk", name);
    return NULL;
}

static gboolean open_layers(VmdkChain *chain, const char *name, guint64 size, const char *const *parents,
                            GCancellable *cancel, GError **error)
{
    g_autofree char *at = g_strdup(name);
    g_autoptr(VmdkDescriptor) descriptor = read_descriptor(chain->store, at, cancel, error);

    if (descriptor && size && descriptor->size != size) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_DESCRIPTOR,
                    "%s: its descriptor says %" G_GUINT64_FORMAT
                    " bytes, the VM's configuration %" G_GUINT64_FORMAT,
                    name, descriptor->size, size);
        return FALSE;
    }

    while (descriptor) {
        g_autoptr(VmdkDescriptor) child = g_steal_pointer(&descriptor);
        g_autofree char *parent = NULL;

        if (!open_layer(chain, child, at, cancel, error))
            return FALSE;
        if (child->parent_cid == VMDK_NO_PARENT)
            return TRUE;
        if (chain->layers->len >= VMDK_MOST_LAYERS)
            return broken(error, "%s has more than %d layers: one of them may be its own parent", name,
                          VMDK_MOST_LAYERS);
        if (!(parent = name_parent(chain->store, child, at, parents, chain->layers->len - 1, error)) ||
            !(descriptor = read_descriptor(chain->store, parent, cancel, error)))
            g_prefix_error(error, "the parent of %s: ", at);
        else if (descriptor->cid != child->parent_cid)
            return broken(error,
                          "%s was made over %s with the content id %08x, which is %08x now: the parent was "
                          "written to, or is another disk",
                          at, parent, child->parent_cid, descriptor->cid);
        g_free(at);
        at = g_steal_pointer(&parent);
    }
    return FALSE;
}

VmdkChain *vmdk_chain_open(VmdkStore *store, const char *name, guint64 size, const char *const *parents,
                           GCancellable *cancel, GError **error)
{
    g_autoptr(VmdkChain) chain = g_new0(VmdkChain, 1);

    chain->store = store;
    chain->layers = g_ptr_array_new_with_free_func(layer_free);
    chain->cache = table_cache_new(TABLE_BUDGET);
    return open_layers(chain, name, size, parents, cancel, error) ? g_steal_pointer(&chain) : NULL;
}

guint64 vmdk_chain_size(const VmdkChain *chain)
{
    return ((const Layer *)chain->layers->pdata[0])->size;
}

char *vmdk_chain_describe(const VmdkChain *chain)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%u layer%s (", chain->layers->len, chain->layers->len == 1 ? "" : "s");
    for (guint i = 0; i < chain->layers->len; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "",
                               ((const Layer *)chain->layers->pdata[i])->create_type);
    g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}

json_t *vmdk_chain_identity(const VmdkChain *chain)
{
    json_t *layers = json_array();

    for (guint i = 0; i < chain->layers->len; i++) {
        const Layer *layer = chain->layers->pdata[i];
        json_t *files = json_array();

        for (guint j = 0; j < layer->parts->len; j++) {
            const Part *part = &g_array_index(layer->parts, Part, j);
            if (part->file)
                json_array_append_new(files, chain->store->type->identity(part->file));
        }
        json_array_append_new(layers, json_pack("{s:I,s:o}", "cid", (json_int_t)layer->cid, "files", files));
    }
    return layers;
}

/* ---- looking up -------------------------------------------------------------------------------- */

static gboolean look(VmdkChain *chain, guint depth, guint64 start, guint64 size, GArray *runs,
                     GCancellable *cancel, GError **error);

/* What a sparse part has, and for what it lacks the layers below. */
static gboolean look_in_grains(VmdkChain *chain, guint depth, const Part *part, guint64 start, guint64 size,
                               GArray *runs, GCancellable *cancel, GError **error)
{
    g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(VmdkRun));

    if (!vmdk_grains_find(part->grains, chain->cache, start - part->start, size, part->start, own, cancel,
                          error))
        return FALSE;
    for (guint i = 0; i < own->len; i++) {
        const VmdkRun *run = &g_array_index(own, VmdkRun, i);

        if (run->kind != VMDK_ABSENT)
            vmdk_run_add(runs, run);
        else if (!look(chain, depth + 1, run->start, run->size, runs, cancel, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean look_in_part(VmdkChain *chain, guint depth, const Part *part, guint64 start, guint64 size,
                             GArray *runs, GCancellable *cancel, GError **error)
{
    VmdkRun run = {.kind = part->file ? VMDK_DATA : VMDK_ZEROS,
                   .start = start,
                   .size = size,
                   .file = part->file,
                   .offset = part->offset + (start - part->start)};

    if (part->grains)
        return look_in_grains(chain, depth, part, start, size, runs, cancel, error);
    vmdk_run_add(runs, &run);
    return TRUE;
}

static gboolean look(VmdkChain *chain, guint depth, guint64 start, guint64 size, GArray *runs,
                     GCancellable *cancel, GError **error)
{
    const Layer *layer = depth < chain->layers->len ? chain->layers->pdata[depth] : NULL;
    VmdkRun rest = {.kind = VMDK_ZEROS};

    for (guint i = 0; layer && i < layer->parts->len && size; i++) {
        const Part *part = &g_array_index(layer->parts, Part, i);
        guint64 piece;

        if (start >= part->start + part->size)
            continue;
        piece = MIN(size, part->start + part->size - start);
        if (!look_in_part(chain, depth, part, start, piece, runs, cancel, error))
            return FALSE;
        start += piece;
        size -= piece;
    }
    rest.start = start;
    rest.size = size;
    if (size) /* below the last layer, and past the end of a parent that is smaller */
        vmdk_run_add(runs, &rest);
    return TRUE;
}

gboolean vmdk_chain_extents(VmdkChain *chain, guint64 start, guint64 size, GArray *extents,
                            GCancellable *cancel, GError **error)
{
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(VmdkRun));

    if (!look(chain, 0, start, size, runs, cancel, error))
        return FALSE;
    for (guint i = 0; i < runs->len; i++) {
        const VmdkRun *run = &g_array_index(runs, VmdkRun, i);
        Extent extent = {run->start, run->size, run->kind == VMDK_ZEROS};
        Extent *last = extents->len ? &g_array_index(extents, Extent, extents->len - 1) : NULL;

        if (last && last->zero == extent.zero && last->start + last->size == extent.start)
            last->size += extent.size;
        else
            g_array_append_val(extents, extent);
    }
    return TRUE;
}

/* ---- reading ----------------------------------------------------------------------------------- */

static gint by_place(gconstpointer a, gconstpointer b)
{
    const VmdkRun *left = *(VmdkRun *const *)a, *right = *(VmdkRun *const *)b;

    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static gboolean read_run(const VmdkRun *run, guint8 *into, gsize *done, GCancellable *cancel, GError **error)
{
    return run->file->store->type->read(run->file, run->offset, run->size, into, done, cancel, error);
}

/* Runs of one file that lie close together, by one request; disk_start is where buffer begins. */
static gboolean read_group(VmdkRun *const *runs, guint len, guint64 disk_start, guint8 *buffer,
                           GCancellable *cancel, GError **error)
{
    const VmdkRun *first = runs[0], *last = runs[len - 1];
    VmdkRun whole = {.file = first->file, .offset = first->offset};
    g_autofree guint8 *bytes = NULL;
    gsize done = 0;

    if (len == 1)
        return read_run(first, buffer + (first->start - disk_start), &done, cancel, error);
    whole.size = last->offset + last->size - first->offset;
    bytes = g_malloc(whole.size);
    if (!read_run(&whole, bytes, &done, cancel, error))
        return FALSE;
    for (guint i = 0; i < len; i++)
        memcpy(buffer + (runs[i]->start - disk_start), bytes + (runs[i]->offset - first->offset),
               runs[i]->size);
    return TRUE;
}

/* runs may overlap in the file only if its tables name a grain twice: then a group ends. */
static gboolean belongs(const VmdkRun *first, const VmdkRun *last, const VmdkRun *next)
{
    return next->file == last->file && next->offset >= last->offset + last->size &&
           next->offset - (last->offset + last->size) <= SKIPPED &&
           next->offset + next->size - first->offset <= GATHERED;
}

/* Small runs and gaps, gathered from all over the files. */
static gboolean read_scattered(const VmdkRun *runs, guint len, guint8 *buffer, GCancellable *cancel,
                               GError **error)
{
    g_autoptr(GPtrArray) data = g_ptr_array_new();
    const guint64 start = runs[0].start;

    for (guint i = 0; i < len; i++)
        if (runs[i].kind == VMDK_DATA)
            g_ptr_array_add(data, (gpointer)&runs[i]);
        else
            memset(buffer + (runs[i].start - start), 0, runs[i].size);
    g_ptr_array_sort(data, by_place);
    for (guint i = 0, end; i < data->len; i = end) {
        for (end = i + 1; end < data->len && belongs(data->pdata[i], data->pdata[end - 1], data->pdata[end]);
             end++)
            ;
        if (!read_group((VmdkRun *const *)data->pdata + i, end - i, start, buffer, cancel, error))
            return FALSE;
    }
    return TRUE;
}

gboolean vmdk_chain_read(VmdkChain *chain, guint64 start, gsize size, guint8 *buffer, gsize *done,
                         GCancellable *cancel, GError **error)
{
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(VmdkRun));

    if (!look(chain, 0, start + *done, size - *done, runs, cancel, error))
        return FALSE;
    for (guint i = 0, end; i < runs->len; i = end) {
        const VmdkRun *first = &g_array_index(runs, VmdkRun, i), *run = first;
        guint8 *into = buffer + (first->start - start);
        gsize got = 0, gathered = 0;
        gboolean good;

        for (end = i; end < runs->len && (run = &g_array_index(runs, VmdkRun, end))->size < ALONE &&
                      gathered + run->size <= GATHERED;
             end++)
            gathered += run->size;
        if (end == i && first->kind == VMDK_DATA) {
            good = read_run(first, into, &got, cancel, error);
            end++;
        } else {
            end = MAX(end, i + 1);
            run = &g_array_index(runs, VmdkRun, end - 1);
            good = read_scattered(first, end - i, into, cancel, error);
            got = good ? run->start + run->size - first->start : 0;
        }
        *done += got;
        if (!good)
            return FALSE;
    }
    return TRUE;
}
