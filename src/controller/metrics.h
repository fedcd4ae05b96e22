/* metrics: the state of plans and migrations as Prometheus reads it: the names of MTV 2.3, those of later
 * Forklift, and our own.
 *
 * Text format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * Threads: metrics_text() is a pure function; the server has threads of its own.
 */
#pragma once
#include "controller/controllers.h"

/* plans, migrations: of Object. To be freed with g_free(). */
char *metrics_text(GPtrArray *plans, GPtrArray *migrations);

typedef struct MetricsServer MetricsServer;
/* Serves GET /metrics over plain HTTP at "ADDRESS:PORT" as long as controllers live. */
MetricsServer *metrics_serve(Controllers *controllers, const char *listen, GError **error);
void metrics_stop(MetricsServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MetricsServer, metrics_stop)
