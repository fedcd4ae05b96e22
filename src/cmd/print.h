/* print: objects on standard output, as -o asks for them. Threads: the main one. */
#pragma once
#include "cmd/kinds.h"
#include "cmd/verb.h"

/* items: an array of documents. single: it is shown as itself, not as a list of one. columns may be NULL unless a table is asked for. */
void print_items(const json_t *items, gboolean single, Output output, const Column *columns);

/* "plan.forklift.konveyor.io/demo created", or with json, yaml and name the object itself. */
void print_change(const json_t *object, Output output, const char *done);

/* "… created"; of a Secret never what it holds. */
void print_created(const json_t *object, Output output);

/* The items as a table; for what redraws. */
char *items_table(const json_t *items, const Column *columns, gboolean wide);
