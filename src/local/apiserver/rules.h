/* rules: what the API server knows of particular core kinds beyond their schema: what it fills in, what may
 * not change.
 *
 * Threads: any; nothing is kept.
 */
#pragma once
#include "local/apiserver/server.h"

/* Fills in what depends on more than one field, before defaults and validation. before is NULL for a
 * creation. */
void rules_prepare(Request *request, const json_t *before, json_t *object);
/* Adds a cause for each rule that the object breaks. */
void rules_validate(Request *request, const json_t *before, const json_t *object, GPtrArray *causes);

/* metadata: names, labels, annotations. */
void rules_validate_metadata(const Request *request, const json_t *before, const json_t *object,
                             GPtrArray *causes);
