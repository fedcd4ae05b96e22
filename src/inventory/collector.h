/* collector: the thread that keeps a stock equal to its source.
 *
 * It logs in, writes everything that the source says, deletes what was not said, then follows changes. When the connection breaks
 * it begins again after a wait that grows to a minute. A refused login, or access that can never work, ends it.
 * Threads: stage is called on the collector's thread.
 */
#pragma once
#include "inventory/stock.h"

/* error and about are borrowed, and NULL where the stage has none. */
typedef void (*CollectorStage)(StockStage stage, const GError *error, json_t *about, gpointer user_data);

typedef struct Collector Collector;
Collector *collector_start(Stock *stock, const SourceAccess *access, CollectorStage stage, gpointer user_data);
void collector_stop(Collector *collector); /* waits for the thread */

/* As source_host_option() of source/source.h, over the connection that is there; without one INVENTORY_NOT_READY. Any thread. */
json_t *collector_host_option(Collector *collector, const char *host_id, const char *key, GCancellable *cancel, GError **error);

/* As source_missing_rights() of source/source.h, over the connection that is there; NULL without an error when there is none.
 * Any thread. */
json_t *collector_missing_rights(Collector *collector, const json_t *workloads, GCancellable *cancel, GError **error);
