/* create: what the verb create makes, one file a kind. Threads: the main one. */
#pragma once
#include "cmd/verb.h"

/* Of a Secret that was made with its Provider, and goes with it. */
#define MADE_WITH_LABEL "gantry.io/made-with"
#define MADE_WITH       "provider"

/* The options as they were given; NULL where not. */
typedef struct {
    /* provider */
    char *type, *url, *secret, *user, *password_file, *cacert, *fingerprint;
    char **settings;
    gboolean insecure;
    /* mapping, plan */
    char *source, *destination, **networks, **storage;
    /* plan */
    char **vms, *file, *query, *target_namespace, *network_map, *storage_map, *pre_hook, *post_hook;
    gboolean warm, skip_conversion;
    /* hook, host */
    char *image, *playbook, *service_account, *host_id, *address;
    int deadline;
    gboolean dry_run;
} CreateOptions;

/* Each gives the manifests to be made, in order, as an array; a new reference. */
json_t *create_provider(Session *session, const CreateOptions *options, const char *name, GError **error);
json_t *create_mapping(Session *session, const CreateOptions *options, const char *name, GError **error);
json_t *create_plan(Session *session, const CreateOptions *options, const char *name, GError **error);
json_t *create_hook(Session *session, const CreateOptions *options, const char *name, GError **error);
json_t *create_host(Session *session, const CreateOptions *options, const char *name, GError **error);

/* Makes them all, or none: what was made before a failure is deleted again. done is called after each (may be NULL). */
gboolean create_all(Session *session, const json_t *manifests, void (*done)(const json_t *object, Output output), GError **error);

/* ---- shared by the files above ---- */

json_t *manifest_new(const Session *session, const KubeResource *resource, const char *name);
/* A NetworkMap or StorageMap from the Provider of that name to options' destination; pairs is borrowed. */
json_t *map_manifest_new(const Session *session, const CreateOptions *options, const KubeResource *resource, const char *name,
                         const char *source, json_t *pairs);
/* --destination, or the cluster itself. */
const char *destination_name(const CreateOptions *options);
/* {name, namespace} */
json_t *reference_new(const Session *session, const char *name);
/* "A=B" at the last "=" in two; BAD_INPUT says which option. */
gboolean option_pair(const char *option, const char *text, char **left, char **right, GError **error);
/* spec.map from --network and --storage. */
json_t *network_pairs(char *const *texts, GError **error);
json_t *storage_pairs(char *const *texts, GError **error);
gboolean option_needed(const char *option, const char *value, GError **error);
