/* output: a JSON answer of any length, sent as it is written, compressed for peers that want it.
 *
 * A short answer goes whole; a long one in pieces, so that no more than a piece is in memory. A slow peer slows the writer down.
 * Threads: one.
 */
#pragma once
#include "net/http_server.h"

typedef struct Output Output;
Output *output_new(HttpExchange *exchange);
GString *output_text(Output *output); /* append here */
/* To be called between appends: sends what has come together. FALSE: the peer has gone, no more is wanted. */
gboolean output_pass(Output *output);
void output_end(Output *output); /* sends the rest and frees */
/* Instead of output_end(): the answer cannot be finished; before anything was sent the peer gets this status, after that a
 * broken answer. Frees. */
void output_fail(Output *output, guint status, const char *reason);
