/* rego: the Rego interpreter (regorus, a Rust crate) behind C calls; src/policy/regorus/ is its other side.
 *
 * Owner: strings that come out are given back to rego_string_free(). Errors are text in *error (owned by the
 * caller), which has to be NULL before. A panic inside is an error like any other. Threads: one engine is
 * used by one thread at a time; clones share the parsed policies and are independent.
 */
#pragma once
#include <glib.h>

typedef struct RegoEngine RegoEngine;

RegoEngine *rego_engine_new(void);
RegoEngine *rego_engine_clone(const RegoEngine *engine);
void rego_engine_free(RegoEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegoEngine, rego_engine_free)

/* Adds a policy file; v0 says in which version of the language a file without "import rego.v1" is read. Gives
 * its package
 * ("data.io.konveyor.forklift.vmware"), or NULL with *error "FILE:LINE:COLUMN: …". */
char *rego_engine_add(RegoEngine *engine, const char *path, const char *policy, int v0, char **error);

/* The value of a rule ("data.a.b.rule") over an input document, both JSON; "" when it is undefined, NULL with
 * *error. */
char *rego_engine_eval(RegoEngine *engine, const char *input, const char *rule, char **error);

void rego_string_free(char *string);
