/* name_template: names that a plan gives to disks, volumes and networks: "{{trunc 15
 * .PlanName}}-{{.DiskIndex}}".
 *
 * The part of Go's text/template that such names use (https://pkg.go.dev/text/template): fields, literals,
 * calls, pipes, parentheses, if/else/end, trim markers; with the functions of Sprig
 * (https://masterminds.github.io/sprig/) on texts, numbers and conditions that are in the table of
 * name_template.c. Limits: 1,024 characters of template, 1,024 of result, 32 levels. Threads: pure functions.
 * Errors: BAD_INPUT: where, and what would be right.
 */
#pragma once
#include "base/json.h"

/* data: an object of strings, integers and booleans; to be freed with g_free(). */
char *name_template_expand(const char *text, const json_t *data, GError **error);
