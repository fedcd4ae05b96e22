/* pod_result: how a copy or conversion Pod ended, in its own words: the JSON of its termination message.
 *
 *   {"result":"Completed", …} or
 * {"result":"Failed","class":"fatal","reason":"CamelCase","message":"…","remedy":"…"}
 *
 * Threads: pure functions.
 */
#pragma once
#include "kube/object.h"

typedef enum {
    POD_WAITING, /* not started yet; text says why */
    POD_RUNNING,
    POD_COMPLETED, /* ended well and says so: report */
    POD_RESTARTED, /* its container ended badly and is, or will be, started again */
    POD_FAILED,    /* ended and will not be started again */
} PodState;

typedef struct {
    PodState state;
    ErrorClass class; /* of the last bad end; TRANSIENT when it left no report */
    char *text;       /* what and why, with the remedy; NULL when there is nothing to say */
    char *end;        /* names the last bad end, so that it is counted once; NULL: none yet */
    json_t *report;   /* of a good end, else NULL; a reference */
} PodResult;

void pod_result_clear(PodResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PodResult, pod_result_clear)

void pod_result_read(const Object *pod, PodResult *out);
