/* fields: what is right is taken, what is wrong is named with its value and what would be right. */
#include "base/fields.h"
#include <string.h>

typedef enum { TEXT, OPTIONAL_TEXT, PATH, NUMBER, OPTIONAL_NUMBER, FLAG, OBJECT } Kind;

/* "" when the member was taken, else the error's message. */
static char *take(const char *document, Kind kind)
{
    g_autoptr(json_t) json = json_parse(document, strlen(document), 8192, "document", NULL);
    const Fields fields = {"thing", json};
    g_autoptr(GError) error = NULL;
    const json_t *object;
    gboolean good = FALSE, flag;
    const char *text;
    guint64 number;

    switch (kind) {
    case TEXT:
        good = field_text(&fields, "a.b", 8, &text, &error);
        break;
    case OPTIONAL_TEXT:
        good = field_optional_text(&fields, "a.b", 8, &text, &error);
        break;
    case PATH:
        good = field_path(&fields, "a.b", &text, &error);
        break;
    case NUMBER:
        good = field_number(&fields, "a.b", 1, 10, &number, &error);
        break;
    case OPTIONAL_NUMBER:
        good = field_optional_number(&fields, "a.b", 1, 10, 7, &number, &error);
        break;
    case FLAG:
        good = field_optional_flag(&fields, "a.b", &flag, &error);
        break;
    case OBJECT:
        good = field_object(&fields, "a.b", &object, &error);
        break;
    }
    g_assert_true(good == (error == NULL));
    g_assert_true(good || g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT));
    return g_strdup(error ? error->message : "");
}

static void members_are_taken_or_named(void)
{
    static const struct {
        Kind kind;
        const char *document, *says; /* NULL: taken */
    } cases[] = {
        {TEXT, "{\"a\":{\"b\":\"x\"}}", NULL},
        {TEXT, "{\"a\":{\"b\":\"12345678\"}}", NULL},
        {TEXT, "{\"a\":{\"b\":\"123456789\"}}",
         "thing: a.b is \"123456789\"; it must be a text of 1 to 8 bytes"},
        {TEXT, "{\"a\":{\"b\":\"\"}}", "thing: a.b is \"\"; it must be a text of 1 to 8 bytes"},
        {TEXT, "{\"a\":{\"b\":7}}", "thing: a.b is 7; it must be a text of 1 to 8 bytes"},
        {TEXT, "{\"a\":7}", "thing: a.b is missing; it must be a text of 1 to 8 bytes"},
        {OPTIONAL_TEXT, "{}", NULL},
        {OPTIONAL_TEXT, "{\"a\":{\"b\":null}}", NULL},
        {OPTIONAL_TEXT, "{\"a\":{\"b\":\"\"}}", NULL},
        {OPTIONAL_TEXT, "{\"a\":{\"b\":true}}", "thing: a.b is true; it must be a text of 1 to 8 bytes"},
        {PATH, "{\"a\":{\"b\":\"/x\"}}", NULL},
        {PATH, "{\"a\":{\"b\":\"x\"}}", "thing: a.b is \"x\"; it must be an absolute path"},
        {PATH, "{}", "thing: a.b is missing; it must be a text of 1 to 4096 bytes"},
        {NUMBER, "{\"a\":{\"b\":1}}", NULL},
        {NUMBER, "{\"a\":{\"b\":10}}", NULL},
        {NUMBER, "{\"a\":{\"b\":11}}", "thing: a.b is 11; it must be a number from 1 to 10"},
        {NUMBER, "{\"a\":{\"b\":-1}}", "thing: a.b is -1; it must be a number from 1 to 10"},
        {NUMBER, "{\"a\":{\"b\":1.5}}", "thing: a.b is 1.5; it must be a number from 1 to 10"},
        {NUMBER, "{}", "thing: a.b is missing; it must be a number from 1 to 10"},
        {OPTIONAL_NUMBER, "{}", NULL},
        {OPTIONAL_NUMBER, "{\"a\":{\"b\":0}}", "thing: a.b is 0; it must be a number from 1 to 10"},
        {FLAG, "{}", NULL},
        {FLAG, "{\"a\":{\"b\":false}}", NULL},
        {FLAG, "{\"a\":{\"b\":\"yes\"}}", "thing: a.b is \"yes\"; it must be true or false"},
        {OBJECT, "{\"a\":{\"b\":{}}}", NULL},
        {OBJECT, "{\"a\":{\"b\":[]}}", "thing: a.b is []; it must be an object"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *said = take(cases[i].document, cases[i].kind);
        g_test_message("%s", cases[i].document);
        g_assert_cmpstr(said, ==, cases[i].says ? cases[i].says : "");
    }
}

static void a_long_value_is_shown_in_part(void)
{
    g_autofree char *value = g_strnfill(1000, 'x'),
                    *document = g_strdup_printf("{\"a\":{\"b\":\"%s\"}}", value),
                    *said = take(document, NUMBER);

    g_assert_cmpuint(strlen(said), <, 160);
    g_assert_nonnull(strstr(said, "xxx...; it must be a number"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/fields/members are taken or named", members_are_taken_or_named);
    g_test_add_func("/base/fields/a long value is shown in part", a_long_value_is_shown_in_part);
    return g_test_run();
}
