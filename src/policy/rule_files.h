/* rule_files: the texts that rules are made of, from directories and from elsewhere (a ConfigMap).
 *
 * Every *.rego file below the directories is read; tests (*_test.rego) only when they are wanted. Directories
 * that a mounted ConfigMap is made of (..data) are read once. Limits: 2,000 files, 1 MiB each, 16 levels.
 * Errors: POLICY_INVALID (file and limit), and what opening and reading say.
 */
#pragma once
#include "base/errors.h"

typedef struct {
    char *path; /* as shown to users */
    char *text;
    gsize size;
} RuleFile;

typedef struct {
    GPtrArray *files; /* of RuleFile, in the order of their directories and paths */
} RuleFiles;

RuleFiles *rule_files_new(void); /* none yet */
/* directories: NULL-terminated; one that does not exist counts as empty, but the first has to exist. */
RuleFiles *rule_files_read(const char *const *directories, gboolean with_tests, GError **error);
void rule_files_add(RuleFiles *files, const char *path, const char *text);
void rule_files_free(RuleFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RuleFiles, rule_files_free)

char *rule_files_hash(const RuleFiles *files); /* changes when any file's name or text does */

/* Changes when a file comes, goes, or is written: cheaper than reading them all. 0 when a directory cannot be
 * read. */
guint64 rule_files_mark(const char *const *directories);
