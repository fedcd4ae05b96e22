/* parameters: what the query of a request asks for, read and checked.
 *
 *   detail=0…|all  limit=  offset=  name=  namespace=  advancedOption= (of a host, its name)  and, not known to Forklift: q= (filter.h), total=true (how many there are
 *   without limit and offset, in the header X-Total-Count)
 * Threads: one. Errors: BAD_INPUT, naming the parameter and its value.
 */
#pragma once
#include "inventory/filter.h"

typedef struct {
    gint64 limit; /* < 0: none */
    gint64 offset;
    guint detail;          /* 0 … 9 */
    const char *name, *ns, *advanced_option; /* borrowed from lookup, or NULL; never "" */
    Filter *filter;        /* of q=, or NULL */
    gboolean total;
} Parameters;
void parameters_clear(Parameters *parameters);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parameters, parameters_clear)

/* The decoded value of a query parameter, or NULL. */
typedef const char *(*ParameterLookup)(gconstpointer source, const char *name);

gboolean parameters_read(Parameters *parameters, ParameterLookup lookup, gconstpointer source, GError **error);
