/* rule_watch: the rules as their files stand now.
 *
 * Guarantee: a file that is written, added or removed is in force within some seconds, without a restart.
 * Files that do not load are not half in force: until they are corrected there are no rules at all, and
 * everybody who asks is told why. Threads: one of its own looks at the files once a second; every function
 * may be called from any thread. The callbacks come from that thread, and from rule_watch_new().
 */
#pragma once
#include "policy/rules.h"

typedef struct RuleWatch RuleWatch;

typedef struct {
    /* Other rules are in force (error NULL), or the files do not load. */
    void (*changed)(const Rules *rules, const GError *error, gpointer user_data);
    void (*problem)(const char *problem, gpointer user_data); /* of a single rule; once for each */
    gpointer user_data;
} RuleWatchEvents;

/* directories as for rule_files_read(); copied. Either callback may be NULL. */
RuleWatch *rule_watch_new(const char *const *directories, const RuleWatchEvents *events);
void rule_watch_free(RuleWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RuleWatch, rule_watch_free)

/* The rules in force, a reference to drop; NULL: they do not load, and why. */
Rules *rule_watch_get(RuleWatch *watch, GError **error);

/* Rules that lie in no directory (those of a ConfigMap): name as shown to users → text. They replace those
 * given before. */
void rule_watch_set_texts(RuleWatch *watch, GHashTable *texts);
