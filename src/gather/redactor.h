/* redactor: takes credentials out of what leaves the cluster in an archive.
 *
 * Two ways at once: the very values of the Secrets that it is told of, wherever they stand; and whatever
 * looks like a credential (Authorization headers, cookies, passwords in URLs, key=value pairs and JSON
 * members, JSON web tokens, private keys). Threads: immutable after the last redactor_hide(); then any.
 */
#pragma once
#include "base/json.h"

#define REDACTED "<redacted>"

typedef struct Redactor Redactor;
Redactor *redactor_new(void);
void redactor_free(Redactor *redactor); /* clears the values */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Redactor, redactor_free)

/* A value that must not show, also in Base64. Values of less than four bytes would take half the text with
 * them and are left. */
void redactor_hide(Redactor *redactor, const char *value);

char *redactor_text(const Redactor *redactor, const char *text);
/* Every string of the value, and members whose name says password, passphrase, token or the like; in place.
 */
void redactor_json(const Redactor *redactor, json_t *json);
