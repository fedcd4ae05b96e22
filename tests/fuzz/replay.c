/* replay FOLDER: gives every file of a corpus to a fuzz entry once: what once broke a parser is a plain test. */
#include <glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) folder = argc == 2 ? g_dir_open(argv[1], 0, &error) : NULL;
    const char *name;
    guint count = 0;

    if (!folder) {
        g_printerr("replay: %s\n", error ? error->message : "name the folder with the corpus");
        return 2;
    }
    while ((name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename(argv[1], name, NULL), *text = NULL;
        gsize size;

        if (!g_file_get_contents(path, &text, &size, &error)) {
            g_printerr("replay: %s\n", error->message);
            return 2;
        }
        LLVMFuzzerTestOneInput((const guint8 *)text, size);
        count++;
    }
    g_print("%u inputs\n", count);
    return count ? 0 : 1;
}
