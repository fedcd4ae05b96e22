/* image: the table of images. */
#include "local/kubelet/image.h"
#include <string.h>

static const char *const own_command[] = {"gantry", "--help", NULL};
static const ImageProgram no_programs[] = {{NULL, NULL, NULL}};

/* The contract of https://github.com/konveyor/hook-runner: its entry point runs "ansible-runner run DIR -p
 * PLAYBOOK". */
static const char entry_point[] = "#!/bin/sh\nexec \"$@\"\n";
static const char ansible_runner[] =
    "#!/bin/sh\n"
    "# ansible-runner, as far as a hook needs it: run DIRECTORY -p PLAYBOOK.\n"
    "while [ $# -gt 0 ]; do\n"
    "    case $1 in\n"
    "    -p | --playbook) playbook=$2; shift ;;\n"
    "    --playbook=*) playbook=${1#*=} ;;\n"
    "    esac\n"
    "    shift\n"
    "done\n"
    "if [ -z \"$playbook\" ]; then\n"
    "    echo 'hook-runner: no playbook; set spec.playbook of the Hook' >&2\n"
    "    exit 2\n"
    "fi\n"
    "export ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_INVENTORY_UNPARSED_WARNING=False ANSIBLE_NOCOLOR=1\n"
    "exec ansible-playbook \"$playbook\"\n";
static const char *const runner_command[] = {"/usr/local/bin/entrypoint", "ansible-runner", "run",
                                             "/tmp/runner", NULL};
static const ImageProgram runner_programs[] = {{"/bin/entrypoint", "/usr/local/bin/entrypoint", entry_point},
                                               {NULL, "/usr/local/bin/ansible-runner", ansible_runner},
                                               {NULL, NULL, NULL}};

/* The guide's commands (9.2): everything, or what $NS, $PLAN and $VM say; into the place that the archive is
 * fetched from. */
static const char gather_everything[] =
    "#!/bin/sh\nexec gantry must-gather --output /must-gather/must-gather.tar.gz\n";
static const char gather_targeted[] =
    "#!/bin/sh\nexec gantry must-gather --targeted --output /must-gather/must-gather.tar.gz\n";
static const char *const gather_command[] = {"/usr/local/bin/gather", NULL};
static const ImageProgram gather_programs[] = {
    {"/usr/bin/gather", "/usr/local/bin/gather", gather_everything},
    {"/usr/bin/targeted", "/usr/local/bin/targeted", gather_targeted},
    {NULL, NULL, NULL}};

static const LocalImage images[] = {
    {"gantry", own_command, no_programs, NULL, NULL},
    {"hook-runner", runner_command, runner_programs, "ansible-playbook", "ansible-core"},
    {"mtv-must-gather-rhel8", gather_command, gather_programs, NULL, NULL},
    {"forklift-must-gather", gather_command, gather_programs, NULL, NULL},
};

/* "quay.io/konveyor/hook-runner:latest@sha256:…" → "hook-runner" */
static char *last_element(const char *image)
{
    g_autofree char *name = g_strdup(image);
    char *digest = strchr(name, '@'), *slash, *tag;

    if (digest)
        *digest = '\0';
    slash = strrchr(name, '/');
    tag = strchr(slash ? slash : name, ':');
    if (tag)
        *tag = '\0';
    return g_strdup(slash ? slash + 1 : name);
}

const LocalImage *image_find(const char *image, GError **error)
{
    g_autofree char *name = last_element(image);

    for (guint i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autofree char *program = images[i].needs ? g_find_program_in_path(images[i].needs) : NULL;
        if (strcmp(name, images[i].name))
            continue;
        if (!images[i].needs || program)
            return &images[i];
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "image '%s' stands for this machine's %s, which it does not have: install %s", image,
                    images[i].needs, images[i].package);
        return NULL;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "image '%s' is neither Gantry's own, nor a hook-runner, nor must-gather; other images need "
                "podman, which this "
                "machine's cluster does not use",
                image);
    return NULL;
}

static void use_programs(const LocalImage *image, char **command)
{
    for (const ImageProgram *program = image->programs; program->path; program++)
        if (program->in_image && !strcmp(*command, program->in_image)) {
            g_free(*command);
            *command = g_strdup(program->path);
        }
}

void image_prepare(const LocalImage *image, SandboxSpec *spec)
{
    for (const ImageProgram *program = image->programs; program->path; program++) {
        g_autoptr(GBytes) text = g_bytes_new_static(program->text, strlen(program->text));
        sandbox_spec_file(spec, program->path, text, 0755);
    }
    if (!spec->command)
        spec->command = g_strdupv((char **)image->command);
    else if (*spec->command)
        use_programs(image, spec->command);
}
