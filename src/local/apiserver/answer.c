/* answer: how results and errors look to a client: metav1.Status, versions, tables, partial objects. */
#include "base/yaml.h"
#include "local/apiserver/protobuf.h"
#include "local/apiserver/server.h"
#include "local/apiserver/table.h"
#include <stdio.h>
#include <string.h>

enum { body_limit = 3 << 20 };

GQuark http_status_error_quark(void)
{
    return g_quark_from_static_string("gantry-http-status");
}

void identity_free(Identity *identity)
{
    if (!identity)
        return;
    g_free(identity->name);
    g_free(identity->uid);
    g_strfreev(identity->groups);
    g_free(identity);
}

/* ---- errors ---- */

static guint http_code(const GError *error)
{
    if (error->domain == HTTP_STATUS_ERROR)
        return error->code;
    if (error->domain != GANTRY_ERROR)
        return 500;
    switch (error->code) {
    case ERROR_KUBE_NOT_FOUND:
        return 404;
    case ERROR_KUBE_ALREADY_EXISTS:
    case ERROR_KUBE_CONFLICT:
        return 409;
    case ERROR_KUBE_INVALID:
    case ERROR_KUBE_BAD_PATCH:
        return 422;
    case ERROR_KUBE_FORBIDDEN:
        return 403;
    case ERROR_KUBE_UNAUTHORIZED:
        return 401;
    case ERROR_KUBE_GONE:
        return 410;
    case ERROR_KUBE_UNAVAILABLE:
        return 503;
    case ERROR_BAD_INPUT:
    case ERROR_BAD_JSON:
    case ERROR_BAD_YAML:
    case ERROR_KUBE_BAD_SELECTOR:
        return 400;
    default:
        return 500;
    }
}

static const char *reason_of(const GError *error, guint code)
{
    static const struct {
        guint code;
        const char *reason;
    } reasons[] = {{400, "BadRequest"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "NotFound"},
                   {405, "MethodNotAllowed"},
                   {406, "NotAcceptable"},
                   {409, "Conflict"},
                   {410, "Expired"},
                   {413, "RequestEntityTooLarge"},
                   {415, "UnsupportedMediaType"},
                   {422, "Invalid"},
                   {501, "NotImplemented"},
                   {503, "ServiceUnavailable"},
                   {504, "Timeout"}};

    if (g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_ALREADY_EXISTS))
        return "AlreadyExists";
    for (guint i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return "InternalError";
}

static json_t *causes_json(const GPtrArray *causes)
{
    json_t *list = json_array();
    for (guint i = 0; i < causes->len; i++) {
        const SchemaCause *cause = g_ptr_array_index(causes, i);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "reason", cause->reason, "message",
                                              cause->message, "field", cause->field));
    }
    return list;
}

/* "Plan.forklift.konveyor.io "p" is invalid: [a: b, c: d]", as the real server words it. */
static char *invalid_message(const Request *request)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const GPtrArray *causes = request->causes;

    if (request->options)
        g_string_append_printf(text, "%s.meta.k8s.io \"\"", request->options);
    else
        g_string_append_printf(text, "%s%s%s \"%s\"", request->kind->kind, *request->kind->group ? "." : "",
                               request->kind->group, request->name);
    g_string_append_printf(text, " is invalid: %s", causes->len > 1 ? "[" : "");
    for (guint i = 0; i < causes->len; i++) {
        const SchemaCause *cause = g_ptr_array_index(causes, i);
        g_string_append_printf(text, "%s%s%s%s", i ? ", " : "", cause->field, *cause->field ? ": " : "",
                               cause->message);
    }
    if (causes->len > 1)
        g_string_append_c(text, ']');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static json_t *error_details(const Request *request)
{
    json_t *details;

    if (request->options)
        return json_pack("{s:s, s:s, s:o}", "group", "meta.k8s.io", "kind", request->options, "causes",
                         causes_json(request->causes));
    details = json_object();
    if (request->name && *request->name)
        json_object_set_new(details, "name", json_string(request->name));
    if (*request->kind->group)
        json_object_set_new(details, "group", json_string(request->kind->group));
    json_object_set_new(details, "kind",
                        json_string(request->causes->len ? request->kind->kind : request->kind->plural));
    if (request->causes->len)
        json_object_set_new(details, "causes", causes_json(request->causes));
    return details;
}

/* kubectl shows the causes of an Invalid and nothing else of it, so one that came as text ("spec.vms: must
 * …") becomes a cause. */
static void cause_of_text(GPtrArray *causes, const char *text)
{
    const char *colon = strstr(text, ": ");
    gboolean named = colon && strcspn(text, " ") > (gsize)(colon - text);
    g_autofree char *field = named ? g_strndup(text, colon - text) : g_strdup("spec");

    schema_cause_add(causes, "FieldValueInvalid", field, "%s", named ? colon + 2 : text);
}

json_t *status_of_error(Request *request, const GError *error, guint *code_out)
{
    guint code = http_code(error);
    gboolean detailed = request && request->kind && error->domain == GANTRY_ERROR &&
                        (code == 404 || code == 409 || code == 422 || code == 403);
    g_autofree char *message = NULL;
    json_t *status;

    if (detailed && code == 422 && !request->causes->len)
        cause_of_text(request->causes, error->message);
    if (detailed && code == 422)
        message = invalid_message(request);
    else if (detailed && code == 409 && g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT) &&
             !request->causes->len)
        message = g_strdup_printf(
            "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please apply your "
            "changes to the latest version and try again",
            request->kind->resource, request->name);
    status = json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status", "apiVersion", "v1",
                       "metadata", "status", "Failure", "message", message ? message : error->message,
                       "reason", reason_of(error, code), "code", (int)code);
    if (detailed)
        json_object_set_new(status, "details", error_details(request));
    else if (error->domain == HTTP_STATUS_ERROR)
        json_object_set_new(status, "details", json_object());
    if (code_out)
        *code_out = code;
    return status;
}

void answer_error(Request *request, const GError *error)
{
    guint code;
    json_t *status = status_of_error(request, error, &code);

    if (code == 401)
        http_exchange_add_header(request->x, "WWW-Authenticate", "Bearer realm=\"gantry\"");
    answer_json(request, code, status);
}

json_t *status_success(const Request *request, const char *uid)
{
    json_t *details = json_pack("{s:s, s:s}", "name", request->name, "kind", request->kind->plural);

    if (*request->kind->group)
        json_object_set_new(details, "group", json_string(request->kind->group));
    if (uid)
        json_object_set_new(details, "uid", json_string(uid));
    return json_pack("{s:s, s:s, s:{}, s:s, s:o}", "kind", "Status", "apiVersion", "v1", "metadata", "status",
                     "Success", "details", details);
}

void answer_warning(Request *request, const char *text)
{
    g_autoptr(GString) header = g_string_new("299 - \"");

    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(header, '\\');
        g_string_append_c(header, (guchar)*text < ' ' ? ' ' : *text);
    }
    g_string_append_c(header, '"');
    http_exchange_add_header(request->x, "Warning", header->str);
}

/* ---- results ---- */

static int append(const char *piece, size_t size, void *text)
{
    g_string_append_len(text, piece, size);
    return 0;
}

static GBytes *bytes_of_json(const json_t *json)
{
    GString *text = g_string_sized_new(1024);
    json_dump_callback(json, append, text, JSON_COMPACT | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
    return g_string_free_to_bytes(text);
}

void answer_json(Request *request, guint code, json_t *json)
{
    g_autoptr(json_t) owned = json;
    g_autoptr(GBytes) body = bytes_of_json(owned);
    http_exchange_reply(request->x, code, "application/json", body);
}

void answer_text(Request *request, guint code, const char *type, const char *text)
{
    http_exchange_reply_text(request->x, code, type, text);
}

static gboolean same_version(const Kind *kind)
{
    return !strcmp(kind->version, kind->storage_version);
}

json_t *object_of_record(const Request *request, const Record *record)
{
    json_t *object = record_json(record);

    if (!same_version(request->kind)) {
        g_autofree char *version = kind_api_version(request->kind);
        json_object_set_new(object, "apiVersion", json_string(version));
    }
    return object;
}

json_t *partial_of(const json_t *object)
{
    return json_pack("{s:s, s:s, s:O}", "kind", "PartialObjectMetadata", "apiVersion", "meta.k8s.io/v1",
                     "metadata", json_object_get(object, "metadata"));
}

void answer_object(Request *request, guint code, json_t *object)
{
    g_autoptr(json_t) owned = object;

    if (request->shape == SHAPE_TABLE)
        answer_json(request, code, table_of_object(request, object));
    else if (request->shape == SHAPE_PARTIAL)
        answer_json(request, code, partial_of(object));
    else
        answer_json(request, code, g_steal_pointer(&owned));
}

void answer_record(Request *request, guint code, Record *record)
{
    if (request->shape == SHAPE_PLAIN && same_version(request->kind)) {
        g_autoptr(GBytes) body = record_bytes(record);
        http_exchange_reply(request->x, code, "application/json", body);
    } else {
        answer_object(request, code, object_of_record(request, record));
    }
}

GString *list_head(const Request *request, guint64 revision, const char *next, gint64 remaining)
{
    g_autofree char *version = kind_api_version(request->kind);
    GString *text = g_string_sized_new(4096);

    if (request->shape == SHAPE_PARTIAL)
        g_string_append(text, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\"");
    else
        g_string_append_printf(text, "{\"kind\":\"%s\",\"apiVersion\":\"%s\"", request->kind->list_kind,
                               version);
    g_string_append_printf(text, ",\"metadata\":{\"resourceVersion\":\"%" G_GUINT64_FORMAT "\"", revision);
    if (next)
        g_string_append_printf(text, ",\"continue\":\"%s\"", next);
    if (next && remaining >= 0)
        g_string_append_printf(text, ",\"remainingItemCount\":%" G_GINT64_FORMAT, remaining);
    g_string_append(text, "}");
    return text;
}

/* ---- what the client said ---- */

static char *parameter(const char *media, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(media, ";", -1);

    for (char **part = parts + 1; *parts && *part; part++) {
        const char *text = g_strstrip(*part);
        if (g_str_has_prefix(text, name) && text[strlen(name)] == '=')
            return g_strdup(text + strlen(name) + 1);
    }
    return NULL;
}

Shape shape_of_accept(const char *accept, gboolean *acceptable)
{
    g_auto(GStrv) medias = g_strsplit(accept && *accept ? accept : "*/*", ",", -1);

    *acceptable = TRUE;
    for (char **media = medias; *media; media++) {
        const char *text = g_strstrip(*media);
        g_autofree char *as = parameter(text, "as");
        gboolean json = g_str_has_prefix(text, "application/json") || g_str_has_prefix(text, "*/*") ||
                        g_str_has_prefix(text, "application/*");
        if (!json)
            continue;
        if (!as)
            return SHAPE_PLAIN;
        if (!strcmp(as, "Table"))
            return SHAPE_TABLE;
        if (!strcmp(as, "PartialObjectMetadata") || !strcmp(as, "PartialObjectMetadataList"))
            return SHAPE_PARTIAL;
    }
    *acceptable = FALSE;
    return SHAPE_PLAIN;
}

json_t *request_body(Request *request, GError **error)
{
    const char *type = http_exchange_header(request->x, "Content-Type");
    GBytes *body = http_exchange_body(request->x);
    gsize size = g_bytes_get_size(body), type_size = type ? strcspn(type, "; ") : 0;
    const char *text = size ? g_bytes_get_data(body, NULL) : "";
    json_t *json;

    if (type && g_str_has_prefix(type, "application/vnd.kubernetes.protobuf"))
        return protobuf_object(kinds_core_types(request->server->kinds), text, size, error);
    if (type && strstr(type, "yaml"))
        json = yaml_parse(text, size, body_limit, "request body", error);
    else if (!type || (type_size >= 4 && !strncmp(type + type_size - 4, "json", 4)))
        json = json_parse(text, size, body_limit, "request body", error);
    else {
        g_set_error(error, HTTP_STATUS_ERROR, 415,
                    "the body of the request was in an unknown format - accepted media types include: "
                    "application/json, application/yaml");
        return NULL;
    }
    if (json && !json_is_object(json) && !json_is_array(json)) {
        json_decref(json);
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "request body: must be an object");
        return NULL;
    }
    return json;
}

gint64 request_number(const Request *request, const char *name, gint64 absent)
{
    const char *text = http_exchange_query(request->x, name);
    gint64 number;
    return text && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL) ? number
                                                                                             : absent;
}

gboolean request_flag(const Request *request, const char *name)
{
    const char *text = http_exchange_query(request->x, name);
    return text && (!*text || !strcmp(text, "true") || !strcmp(text, "1"));
}
