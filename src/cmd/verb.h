/* verb: a command of those who migrate VMs (get, create, start, why …): its words, its options, and what it does.
 *
 * A verb is one row: from it come the parsing, --help, the completion of shells and the manual page (help.h), so that none of them
 * can say anything else. Options are static; verbs are parsed once in the life of the process.
 * Threads: the main one.
 */
#pragma once
#include "inventory/client.h"

/* How a verb's process ends. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TIMED_OUT = 3 };

typedef enum { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME } Output;

/* What the verb is given to work with. */
typedef struct {
    KubeClient *kube;           /* NULL for a verb that works offline */
    InventoryClient *inventory; /* verb_inventory() */
    const char *ns;             /* of what is named: -n, or openshift-mtv */
    const char *list_ns;        /* of what is listed: as ns, or NULL (all) with -A */
    Output output;
} Session;

typedef struct {
    const char *name;
    const char *arguments;       /* "KIND [NAME…]"; NULL: none are taken */
    const char *what;            /* one line, without a full stop */
    const char *more;            /* paragraphs and examples for --help and the manual */
    const GOptionEntry *options; /* ended by G_OPTION_ENTRY_NULL, or NULL; the common ones come on top */
    gboolean offline;            /* no cluster is asked before run() */
    /* words: the arguments, ended by NULL. The exit code; with error set it is that of the error. */
    int (*run)(Session *session, char **words, GError **error);
} Verb;

/* The verbs in the order in which help shows them, ended by NULL. */
extern const Verb *const verbs[];
extern const GOptionEntry common_options[];

/* argv[0] is the verb's name. Prints one line on standard error when it fails. */
int verb_main(const Verb *verb, int argc, char **argv);

/* Of the cluster; found at the first call and kept, borrowed. */
InventoryClient *verb_inventory(Session *session, GError **error);

/* BAD_INPUT unless there are between least and most words; what says which they are ("KIND and NAME"). */
gboolean words_count(char **words, guint least, guint most, const char *what, GError **error);

/* ---- what is written more than once ---- */

/* Fields of an option that may be given several times or as a list with commas: char *, owned by the array. */
GPtrArray *option_list(char *const *values);

/* The inventory's q= of what --query says: other tools begin it with "where". Borrowed. */
const char *query_terms(const char *query);
