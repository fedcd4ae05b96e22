/* connection: whether a provider that is about to be added could be used: its address, certificate and
 * credentials, tried once.
 *
 * Threads: any; the call blocks for as long as the other side takes, half a minute at most for each of its
 * answers.
 */
#pragma once
#include "net/http_server.h"

/* At most four are tried at once; 429 for more.
 *
 * Answers x, whose body is {"type","url","user","password" | "token","fingerprint"?,"ca"?}: 200 {"product"}
 * when it lets us in, 400 for what cannot be tried, 422 with the reason and the remedy when it does not.
 * Nothing of the body is kept or sent back. */
void connection_check(HttpExchange *x);
