/* Any bytes as a watch's answer, in pieces and whole: the pieces make no difference. */
#include "kube/watch_frames.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static void note(const char *type, json_t *object, gpointer said)
{
    g_autofree char *text = json_text(object);

    g_string_append_printf(said, "%s %s\n", type, text);
}

static gboolean take(GByteArray *text, const guint8 *data, size_t size, GString *said)
{
    g_autoptr(GError) error = NULL;
    gboolean taken;

    g_byte_array_append(text, data, size);
    taken = watch_frames_take(text, note, said, &error);
    g_assert(taken == (error == NULL));
    return taken;
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GByteArray) whole = g_byte_array_new(), pieces = g_byte_array_new();
    g_autoptr(GString) once = g_string_new(NULL), often = g_string_new(NULL);
    size_t at = 0, step = size ? 1 + data[0] % 64 : 1;
    gboolean good = TRUE;

    take(whole, data, size, once);
    for (; good && at < size; at += step)
        good = take(pieces, data + at, MIN(step, size - at), often);
    g_assert_cmpstr(once->str, ==, often->str);
    return 0;
}
