/* spec: a good document decodes; each wrong member is named. */
#include "copy/extent_list.h"
#include "copy/spec.h"
#include <string.h>

static const char good[] =
    "{\"version\":1,\"disk\":{\"plan\":\"p\",\"vm\":\"vm-1\",\"id\":\"2000\",\"name\":\"[ds] "
    "a/a.vmdk\",\"size\":1536},"
    "\"source\":{\"type\":\"file\",\"path\":\"/"
    "x\",\"generation\":\"7\"},\"trust\":{\"fingerprint\":\"AA:BB\"},"
    "\"credentials\":\"/c\",\"target\":{\"path\":\"/data/disk.img\"},\"state\":\"/state\","
    "\"fence\":{\"uid\":\"u\",\"generation\":3},\"limits\":{\"connections\":4}}";

static void a_good_document_decodes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CopySpec) spec = copy_spec_parse(good, strlen(good), &error);
    g_autofree char *journal = NULL;

    g_assert_no_error(error);
    g_assert_cmpuint(spec->size, ==, 1536);
    g_assert_cmpstr(spec->fingerprint, ==, "AA:BB");
    g_assert_null(spec->ca_pem);
    g_assert_false(spec->insecure);
    g_assert_cmpuint(spec->connections, ==, 4);
    g_assert_cmpuint(spec->memory_limit, ==, 64 << 20);
    g_assert_cmpuint(spec->fence_generation, ==, 3);
    g_assert_cmpstr(copy_spec_source_text(spec, "path", 10, NULL), ==, "/x");
    journal = copy_spec_state_path(spec, ".journal");
    g_assert_cmpstr(journal, ==, "/state/2000.journal");
}

static void changes_are_a_list_of_the_whole_disk(void)
{
    static const char ranges[] = "{\"since\":\"6\",\"ranges\":[[512,512]]}";
    g_autoptr(json_t) json = json_parse(good, strlen(good), sizeof good, "good", NULL);
    g_autoptr(CopySpec) spec = NULL;
    g_autofree char *text = NULL;

    json_set_at_new(json, "changes", json_parse(ranges, strlen(ranges), 100, "value", NULL));
    text = json_text(json);
    spec = copy_spec_parse(text, strlen(text), NULL);
    g_assert_cmpstr(spec->changes_since, ==, "6");
    g_assert_cmpuint(extent_list_size(spec->changes), ==, 1536);
    g_assert_true(extent_list_is_zero(spec->changes, 0, 512));
    g_assert_false(extent_list_is_zero(spec->changes, 0, 1536));
    g_assert_true(extent_list_is_zero(spec->changes, 1024, 512));
}

static void changes_may_be_for_the_source_to_say(void)
{
    static const char value[] = "{\"since\":\"6\",\"ranges\":\"source\"}";
    g_autoptr(json_t) json = json_parse(good, strlen(good), sizeof good, "good", NULL);
    g_autoptr(CopySpec) spec = NULL;
    g_autofree char *text = NULL;

    json_set_at_new(json, "changes", json_parse(value, strlen(value), 100, "value", NULL));
    text = json_text(json);
    spec = copy_spec_parse(text, strlen(text), NULL);
    g_assert_true(spec->source_knows_changes);
    g_assert_null(spec->changes);
    g_assert_cmpstr(spec->changes_since, ==, "6");
}

static void each_wrong_member_is_named(void)
{
    static const struct {
        const char *path, *value, *says;
    } cases[] = {
        {"version", "2", "version is 2; it must be a number from 1 to 1"},
        {"disk.size", "1000", "disk.size is 1000; it must be a multiple of 512"},
        {"disk.id", "\"../x\"", "disk.id is \"../x\"; it must be made of letters"},
        {"disk.id", "\"\"", "disk.id is \"\"; it must be a text of 1 to 128 bytes"},
        {"source", "[]", "source is []; it must be an object"},
        {"source.generation", "7", "source.generation is 7; it must be a text"},
        {"changes", "{\"ranges\":[]}", "changes.since is missing"},
        {"changes", "{\"since\":\"6\"}", "changes.ranges is missing; it must be a list of [start, bytes]"},
        {"changes", "{\"since\":\"6\",\"ranges\":[[0,512],[0,512]]}", "number 2 of changes.ranges must be"},
        {"changes", "{\"since\":\"6\",\"ranges\":[[0,100]]}", "number 1 of changes.ranges must be"},
        {"changes", "{\"since\":\"6\",\"ranges\":[[1024,1024]]}", "number 1 of changes.ranges must be"},
        {"changes", "{\"since\":\"6\",\"ranges\":[[512]]}", "number 1 of changes.ranges must be"},
        {"trust.insecure", "\"yes\"", "trust.insecure is \"yes\"; it must be true or false"},
        {"trust.ca", "1", "trust.ca is 1"},
        {"credentials", "\"c\"", "credentials is \"c\"; it must be an absolute path"},
        {"fence.generation", "\"x\"", "fence.generation is \"x\""},
        {"limits.memory", "1", "limits.memory is 1"},
        {"limits.connections", "0", "limits.connections is 0; it must be a number from 1 to 32"},
        {"limits.bytesPerSecond", "-1", "limits.bytesPerSecond is -1; it must be a number from 0 to"},
        {"limits.bytesPerSecond", "\"10M\"", "limits.bytesPerSecond is \"10M\""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) json = json_parse(good, strlen(good), sizeof good, "good", NULL);
        g_autofree char *text = NULL;

        json_set_at_new(json, cases[i].path,
                        json_parse(cases[i].value, strlen(cases[i].value), 100, "value", NULL));
        text = json_text(json);
        g_test_message("%s", cases[i].says);
        g_assert_null(copy_spec_parse(text, strlen(text), &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

static void a_missing_member_is_named(void)
{
    static const char *const needed[] = {"version",     "disk.plan", "disk.vm",     "disk.id",
                                         "disk.name",   "disk.size", "source.type", "source.generation",
                                         "target.path", "state",     "fence.uid",   "fence.generation"};

    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) json = json_parse(good, strlen(good), sizeof good, "good", NULL);
        g_autofree char *text = NULL, *says = g_strconcat(needed[i], " is missing", NULL);

        json_set_at_new(json, needed[i], NULL);
        text = json_text(json);
        g_assert_null(copy_spec_parse(text, strlen(text), &error));
        g_assert_nonnull(strstr(error->message, says));
    }
}

static void what_is_no_object_is_refused(void)
{
    static const char *const texts[] = {"", "7", "[]", "\"x\"", "{", "null"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(copy_spec_parse(texts[i], strlen(texts[i]), &error));
        g_assert_nonnull(error);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/spec/a good document decodes", a_good_document_decodes);
    g_test_add_func("/copy/spec/changes are a list of the whole disk", changes_are_a_list_of_the_whole_disk);
    g_test_add_func("/copy/spec/changes may be for the source to say", changes_may_be_for_the_source_to_say);
    g_test_add_func("/copy/spec/each wrong member is named", each_wrong_member_is_named);
    g_test_add_func("/copy/spec/a missing member is named", a_missing_member_is_named);
    g_test_add_func("/copy/spec/what is no object is refused", what_is_no_object_is_refused);
    return g_test_run();
}
