/* protobuf: objects of core kinds as kubectl's typed commands send them
 * (application/vnd.kubernetes.protobuf), as JSON.
 *
 * The bytes are "k8s\0" and a runtime.Unknown that holds kind and object
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding;
 * https://protobuf.dev/programming-guides/encoding/). Field numbers come from types.txt; fields without one
 * are left out. Limits: 64 levels. Threads: any. Errors: BAD_INPUT.
 */
#pragma once
#include "local/apiserver/schema.h"

json_t *protobuf_object(const SchemaSet *types, gconstpointer bytes, gsize size, GError **error);
