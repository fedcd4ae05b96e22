/* service: the validation service: the data API of Open Policy Agent (GET and POST /v1/data/PATH) over the
 * rules in force.
 *
 * Follows https://www.openpolicyagent.org/docs/rest-api#data-api as far as the inventory and the guide use
 * it: the answer is
 * {"result": VALUE}, {} when the document is undefined; 400 for a body that is no JSON object, 500 with
 * {code, message} when a rule fails or the rules do not load. POST /v1/batch/data/PATH takes {"inputs":
 * {NAME: INPUT, …}, "common_input": {…}} and answers {"responses": {NAME: {"http_status_code": "200",
 * "result": VALUE}, …}}, as Enterprise OPA's batch API does. GET /v1/problems lists what is wrong with single
 * rules. GET /health answers 200 when rules are in force. No authentication, as in the original: it is
 * reached inside the cluster, holds no secret and changes nothing. Threads: it serves from threads of its own
 * until it is stopped.
 */
#pragma once
#include "net/http_server.h"
#include "policy/rule_watch.h"

/* watch must outlive the server. cert_pem NULL: plain HTTP, for tests. Errors: as http_server_start(). */
HttpServer *validation_service_start(RuleWatch *watch, const char *listen, const char *cert_pem,
                                     const char *key_pem, GError **error);
