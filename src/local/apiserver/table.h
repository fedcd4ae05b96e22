/* table: what "kubectl get" prints: the columns of each kind and their cells, as metav1.Table. */
#pragma once
#include "local/apiserver/server.h"

json_t *table_of_object(const Request *request, const json_t *object);
/* A table without rows; rows are added with table_add_row(). */
json_t *table_new(const Request *request, guint64 revision);
void table_add_row(json_t *table, const Request *request, const json_t *object);

/* "5m3s": how long ago, as kubectl writes it. */
char *table_age(gint64 seconds);
/* The value at a JSONPath of a printer column (".status.conditions[?(@.type==\"Ready\")].status"), borrowed,
 * or NULL. */
const json_t *table_jsonpath(const json_t *object, const char *path);
