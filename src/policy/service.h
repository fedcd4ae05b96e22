/* service: the validation service: the data API of Open Policy Agent (GET and POST /v1/data/PATH) over Rules.
 *
 * Follows https://www.openpolicyagent.org/docs/rest-api#data-api as far as the inventory and the guide use
 * it: the answer is {"result": VALUE}, {} when the document is undefined; 400 for a body that is no JSON, 500
 * with {code, message} when a rule fails. GET /health answers 200 once the rules are loaded. No
 * authentication, as in the original: it is reached inside the cluster, holds no secret and changes nothing.
 * Threads: it serves from threads of its own until it is stopped.
 */
#pragma once
#include "net/http_server.h"
#include "policy/rules.h"

/* rules must outlive the server. cert_pem NULL: plain HTTP, for tests. Errors: as http_server_start(). */
HttpServer *validation_service_start(Rules *rules, const char *listen, const char *cert_pem,
                                     const char *key_pem, GError **error);
