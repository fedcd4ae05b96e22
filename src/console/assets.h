/* assets: the bundle that the browser runs: the files that npm built into ui/dist, read once at start.
 *
 * Files below assets/ carry their content's hash in their name, so browsers may keep them for ever; the
 * others are asked for again, and cost 304 when they have not changed. Any path of the console's own pages
 * gives index.html. Threads: immutable after assets_load().
 */
#pragma once
#include "net/http_server.h"

typedef struct Assets Assets;

/* Errors: IO (dir has no index.html: the message says how to build the bundle), BAD_INPUT (more than 64 MiB).
 */
Assets *assets_load(const char *dir, GError **error);
/* A page that says why there is no console; given instead of every page. */
Assets *assets_missing(const char *why);
void assets_free(Assets *assets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Assets, assets_free)

/* Answers a GET or HEAD of any path: 200, 304 or 404. */
void assets_serve(const Assets *assets, HttpExchange *exchange);
