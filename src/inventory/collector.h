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

/* The connection that is there, a reference to be closed; NULL: there is none. Whoever has one may ask over it for as long as it takes: neither
 * the collector nor its end waits for that. Any thread. */
Source *collector_source(Collector *collector);
