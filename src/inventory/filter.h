/* filter: the q= parameter of lists: which objects, by what they are.
 *
 *   q=powerState=poweredOn,name~web,memoryMB>4096,-storageUsed
 * Terms are joined by commas and must all hold: FIELD=VALUE, FIELD!=VALUE, FIELD~PART (holds the part, case ignored), FIELD>NUMBER,
 * FIELD<NUMBER. FIELD is a dotted path in the object's full document; of an array any item may match. A term that is only a
 * field sorts by it, with "-" before it downwards; one may be given. Before = != and ~ there may be several fields, and behind
 * them several values, with "|" between them: name|path~web holds when either field does, host=h1|h2 when it is either value,
 * and host!=h1|h2 when it is neither.
 * Threads: immutable. Errors: BAD_INPUT, naming the term, or q when its bytes are no UTF-8 text.
 */
#pragma once
#include "base/json.h"

typedef struct Filter Filter;
/* text: any bytes, as libsoup decodes them out of a request (q=name~%f0 too). */
Filter *filter_parse(const char *text, GError **error);
void filter_free(Filter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Filter, filter_free)

gboolean filter_matches(const Filter *filter, const json_t *document);
gboolean filter_sorts(const Filter *filter);
/* For sorting: <0, 0, >0. */
int filter_compare(const Filter *filter, const json_t *a, const json_t *b);
