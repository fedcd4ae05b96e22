/* gantry completion: what shells need to complete verbs, kinds and options, made from the table of verbs. */
#include "cmd/kinds.h"
#include "cmd/verbs.h"
#include <stdio.h>
#include <string.h>

/* Names of options, with a blank between. */
static void append_options(GString *out, const GOptionEntry *options)
{
    for (const GOptionEntry *option = options; option && option->long_name; option++)
        g_string_append_printf(out, " --%s", option->long_name);
}

static char *verb_names(void)
{
    GString *out = g_string_new(NULL);

    for (int i = 0; verbs[i]; i++)
        g_string_append_printf(out, "%s%s", i ? " " : "", verbs[i]->name);
    return g_string_free(out, FALSE);
}

static char *kind_names(void)
{
    GString *out = g_string_new(NULL);

    for (const Kind *kind = kinds; kind->names; kind++)
        g_string_append_printf(out, "%s%.*s", out->len ? " " : "", (int)strcspn(kind->names, " "),
                               kind->names);
    return g_string_free(out, FALSE);
}

static gboolean takes_kind(const Verb *verb)
{
    return verb->arguments && g_str_has_prefix(verb->arguments, "KIND");
}

/* What bash puts forward after each verb; zsh reads the same through its bashcompinit. */
static void print_bash(void)
{
    g_autofree char *names = verb_names(), *nouns = kind_names();

    printf("_gantry() {\n    local word=${COMP_WORDS[COMP_CWORD]} words=''\n    if [ \"$COMP_CWORD\" = 1 ]; "
           "then\n        words='%s'\n    else\n"
           "        case ${COMP_WORDS[1]} in\n",
           names);
    for (int i = 0; verbs[i]; i++) {
        g_autoptr(GString) own = g_string_new(takes_kind(verbs[i]) ? nouns : "");
        append_options(own, verbs[i]->options);
        append_options(own, common_options);
        printf("        %s) words='%s' ;;\n", verbs[i]->name, own->str);
    }
    printf("        esac\n    fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -o "
           "default -F _gantry gantry\n");
}

static void print_fish(void)
{
    g_autofree char *nouns = kind_names();

    for (int i = 0; verbs[i]; i++) {
        printf("complete -c gantry -n __fish_use_subcommand -a %s -d '%s'\n", verbs[i]->name, verbs[i]->what);
        if (takes_kind(verbs[i]))
            printf("complete -c gantry -n '__fish_seen_subcommand_from %s' -a '%s'\n", verbs[i]->name, nouns);
        for (const GOptionEntry *option = verbs[i]->options; option && option->long_name; option++)
            printf("complete -c gantry -n '__fish_seen_subcommand_from %s' -l %s\n", verbs[i]->name,
                   option->long_name);
    }
}

static int run(Session *session, char **words, GError **error)
{
    if (!words_count(words, 1, 1, "bash, zsh or fish", error))
        return EXIT_USAGE;
    if (!strcmp(words[0], "zsh"))
        puts("autoload -U +X bashcompinit && bashcompinit");
    if (!strcmp(words[0], "bash") || !strcmp(words[0], "zsh"))
        print_bash();
    else if (!strcmp(words[0], "fish"))
        print_fish();
    else
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "there is no completion for '%s'; there is for bash, zsh and fish", words[0]);
    return *error ? EXIT_USAGE : EXIT_DONE;
}

const Verb verb_completion = {"completion",
                              "SHELL",
                              "print the completion for bash, zsh or fish",
                              "  eval \"$(gantry completion bash)\"",
                              NULL,
                              TRUE,
                              run};
