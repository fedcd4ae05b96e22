/* image: which names stand for what, and how a hook-runner's command is run. */
#include "local/kubelet/image.h"
#include <string.h>

static void the_last_element_of_the_repository_decides(void)
{
    static const struct {
        const char *image, *found;
    } rows[] = {
        {"quay.io/gantry/gantry:2.3.100", "gantry"},
        {"localhost:5000/gantry", "gantry"},
        {"gantry@sha256:0123", "gantry"},
        {"quay.io/konveyor/hook-runner", "hook-runner"},
        {"quay.io/konveyor/hook-runner:latest", "hook-runner"},
        {"registry:5000/x/hook-runner:v1@sha256:0123", "hook-runner"},
        {"quay.io/konveyor/hook-runner-extra:latest", NULL},
        {"registry.redhat.io/migration-toolkit-virtualization/mtv-must-gather-rhel8:2.3.0",
         "mtv-must-gather-rhel8"},
        {"docker.io/library/nginx:1", NULL},
        {"", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        const LocalImage *image = image_find(rows[i].image, &error);
        g_assert_cmpstr(image ? image->name : NULL, ==, rows[i].found);
        g_assert_true(image || strstr(error->message, "podman"));
    }
}

static void a_missing_program_names_its_package(void)
{
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_autoptr(GError) error = NULL;

    g_setenv("PATH", "/nonexistent", TRUE);
    g_assert_null(image_find("hook-runner", &error));
    g_setenv("PATH", path, TRUE);
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "ansible-core"));
}

static void the_entry_point_is_the_one_that_is_there(void)
{
    static const char *const hook[] = {"/bin/entrypoint", "ansible-runner", "run", NULL};
    static const char *const other[] = {"sh", "-c", "true", NULL};
    const LocalImage *image = image_find("hook-runner", NULL);
    g_autoptr(SandboxSpec) named = sandbox_spec_new(), own = sandbox_spec_new(), none = sandbox_spec_new();

    named->command = g_strdupv((char **)hook);
    own->command = g_strdupv((char **)other);
    image_prepare(image, named);
    image_prepare(image, own);
    image_prepare(image, none);
    g_assert_cmpstr(named->command[0], ==, "/usr/local/bin/entrypoint");
    g_assert_cmpstr(named->command[1], ==, "ansible-runner");
    g_assert_cmpstr(own->command[0], ==, "sh");
    g_assert_cmpstr(none->command[1], ==, "ansible-runner");
    for (guint i = 0; i < named->files->len; i++) {
        const SandboxFile *file = named->files->pdata[i];
        if (g_str_has_prefix(file->dest, "/usr/local/bin/"))
            g_assert_cmpuint(file->mode, ==, 0755);
    }
}

static void our_own_program_needs_nothing(void)
{
    static const char *const copy[] = {"gantry", "copy", NULL};
    g_autoptr(SandboxSpec) spec = sandbox_spec_new();
    guint files = spec->files->len;

    spec->command = g_strdupv((char **)copy);
    image_prepare(image_find("gantry", NULL), spec);
    g_assert_cmpuint(spec->files->len, ==, files);
    g_assert_cmpstr(spec->command[0], ==, "gantry");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/kubelet/image/" text, function)
    CASE("the last element of the repository decides", the_last_element_of_the_repository_decides);
    CASE("a missing program names its package", a_missing_program_names_its_package);
    CASE("the entry point is the one that is there", the_entry_point_is_the_one_that_is_there);
    CASE("our own program needs nothing", our_own_program_needs_nothing);
    return g_test_run();
}
