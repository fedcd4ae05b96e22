/* verbs: the table of them, in the order in which a migration meets them. */
#include "cmd/verbs.h"

const Verb *const verbs[] = {
    &verb_migrate, &verb_doctor,    &verb_get,        &verb_describe, &verb_create,  &verb_patch,
    &verb_delete,  &verb_preflight, &verb_estimate,   &verb_start,    &verb_cutover, &verb_cancel,
    &verb_restart, &verb_archive,   &verb_wait,       &verb_why,      &verb_report,  &verb_leftovers,
    &verb_audit,   &verb_debug,     &verb_completion, &verb_manual,   NULL,
};
