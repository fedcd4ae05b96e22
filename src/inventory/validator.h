/* validator: has every VM of every provider checked by the validation service, and keeps what it finds wrong beside the VM.
 *
 * A pass over a provider asks for the version of the rules, then for each VM whose revision, or whose rules, have changed since it
 * was last checked. It begins when a VM has changed, every interval, and a second or so after the rules have. What is judged while
 * a host or a cluster changes is judged again. The inventory never waits for it: while the service is down VMs are served with what
 * was found last, and validation_problem() says what is wrong.
 * Speaks OPA's data API (https://www.openpolicyagent.org/docs/latest/rest-api/): GET …/rules_version, POST …/validate.
 * Threads: any.
 */
#pragma once
#include "base/json.h"

typedef struct Stock Stock;

typedef struct {
    const char *url;    /* "" or NULL: no service; VMs count as validated, without concerns */
    const char *ca_pem; /* NULL: the system's trust */
    gboolean insecure;
    guint workers;    /* requests at once, over all providers; 0: 10 */
    guint interval_s; /* 0: 120 */
} ValidatorOptions;

typedef struct Validator Validator;
Validator *validator_new(const ValidatorOptions *options, GError **error);
void validator_free(Validator *validator); /* after the last stock */
/* In force within seconds, also for a wait that has begun. Any thread. */
void validator_set_interval(Validator *validator, guint interval_s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Validator, validator_free)

/* Passes over one provider, in a thread of their own. */
typedef struct Validation Validation;
Validation *validation_start(Validator *validator, Stock *stock); /* stock is borrowed and must outlive it */
void validation_stop(Validation *validation);                     /* waits for the thread */
void validation_wake(Validation *validation);                     /* something has changed */
/* Why the last pass could not be finished, to be freed; NULL: it was, or there was none yet. */
char *validation_problem(Validation *validation);
