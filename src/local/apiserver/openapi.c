/* openapi: /openapi/v3: one document per group and version, with what kubectl reads of it: which kinds there
 * are, that their writes take fieldValidation, and the schemas for "kubectl explain". */
#include "local/apiserver/server.h"
#include <string.h>

static json_t *gvk_json(const Kind *kind)
{
    return json_pack("{s:s, s:s, s:s}", "group", kind->group, "version", kind->version, "kind", kind->kind);
}

static json_t *parameter(const char *name, const char *in, const char *type)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", in, "uniqueItems", 1, "schema", "type",
                     type);
}

/* The name of a kind's schema among the components. */
static char *component_name(const Kind *kind)
{
    g_auto(GStrv) labels = g_strsplit(*kind->group ? kind->group : "core", ".", -1);
    g_autofree char *group = NULL;

    for (guint i = 0, n = g_strv_length(labels); i < n / 2; i++) {
        char *label = labels[i];
        labels[i] = labels[n - 1 - i];
        labels[n - 1 - i] = label;
    }
    group = g_strjoinv(".", labels);
    return kind->custom ? g_strconcat(group, ".", kind->version, ".", kind->kind, NULL)
                        : g_strconcat("io.gantry.core.", kind->kind, NULL);
}

static json_t *operation(const Kind *kind, const char *action, gboolean writes)
{
    g_autofree char *component = component_name(kind);
    g_autofree char *ref = g_strconcat("#/components/schemas/", component, NULL);
    json_t *parameters = json_array();
    json_t *json =
        json_pack("{s:s, s:o, s:o, s:{s:{s:s, s:{s:{s:{s:s}}}}}}", "x-kubernetes-action", action,
                  "x-kubernetes-group-version-kind", gvk_json(kind), "parameters", parameters, "responses",
                  "200", "description", "OK", "content", "application/json", "schema", "$ref", ref);

    json_array_append_new(parameters, parameter("pretty", "query", "string"));
    if (writes) {
        json_array_append_new(parameters, parameter("dryRun", "query", "string"));
        json_array_append_new(parameters, parameter("fieldManager", "query", "string"));
        json_array_append_new(parameters, parameter("fieldValidation", "query", "string"));
    }
    return json;
}

static void add_paths(json_t *paths, const Kind *kind)
{
    g_autofree char *root = *kind->group ? g_strconcat("/apis/", kind->group, "/", kind->version, NULL)
                                         : g_strconcat("/api/", kind->version, NULL);
    g_autofree char *collection =
        g_strconcat(root, kind->namespaced ? "/namespaces/{namespace}/" : "/", kind->plural, NULL);
    g_autofree char *item = g_strconcat(collection, "/{name}", NULL);

    if (kind->unchecked) {
        json_object_set_new(paths, collection, json_pack("{s:o}", "post", operation(kind, "post", TRUE)));
        return;
    }
    json_object_set_new(paths, collection,
                        json_pack("{s:o, s:o}", "get", operation(kind, "list", FALSE), "post",
                                  operation(kind, "post", TRUE)));
    json_object_set_new(paths, item,
                        json_pack("{s:o, s:o, s:o, s:o}", "get", operation(kind, "get", FALSE), "put",
                                  operation(kind, "put", TRUE), "patch", operation(kind, "patch", TRUE),
                                  "delete", operation(kind, "delete", TRUE)));
}

static json_t *envelope_member(const char *description)
{
    return json_pack("{s:s, s:s}", "type", "string", "description", description);
}

/* apiVersion, kind and metadata, which no kind's own schema describes. */
static void add_envelope(json_t *schema)
{
    json_t *properties = json_object_get(schema, "properties");

    if (!json_is_object(properties)) {
        json_object_set_new(schema, "properties", json_object());
        properties = json_object_get(schema, "properties");
    }
    json_object_set_new(properties, "apiVersion",
                        envelope_member("The group and version of this object's kind."));
    json_object_set_new(properties, "kind", envelope_member("The kind of this object."));
    json_object_set_new(properties, "metadata",
                        json_pack("{s:s, s:[{s:s}]}", "description",
                                  "Name, labels and what the server keeps about the object.", "allOf", "$ref",
                                  "#/components/schemas/io.gantry.core.ObjectMeta"));
}

static void add_component(json_t *components, const Kind *kind)
{
    g_autofree char *name = component_name(kind);
    json_t *schema = kind->custom && kind->openapi ? json_copy(kind->openapi)
                                                   : json_incref(json_object_get(components, name));

    if (!schema)
        schema = json_pack("{s:s, s:b}", "type", "object", "x-kubernetes-preserve-unknown-fields", 1);
    if (kind->custom && json_object_get(schema, "properties"))
        json_object_set_new(schema, "properties", json_copy(json_object_get(schema, "properties")));
    add_envelope(schema);
    json_object_set_new(schema, "x-kubernetes-group-version-kind", json_pack("[o]", gvk_json(kind)));
    json_object_set_new(components, name, schema);
}

static json_t *document(Request *request, GPtrArray *kinds, const char *group, const char *version)
{
    json_t *paths = json_object();
    json_t *components = schema_set_openapi(kinds_core_types(request->server->kinds), "io.gantry.core");

    for (guint i = 0; i < kinds->len; i++) {
        const Kind *kind = g_ptr_array_index(kinds, i);
        if (strcmp(kind->group, group) != 0 || strcmp(kind->version, version) != 0)
            continue;
        add_paths(paths, kind);
        add_component(components, kind);
    }
    return json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:o}}", "openapi", "3.0.0", "info", "title", "Gantry",
                     "version", GANTRY_VERSION, "paths", paths, "components", "schemas", components);
}

/* The hash lets clients keep a document until it changes. */
static json_t *index_of(GPtrArray *kinds)
{
    json_t *paths = json_object();
    g_autoptr(GHashTable) sums =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_checksum_free);
    GHashTableIter each;
    gpointer key, value;

    for (guint i = 0; i < kinds->len; i++) {
        const Kind *kind = g_ptr_array_index(kinds, i);
        g_autofree char *path = *kind->group ? g_strconcat("apis/", kind->group, "/", kind->version, NULL)
                                             : g_strconcat("api/", kind->version, NULL);
        g_autofree char *text = kind->openapi ? json_text(kind->openapi) : NULL;
        GChecksum *sum = g_hash_table_lookup(sums, path);
        if (!sum) {
            sum = g_checksum_new(G_CHECKSUM_SHA256);
            g_checksum_update(sum, (const guchar *)GANTRY_VERSION, -1);
            g_hash_table_insert(sums, g_strdup(path), sum);
        }
        g_checksum_update(sum, (const guchar *)kind->kind, -1);
        g_checksum_update(sum, (const guchar *)(text ? text : ""), -1);
    }
    g_hash_table_iter_init(&each, sums);
    while (g_hash_table_iter_next(&each, &key, &value)) {
        g_autofree char *url =
            g_strconcat("/openapi/v3/", (char *)key, "?hash=", g_checksum_get_string(value), NULL);
        json_object_set_new(paths, key, json_pack("{s:s}", "serverRelativeURL", url));
    }
    return json_pack("{s:o}", "paths", paths);
}

/* Version 2, which kubectl asks for when version 3 does not know a kind: a document that knows none. In
 * protobuf: {swagger: "2.0", info: {title: "Gantry", version: "1"}}. */
static void serve_version_2(Request *request)
{
    static const char bytes[] = "\x0a\x03"
                                "2.0"
                                "\x12\x0b\x0a\x06"
                                "Gantry"
                                "\x12\x01"
                                "1";
    const char *accept = http_exchange_header(request->x, "Accept");
    g_autoptr(GBytes) body = g_bytes_new_static(bytes, sizeof bytes - 1);

    if (accept && strstr(accept, "proto-openapi.spec.v2"))
        http_exchange_reply(request->x, 200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                            body);
    else
        answer_json(request, 200,
                    json_pack("{s:s, s:{s:s, s:s}, s:{}}", "swagger", "2.0", "info", "title", "Gantry",
                              "version", "1", "paths"));
}

void serve_openapi(Request *request, const char *path)
{
    g_autoptr(GPtrArray) kinds = kinds_all(request->server->kinds);
    g_auto(GStrv) parts = g_strsplit(path + 1, "/", -1); /* "openapi", "v3", "apis", "apps", "v1" */
    guint count = g_strv_length(parts);
    g_autoptr(GError) error = NULL;

    if (count == 2 && !strcmp(parts[1], "v2")) {
        serve_version_2(request);
        return;
    }
    if (count >= 2 && !strcmp(parts[1], "v3")) {
        if (count == 2) {
            answer_json(request, 200, index_of(kinds));
            return;
        }
        if (count == 4 && !strcmp(parts[2], "api")) {
            answer_json(request, 200, document(request, kinds, "", parts[3]));
            return;
        }
        if (count == 5 && !strcmp(parts[2], "apis")) {
            answer_json(request, 200, document(request, kinds, parts[3], parts[4]));
            return;
        }
    }
    g_set_error_literal(&error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND,
                        "the server could not find the requested resource");
    answer_error(request, error);
}
