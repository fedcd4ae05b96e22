/* protobuf: bytes as kubectl sends them, and bytes that are no such thing. */
#include "apiserver-types.h"
#include "local/apiserver/protobuf.h"
#include <string.h>

static SchemaSet *core_types(void)
{
    g_autoptr(GBytes) text =
        g_resource_lookup_data(apiserver_types_get_resource(), "/gantry/apiserver/types.txt", 0, NULL);
    return schema_set_from_types(g_bytes_get_data(text, NULL), NULL);
}

static void put(GByteArray *out, guint number, const void *bytes, guint8 size)
{
    guint8 head[] = {number << 3 | 2, size};
    g_byte_array_append(out, head, sizeof head);
    g_byte_array_append(out, bytes, size);
}

/* "k8s\0", then {typeMeta {apiVersion, kind}, raw}. */
static GByteArray *envelope(const char *version, const char *kind, const GByteArray *raw)
{
    g_autoptr(GByteArray) meta = g_byte_array_new();
    GByteArray *out = g_byte_array_new();

    put(meta, 1, version, strlen(version));
    put(meta, 2, kind, strlen(kind));
    g_byte_array_append(out, (const guint8 *)"k8s", 4);
    put(out, 1, meta->data, meta->len);
    put(out, 2, raw->data, raw->len);
    return out;
}

static void secret(void)
{
    g_autoptr(SchemaSet) types = core_types();
    g_autoptr(GByteArray) metadata = g_byte_array_new();
    g_autoptr(GByteArray) entry = g_byte_array_new();
    g_autoptr(GByteArray) raw = g_byte_array_new();
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(json_t) json = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    put(metadata, 1, "s", 1);
    put(metadata, 8, "", 0); /* creationTimestamp, not set */
    put(entry, 1, "key", 3);
    put(entry, 2, "value", 5);
    put(raw, 1, metadata->data, metadata->len);
    put(raw, 2, entry->data, entry->len);
    put(raw, 3, "Opaque", 6);
    bytes = envelope("v1", "Secret", raw);
    json = protobuf_object(types, bytes->data, bytes->len, &error);
    g_assert_no_error(error);
    text = json_text(json);
    g_assert_cmpstr(text, ==,
                    "{\"apiVersion\":\"v1\",\"data\":{\"key\":\"dmFsdWU=\"},\"kind\":\"Secret\",\"metadata\":"
                    "{\"name\":\"s\"},\"type\":\"Opaque\"}");
}

static void numbers(void)
{
    static const guint8 spec[] = {0x08, 0x03, 0x38, 0x00};                   /* replicas 3, paused false */
    static const guint8 port[] = {0x08, 0x00, 0x10, 0x90, 0x3f, 0x1a, 0x00}; /* int 8080 */
    g_autoptr(SchemaSet) types = core_types();
    g_autoptr(GByteArray) raw = g_byte_array_new();
    g_autoptr(GByteArray) service = g_byte_array_new();
    g_autoptr(GByteArray) service_port = g_byte_array_new();
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(json_t) json = NULL;

    put(raw, 2, spec, sizeof spec);
    bytes = envelope("apps/v1", "Deployment", raw);
    json = protobuf_object(types, bytes->data, bytes->len, NULL);
    g_assert_cmpint(json_int_at(json, "spec.replicas", 0), ==, 3);
    g_assert_null(json_at(json, "spec.paused"));
    json_decref(json);
    g_byte_array_unref(bytes);

    put(service_port, 4, port, sizeof port);
    put(service, 1, service_port->data, service_port->len);
    g_byte_array_set_size(raw, 0);
    put(raw, 2, service->data, service->len);
    bytes = envelope("v1", "Service", raw);
    json = protobuf_object(types, bytes->data, bytes->len, NULL);
    g_assert_cmpint(json_int_at(json_array_get(json_at(json, "spec.ports"), 0), "targetPort", 0), ==, 8080);
}

static void no_protobuf(void)
{
    g_autoptr(SchemaSet) types = core_types();
    g_autoptr(GByteArray) raw = g_byte_array_new();
    g_autoptr(GByteArray) good = NULL;
    g_autoptr(GByteArray) other = NULL;
    g_autoptr(GError) error = NULL;

    put(raw, 3, "Opaque", 6);
    good = envelope("v1", "Secret", raw);
    for (guint size = 0; size < good->len; size++) {
        g_assert_null(protobuf_object(types, good->data, size, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_clear_error(&error);
    }
    other = envelope("v1", "Unheard", raw);
    g_assert_null(protobuf_object(types, other->data, other->len, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/local/apiserver/protobuf/a Secret is read with its data", secret);
    g_test_add_func("/local/apiserver/protobuf/numbers are read as JSON has them", numbers);
    g_test_add_func("/local/apiserver/protobuf/bytes that are no such thing are refused", no_protobuf);
    return g_test_run();
}
