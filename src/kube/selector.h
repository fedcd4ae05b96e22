/* selector: label and field selectors as Kubernetes writes them.
 *
 * Labels: "a=b,c!=d,e in (x,y),f notin (z),g,!h". Fields: "metadata.name=x,status.phase!=Running".
 * Follows https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ and …/field-selectors/.
 * Threads: immutable once parsed.
 */
#pragma once
#include "base/json.h"

typedef struct Selector Selector;
/* NULL or "" matches everything. KUBE_BAD_SELECTOR says what is wrong and where. */
Selector *selector_parse_labels(const char *text, GError **error);
Selector *selector_parse_fields(const char *text, GError **error);
/* From the {matchLabels, matchExpressions} of a Deployment or Job. */
Selector *selector_from_json(const json_t *label_selector, GError **error);
gboolean  selector_matches(const Selector *selector, const json_t *object);
void      selector_free(Selector *selector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Selector, selector_free)
