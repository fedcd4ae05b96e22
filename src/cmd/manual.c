/* gantry manual: the manual page (man(7)), made from the table of verbs. */
#include "cmd/verbs.h"
#include <stdio.h>

/* Backslashes, and dots and quotes that begin a line, mean something to roff; a blank line is a paragraph. */
static void print_text(const char *text)
{
    gboolean line_start = TRUE;

    for (; text && *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (line_start && *text == '\n')
            fputs(".PP\n", stdout);
        else
            putchar(*text);
        line_start = *text == '\n';
    }
    if (!line_start)
        putchar('\n');
}

static void print_options(const GOptionEntry *options)
{
    for (const GOptionEntry *option = options; option && option->long_name; option++) {
        g_autofree char *letter =
            option->short_name ? g_strdup_printf("-%c, ", option->short_name) : g_strdup("");
        g_autofree char *argument =
            option->arg_description ? g_strconcat("=", option->arg_description, NULL) : g_strdup("");
        g_autofree char *term = g_strconcat(letter, "--", option->long_name, argument, NULL);
        puts(".TP");
        print_text(term);
        print_text(option->description);
    }
}

static void print_verb(const Verb *verb)
{
    printf(".SS gantry %s%s%s\n", verb->name, verb->arguments ? " " : "",
           verb->arguments ? verb->arguments : "");
    print_text(verb->what);
    if (verb->more) {
        puts(".PP\n.nf");
        print_text(verb->more);
        puts(".fi");
    }
    print_options(verb->options);
}

static int run(Session *session, char **words, GError **error)
{
    if (!words_count(words, 0, 0, "nothing", error))
        return EXIT_USAGE;
    puts(".TH GANTRY 1\n.SH NAME\ngantry \\- moves virtual machines from vSphere and oVirt to KubeVirt\n.SH "
         "SYNOPSIS\n.B gantry\nVERB [OPTION…]\n.SH VERBS");
    for (int i = 0; verbs[i]; i++)
        print_verb(verbs[i]);
    puts(".SH OPTIONS OF ALL VERBS");
    print_options(common_options);
    puts(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage, 3 a time limit is over. What failed is one line "
         "on standard error: what, why, what to do.");
    return EXIT_DONE;
}

const Verb verb_manual = {"manual", NULL, "print the manual page", "  gantry manual | man -l -", NULL,
                          TRUE,     run};
