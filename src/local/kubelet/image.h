/* image: what an image's name stands for on a machine without a container runtime.
 *
 * Three images are had: Gantry's own, which is this very program; the hook-runner, which runs playbooks with
 * the machine's ansible-playbook; and must-gather, which is this program under the names that the guide
 * calls. The last element of the repository decides: quay.io/konveyor/hook-runner:latest is a hook-runner.
 * Threads: any; pure but for a look at the machine's programs.
 */
#pragma once
#include "local/kubelet/sandbox.h"

/* An executable that the image has and this machine has not. */
typedef struct {
    const char
        *in_image; /* a command that begins with this path runs the one below; NULL: found by its name */
    const char *path, *text;
} ImageProgram;

typedef struct {
    const char *name;             /* last element of the repository */
    const char *const *command;   /* what a container runs that names no command */
    const ImageProgram *programs; /* NULL-terminated by path */
    const char *needs, *package;  /* a program of the machine, and the package that brings it; may be NULL */
} LocalImage;

/* NULL: this machine has no such image; BAD_INPUT says what would be right. */
const LocalImage *image_find(const char *image, GError **error);

/* Puts the image's programs into the sandbox, and a command that begins with one of them on it. */
void image_prepare(const LocalImage *image, SandboxSpec *spec);
