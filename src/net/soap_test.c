/* soap: what is sent is escaped; what comes back is read, or refused with its line. */
#include "net/soap.h"
#include <string.h>

#define ENVELOPE(body)                                                                                       \
    "<?xml version=\"1.0\"?>\n<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"" \
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "                                              \
    "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">"                                                        \
    "<soapenv:Body>" body "</soapenv:Body></soapenv:Envelope>"

static GBytes *bytes(const char *text)
{
    return g_bytes_new_static(text, strlen(text));
}

static void values_are_escaped(void)
{
    GString *call = soap_call("Login", "SessionManager", "Session<Manager");
    soap_add(call, "password", "a<b>&\"c\"\r");
    g_autoptr(GBytes) sent = soap_finish(call, "Login");
    g_autofree char *password = soap_read_text(sent, "password", NULL);
    g_autofree char *this = soap_read_text(sent, "_this", NULL);

    g_assert_cmpstr(password, ==, "a<b>&\"c\"\r");
    g_assert_cmpstr(this, ==, "Session<Manager");
}

static gboolean count(xmlNode *element, gpointer user_data, GError **error)
{
    (*(int *)user_data)++;
    g_assert_true(soap_is(element, "a"));
    return TRUE;
}

static void nested_matches_belong_to_the_outer_element(void)
{
    static const char *const names[] = {"a", NULL};
    g_autoptr(GBytes) reply = bytes(ENVELOPE("<r><a><a/></a>text<a/><b/></r>"));
    int seen = 0;

    g_assert_true(soap_read(reply, names, count, &seen, NULL));
    g_assert_cmpint(seen, ==, 2);
}

static void a_fault_has_its_type_and_words(void)
{
    static const struct {
        const char *body, *type, *message;
    } rows[] = {
        {"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>Cannot complete "
         "login</faultstring>"
         "<detail><InvalidLoginFault xmlns=\"urn:vim25\" "
         "xsi:type=\"InvalidLogin\"/></detail></soapenv:Fault>",
         "InvalidLogin", "Cannot complete login"},
        {"<soapenv:Fault><faultstring>gone</faultstring><detail><ManagedObjectNotFoundFault/></detail></"
         "soapenv:Fault>",
         "ManagedObjectNotFound", "gone"},
        {"<soapenv:Fault><faultstring>hm</faultstring></soapenv:Fault>", "Fault", "hm"},
        {"<soapenv:Fault/>", "Fault", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(ENVELOPE("%s"), rows[i].body);
        g_autoptr(GBytes) reply = bytes(text);
        g_auto(SoapFault) fault = {0};
        g_assert_true(soap_read_fault(reply, &fault));
        g_assert_cmpstr(fault.type, ==, rows[i].type);
        g_assert_cmpstr(fault.message, ==, rows[i].message);
    }
}

static void bad_documents_are_refused(void)
{
    g_autoptr(GString) deep = g_string_new("<x>");
    for (int i = 0; i < 400; i++)
        g_string_append(deep, "<y>");
    const struct {
        const char *text, *says;
    } rows[] = {
        {"", "0 bytes"},
        {"hello", "line 1"},
        {"<a><b></a>", "line 1"},
        {"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", "document type"},
        {"<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>", "document type"},
        {"<a>&undeclared;</a>", "line 1"},
        {deep->str, "line 1"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GBytes) reply = bytes(rows[i].text);
        g_autoptr(GError) error = NULL;
        g_autofree char *text = soap_read_text(reply, "nothing", &error);
        g_assert_null(text);
        g_assert_error(error, GANTRY_ERROR, ERROR_SOAP_MALFORMED);
        if (!strstr(error->message, rows[i].says))
            g_error("row %u: %s", i, error->message);
    }
}

static gboolean check_types(xmlNode *element, gpointer user_data, GError **error)
{
    g_autofree char *type = soap_type(element);
    g_autofree char *text = soap_text(element);
    g_assert_cmpstr(type, ==, "boolean");
    g_assert_cmpstr(text, ==, "true");
    (*(int *)user_data)++;
    return TRUE;
}

static void types_lose_their_prefix(void)
{
    static const char *const names[] = {"val", NULL};
    g_autoptr(GBytes) reply = bytes(ENVELOPE("<val xsi:type=\"xsd:boolean\" type=\"plain\">true</val>"));
    g_autoptr(GError) error = NULL;
    int seen = 0;

    g_assert_true(soap_read(reply, names, check_types, &seen, &error));
    g_assert_cmpint(seen, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/soap/values are escaped", values_are_escaped);
    g_test_add_func("/net/soap/nested matches belong to the outer element",
                    nested_matches_belong_to_the_outer_element);
    g_test_add_func("/net/soap/a fault has its type and words", a_fault_has_its_type_and_words);
    g_test_add_func("/net/soap/bad documents are refused", bad_documents_are_refused);
    g_test_add_func("/net/soap/types lose their prefix", types_lose_their_prefix);
    return g_test_run();
}
