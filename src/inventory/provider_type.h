/* provider_type: what the inventory knows of each type of provider that is collected: one table a type.
 *
 * A type's collector (source/) says models; the table says which kinds there are, what each level of detail shows of them, what
 * they lie in, and how a VM's document for validation is put together. Nothing else in this room names a type or its kinds.
 * A new type: a file of its own with its table, a row in provider_type.c.
 * Threads: constant.
 */
#pragma once
#include "base/json.h"

typedef struct DocumentView DocumentView;

/* Which VMs have to be validated anew when such an object changes, because their documents hold it. */
typedef enum { RECHECK_NONE, RECHECK_ITS_VMS, RECHECK_ALL_VMS } ProviderRecheck;

typedef struct {
    const char *kind, *collection; /* "VM", "vms" */
    const char *count; /* the member of the provider's own document that counts them, or NULL */
    /* The member of the model that says what the object lies in: a Ref {kind, id}, or, with parent_kind, a plain id. NULL: it lies in
     * nothing. */
    const char *parent, *parent_kind;
    /* Members that level 1 shows of a kind with three levels; NULL: level 1 shows all. */
    const char *const *brief;
    ProviderRecheck recheck; /* RECHECK_ITS_VMS: those whose level 1 has "host":"ID" */
    const char *hidden_variant; /* objects whose "variant" is this are in no list, or NULL */
    gboolean has_no_path;
    gboolean shares_files; /* items of "disks" with a "file" are "shared" when several objects hold that file (sharing.h) */
    gboolean has_options; /* advancedOption=KEY asks the source for an option of one object */
    /* Adds to the full document what other objects say, or NULL. */
    void (*complete)(DocumentView *view, json_t *document);
} ProviderKind;

typedef struct {
    const char *parent, *child;
    const char *by; /* a member of the child's level 1 with the parent's id; NULL: what the child lies in */
} TreeBranch;

typedef struct {
    const char *name;         /* "host": GET …/tree/host */
    const char *first_folder; /* the datacenter's member that names the Folder to begin with; NULL: the datacenter itself holds all */
    const TreeBranch *branches; /* ends with a NULL parent */
} ProviderTree;

typedef struct {
    const char *type;             /* as in Provider.spec.type */
    const char *const *about;     /* members of source_about() that the provider's own document shows */
    const char *const *base;      /* members that every level shows */
    const char *datacenter;       /* the kind at the root of trees */
    gboolean short_paths;         /* "PARENT/NAME" instead of "/…/PARENT/NAME" */
    const ProviderKind *kinds;    /* ends with a NULL kind */
    const ProviderTree *trees;    /* ends with a NULL name */
    /* The document that validation rules see. Errors: INVENTORY_NOT_FOUND: no such VM; INVENTORY_DATABASE: a part is missing, the
     * message says which. */
    json_t *(*workload)(DocumentView *view, const char *vm_id, GError **error);
} ProviderType;

extern const ProviderType provider_type_vsphere, provider_type_ovirt; /* vsphere.c, ovirt.c */

/* Never NULL: a type that is not collected has no kinds. */
const ProviderType *provider_type(const char *type);
const ProviderType *const *provider_types(void); /* those that are collected; ends with NULL */

const ProviderKind *provider_kind(const ProviderType *type, const char *kind);            /* or NULL */
const ProviderKind *provider_collection(const ProviderType *type, const char *collection); /* or NULL */
const ProviderTree *provider_tree(const ProviderType *type, const char *name);             /* or NULL */
