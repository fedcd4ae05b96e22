/* verbs: each in a file of its name. */
#pragma once
#include "cmd/verb.h"

extern const Verb verb_get, verb_describe, verb_create, verb_patch, verb_delete;
extern const Verb verb_start, verb_cutover, verb_cancel, verb_restart, verb_archive, verb_wait, verb_migrate;
extern const Verb verb_preflight, verb_estimate, verb_why, verb_report, verb_leftovers, verb_doctor;
extern const Verb verb_audit, verb_debug, verb_completion, verb_manual;
