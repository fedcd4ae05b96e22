/* command: words, assignments first. */
#include "gather/command.h"
#include <string.h>

enum { LONGEST_S = 24 * 60 * 60 };

void gather_command_clear(GatherCommand *command)
{
    g_free(command->ns);
    g_free(command->plan);
    g_free(command->vm);
}

static gboolean assign(const char *word, GatherCommand *command)
{
    const struct {
        const char *prefix;
        char **value;
    } known[] = {{"NS=", &command->ns}, {"PLAN=", &command->plan}, {"VM=", &command->vm}};

    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_str_has_prefix(word, known[i].prefix)) {
            g_free(*known[i].value);
            *known[i].value = g_strdup(word + strlen(known[i].prefix));
            return TRUE;
        }
    return FALSE;
}

gboolean gather_command_parse(const char *text, GatherCommand *command, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text ? text : "", " ", -1);
    const char *program = NULL;

    for (guint i = 0; words[i]; i++) {
        if (!*words[i] || (!program && assign(words[i], command)))
            continue;
        if (program || (strcmp(words[i], "/usr/bin/gather") && strcmp(words[i], "/usr/bin/targeted"))) {
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                        "command: '%s' is not known; it must be [NS=…] [PLAN=…] [VM=…] /usr/bin/targeted, or "
                        "/usr/bin/gather",
                        words[i]);
            return FALSE;
        }
        program = words[i];
    }
    if (program && g_str_has_suffix(program, "targeted") && !command->ns && !command->plan && !command->vm) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                            "command: /usr/bin/targeted needs NS=…, PLAN=… or VM=… before it");
        return FALSE;
    }
    return TRUE;
}

gboolean gather_timeout_parse(const char *text, guint *seconds, GError **error)
{
    const char *at = text ? text : "";
    guint64 total = 0;

    while (*at) {
        char *end;
        guint64 number = g_ascii_strtoull(at, &end, 10);
        guint64 unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
        if (end == at || (*end && !strchr("hms", *end)) || number > LONGEST_S ||
            (total += number * unit) > LONGEST_S) {
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                        "timeout: '%s' must be like 20m or 90s, at most 24h", text);
            return FALSE;
        }
        at = *end ? end + 1 : end;
    }
    *seconds = total;
    return TRUE;
}
