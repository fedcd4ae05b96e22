/* vmdk_descriptor: reads the lines; whatever is not understood and not needed is passed over. */
#include "copy/vmdk_descriptor.h"
#include <string.h>

#define EXTENTS_LIMIT 4096
#define SECTORS_LIMIT (G_GUINT64_CONSTANT(1) << 41) /* 1 PiB */

static const struct {
    const char *name;
    VmdkExtentKind kind;
} kinds[] = {
    {"FLAT", VMDK_FLAT},          {"VMFS", VMDK_FLAT},
    {"ZERO", VMDK_ZERO},          {"VMFSSPARSE", VMDK_VMFS_SPARSE},
    {"SESPARSE", VMDK_SE_SPARSE}, {"SPARSE", VMDK_SPARSE},
};

static void extent_free(gpointer data)
{
    VmdkExtent *extent = data;
    g_free(extent->file);
    g_free(extent);
}

void vmdk_descriptor_free(VmdkDescriptor *descriptor)
{
    if (!descriptor)
        return;
    g_free(descriptor->create_type);
    g_free(descriptor->parent);
    g_clear_pointer(&descriptor->extents, g_ptr_array_unref);
    g_free(descriptor);
}

static gboolean fail(GError **error, guint line, const char *what)
{
    g_set_error(error, GANTRY_ERROR, ERROR_DISK_DESCRIPTOR, "VMDK descriptor, line %u: %s", line, what);
    return FALSE;
}

/* Cuts the next blank-separated word, or "quoted text", off the line. NULL at its end; *good turns FALSE at a
 * quote that is not closed. */
static char *next_word(char **line, gboolean *good)
{
    char *word = g_strchug(*line), *end;

    if (!*word)
        return NULL;
    if (*word == '"') {
        end = strchr(++word, '"');
        *good = *good && end;
        if (!end)
            return NULL;
    } else {
        end = word + strcspn(word, " \t");
    }
    *line = *end ? end + 1 : end;
    *end = 0;
    return word;
}

static gboolean parse_extent(VmdkDescriptor *descriptor, char *line, guint number, GError **error)
{
    gboolean good = TRUE;
    char *words[5] = {NULL};
    guint64 sectors, offset = 0;
    VmdkExtent *extent;
    guint kind = 0;

    for (guint i = 0; i < G_N_ELEMENTS(words) && (words[i] = next_word(&line, &good)); i++)
        ;
    if (!good || !words[2])
        return fail(error, number, "an extent is 'ACCESS SECTORS KIND \"FILE\" OFFSET'");
    if (!g_ascii_string_to_unsigned(words[1], 10, 1, SECTORS_LIMIT, &sectors, NULL))
        return fail(error, number, "the extent's number of sectors must be from 1 to 2199023255552");
    while (kind < G_N_ELEMENTS(kinds) && strcmp(kinds[kind].name, words[2]))
        kind++;
    if (kind == G_N_ELEMENTS(kinds))
        return fail(error, number,
                    "the extent's kind is none of FLAT, VMFS, ZERO, VMFSSPARSE, SESPARSE, SPARSE");
    if (kinds[kind].kind != VMDK_ZERO && (!words[3] || !*words[3]))
        return fail(error, number, "the extent names no file");
    if (words[4] && !g_ascii_string_to_unsigned(words[4], 10, 0, SECTORS_LIMIT, &offset, NULL))
        return fail(error, number, "the extent's offset is no number of sectors");
    if (descriptor->extents->len >= EXTENTS_LIMIT || descriptor->size / 512 + sectors > SECTORS_LIMIT)
        return fail(error, number, "more extents than a disk can have");

    extent = g_new0(VmdkExtent, 1);
    extent->kind = kinds[kind].kind;
    extent->size = sectors * 512;
    extent->file = extent->kind == VMDK_ZERO ? NULL : g_strdup(words[3]);
    extent->offset = offset * 512;
    g_ptr_array_add(descriptor->extents, extent);
    descriptor->size += extent->size;
    return TRUE;
}

static char *unquoted(char *value)
{
    gsize len = strlen(value);
    if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
        value[len - 1] = 0;
        value++;
    }
    return g_strdup(value);
}

static gboolean parse_cid(const char *value, guint32 *cid)
{
    guint64 number;
    if (!g_ascii_string_to_unsigned(value, 16, 0, G_MAXUINT32, &number, NULL))
        return FALSE;
    *cid = number;
    return TRUE;
}

static gboolean parse_member(VmdkDescriptor *descriptor, char *line, char *equals, guint number,
                             GError **error)
{
    char *key = g_strstrip((*equals = 0, line)), *value = g_strstrip(equals + 1);

    if (!g_ascii_strcasecmp(key, "CID"))
        return parse_cid(value, &descriptor->cid) ||
               fail(error, number, "CID is no 32-bit hexadecimal number");
    if (!g_ascii_strcasecmp(key, "parentCID"))
        return parse_cid(value, &descriptor->parent_cid) ||
               fail(error, number, "parentCID is no 32-bit hexadecimal number");
    if (!g_ascii_strcasecmp(key, "createType")) {
        g_free(descriptor->create_type);
        descriptor->create_type = unquoted(value);
    } else if (!g_ascii_strcasecmp(key, "parentFileNameHint")) {
        g_free(descriptor->parent);
        descriptor->parent = unquoted(value);
    }
    return TRUE;
}

static gboolean is_extent(const char *line)
{
    return g_str_has_prefix(line, "RW ") || g_str_has_prefix(line, "RDONLY ") ||
           g_str_has_prefix(line, "NOACCESS ");
}

VmdkDescriptor *vmdk_descriptor_parse(const char *text, gsize size, GError **error)
{
    g_autoptr(VmdkDescriptor) descriptor = g_new0(VmdkDescriptor, 1);
    g_autofree char *copy = NULL;
    g_auto(GStrv) lines = NULL;
    gboolean signed_by_its_first_line = FALSE;

    descriptor->extents = g_ptr_array_new_with_free_func(extent_free);
    descriptor->parent_cid = VMDK_NO_PARENT;
    if (size > VMDK_DESCRIPTOR_LIMIT || (size >= 4 && !memcmp(text, "KDMV", 4))) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "the VMDK begins with data, not with a descriptor text: it is no vSphere datastore disk");
        return NULL;
    }
    copy = g_strndup(text, size); /* ends at the padding, where there is one */
    lines = g_strsplit(copy, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        char *line = g_strstrip(lines[i]), *equals;
        gboolean good = TRUE;

        if (g_str_has_prefix(line, "# Disk DescriptorFile"))
            signed_by_its_first_line = TRUE;
        else if (is_extent(line))
            good = parse_extent(descriptor, line, i + 1, error);
        else if (*line != '#' && (equals = strchr(line, '=')))
            good = parse_member(descriptor, line, equals, i + 1, error);
        if (!good)
            return NULL;
    }
    if (!signed_by_its_first_line) {
        fail(error, 1, "'# Disk DescriptorFile' is missing");
        return NULL;
    }
    if (!descriptor->extents->len) {
        fail(error, 1, "there is no extent");
        return NULL;
    }
    return g_steal_pointer(&descriptor);
}
