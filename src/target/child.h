/* child: whose object a manifest is, said in labels; a child is found by them, never by its name.
 *
 * The keys are Forklift's: plan, migration, vmID (values: UIDs and the source's id), plan-name,
 * plan-namespace.
 * Threads: pure functions.
 */
#pragma once
#include "base/json.h"

typedef struct {
    const char *plan_uid, *plan_name, *plan_namespace;
    const char *migration_uid;
    const char *vm_id;
    const char *ns;    /* the target namespace, where the child lives */
    const char *image; /* Gantry's own, for Pods */
} TargetOwner;

/* The most of generateName that an API server keeps: 63 less the five characters that it adds. */
enum { TARGET_NAME_BASE = 58 };

json_t *target_labels(const TargetOwner *owner);

/* A metadata object: generateName "prefix<plan>-<vm id>-" cut to what leaves room for five characters,
 * namespace, labels. prefix may be "". */
json_t *target_metadata(const TargetOwner *owner, const char *prefix);

/* A label selector for this VM's children. any_migration: also those of earlier runs of the plan. more:
 * "key=value,…" or NULL. */
char *target_selector(const TargetOwner *owner, gboolean any_migration, const char *more);

/* text as a label value: characters that are not allowed there become '-', at most 63 of them. */
char *target_label_value(const char *text);

/* "512Mi" for whole MiB, else plain bytes. */
char *target_quantity(guint64 bytes);
