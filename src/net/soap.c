/* soap: writes envelopes by appending, reads replies with xmlTextReader. */
#include "net/soap.h"
#include <libxml/xmlreader.h>
#include <string.h>

/* No network, no entity is ever loaded; without XML_PARSE_HUGE libxml2 keeps its own ceilings on depth and
 * text. */
enum { READ_OPTIONS = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA };

/* ---- requests ------------------------------------------------------------------------------------------ */

static void append_escaped(GString *call, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            g_string_append(call, "&amp;");
            break;
        case '<':
            g_string_append(call, "&lt;");
            break;
        case '>':
            g_string_append(call, "&gt;");
            break;
        case '"':
            g_string_append(call, "&quot;");
            break;
        case '\r':
            g_string_append(call, "&#13;");
            break;
        default:
            g_string_append_c(call, *text);
        }
    }
}

GString *soap_call(const char *method, const char *this_type, const char *this_id)
{
    GString *call = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                                 "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\""
                                 " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\""
                                 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body>");
    g_string_append_printf(call, "<%s xmlns=\"urn:vim25\">", method);
    soap_add_ref(call, "_this", this_type, this_id);
    return call;
}

void soap_add(GString *call, const char *element, const char *text)
{
    soap_open(call, element);
    append_escaped(call, text);
    soap_close(call, element);
}

void soap_add_ref(GString *call, const char *element, const char *type, const char *id)
{
    g_string_append_printf(call, "<%s type=\"", element);
    append_escaped(call, type);
    g_string_append(call, "\">");
    append_escaped(call, id);
    soap_close(call, element);
}

void soap_open(GString *call, const char *element)
{
    g_string_append_printf(call, "<%s>", element);
}

void soap_open_typed(GString *call, const char *element, const char *xsi_type)
{
    g_string_append_printf(call, "<%s xsi:type=\"%s\">", element, xsi_type);
}

void soap_close(GString *call, const char *element)
{
    g_string_append_printf(call, "</%s>", element);
}

GBytes *soap_finish(GString *call, const char *method)
{
    soap_close(call, method);
    g_string_append(call, "</Body></Envelope>");
    return g_string_free_to_bytes(call);
}

/* ---- replies ------------------------------------------------------------------------------------------- */

typedef struct {
    xmlTextReader *reader;
    char problem[160];
    int line;
} Reading;

static void remember_problem(void *data, const char *message, xmlParserSeverities severity,
                             xmlTextReaderLocatorPtr where)
{
    Reading *reading = data;
    if (reading->line)
        return; /* the first one says most */
    reading->line = MAX(1, xmlTextReaderLocatorLineNumber(where));
    g_strlcpy(reading->problem, message, sizeof reading->problem);
    g_strchomp(reading->problem);
}

static gboolean malformed(Reading *reading, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_SOAP_MALFORMED, "the reply is no SOAP envelope: line %d: %s",
                MAX(1, reading->line), *reading->problem ? reading->problem : "it ends too early");
    return FALSE;
}

static gboolean wanted(xmlTextReader *reader, const char *const *names)
{
    return xmlTextReaderNodeType(reader) == XML_READER_TYPE_ELEMENT &&
           g_strv_contains(names, (const char *)xmlTextReaderConstLocalName(reader));
}

static gboolean read_elements(Reading *reading, const char *const *names, SoapFound found, gpointer user_data,
                              GError **error)
{
    xmlTextReader *reader = reading->reader;
    int got = xmlTextReaderRead(reader);

    while (got == 1) {
        if (xmlTextReaderNodeType(reader) == XML_READER_TYPE_DOCUMENT_TYPE) {
            g_strlcpy(reading->problem, "it declares a document type", sizeof reading->problem);
            return malformed(reading, error);
        }
        if (!wanted(reader, names)) {
            got = xmlTextReaderRead(reader);
            continue;
        }
        xmlNode *element = xmlTextReaderExpand(reader);
        if (!element)
            return malformed(reading, error);
        g_autoptr(GError) refused = NULL;
        if (!found(element, user_data, &refused)) {
            if (!refused)
                return TRUE;
            g_propagate_error(error, g_steal_pointer(&refused));
            return FALSE;
        }
        got = xmlTextReaderNext(reader);
    }
    return got == 0 ? TRUE : malformed(reading, error);
}

gboolean soap_read(GBytes *reply, const char *const *names, SoapFound found, gpointer user_data,
                   GError **error)
{
    gsize size;
    const char *text = g_bytes_get_data(reply, &size);
    Reading reading = {0};
    gboolean ok;

    if (!size || size > G_MAXINT) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOAP_MALFORMED,
                    "the reply is no SOAP envelope: it has %" G_GSIZE_FORMAT " bytes", size);
        return FALSE;
    }
    reading.reader = xmlReaderForMemory(text, size, NULL, NULL, READ_OPTIONS);
    if (!reading.reader)
        return malformed(&reading, error);
    xmlTextReaderSetErrorHandler(reading.reader, remember_problem, &reading);
    ok = read_elements(&reading, names, found, user_data, error);
    xmlFreeTextReader(reading.reader);
    return ok;
}

static gboolean take_text(xmlNode *element, gpointer user_data, GError **error)
{
    *(char **)user_data = soap_text(element);
    return FALSE;
}

char *soap_read_text(GBytes *reply, const char *name, GError **error)
{
    const char *const names[] = {name, NULL};
    g_autofree char *text = NULL;

    if (!soap_read(reply, names, take_text, &text, error))
        return NULL;
    if (!text)
        g_set_error(error, GANTRY_ERROR, ERROR_SOAP_MALFORMED, "the reply holds no '%s'", name);
    return g_steal_pointer(&text);
}

/* ---- faults -------------------------------------------------------------------------------------------- */

void soap_fault_clear(SoapFault *fault)
{
    g_clear_pointer(&fault->type, g_free);
    g_clear_pointer(&fault->message, g_free);
    g_clear_pointer(&fault->subject, g_free);
}

/* detail holds one element, named "<Type>Fault", with the type as xsi:type; some peers leave out either. */
static char *fault_type(const xmlNode *detail)
{
    const xmlNode *fault = soap_first(detail);
    g_autofree char *type = soap_type(fault);

    if (type)
        return g_steal_pointer(&type);
    if (!fault)
        return NULL;
    type = g_strdup((const char *)fault->name);
    if (g_str_has_suffix(type, "Fault") && strlen(type) > strlen("Fault"))
        type[strlen(type) - strlen("Fault")] = 0;
    return g_steal_pointer(&type);
}

static char *fault_subject(const xmlNode *fault)
{
    static const char *const names[] = {"privilegeId", "invalidProperty", "name", "obj"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *subject = soap_text(soap_child(fault, names[i]));
        if (subject && *subject)
            return g_steal_pointer(&subject);
    }
    return NULL;
}

static gboolean take_fault(xmlNode *element, gpointer user_data, GError **error)
{
    SoapFault *fault = user_data;

    soap_fault_clear(fault);
    fault->type = fault_type(soap_child(element, "detail"));
    fault->message = soap_text(soap_child(element, "faultstring"));
    fault->subject = fault_subject(soap_first(soap_child(element, "detail")));
    if (!fault->type)
        fault->type = g_strdup("Fault");
    if (!fault->message)
        fault->message = g_strdup("");
    return FALSE;
}

gboolean soap_read_fault(GBytes *reply, SoapFault *fault)
{
    static const char *const names[] = {"Fault", NULL};
    g_auto(SoapFault) read = {0};

    if (!soap_read(reply, names, take_fault, &read, NULL) || !read.type)
        return FALSE;
    *fault = read;
    read = (SoapFault){0};
    return TRUE;
}

void soap_fault_of(xmlNode *element, SoapFault *fault)
{
    fault->type = soap_type(soap_child(element, "fault"));
    fault->message = soap_text(soap_child(element, "localizedMessage"));
    fault->subject = fault_subject(soap_child(element, "fault"));
    if (!fault->type)
        fault->type = g_strdup("MethodFault");
    if (!fault->message || !*fault->message) {
        g_free(fault->message);
        fault->message = g_strdup(fault->type);
    }
}

/* ---- elements ------------------------------------------------------------------------------------------ */

static xmlNode *element_from(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

xmlNode *soap_first(const xmlNode *element)
{
    return element ? element_from(element->children) : NULL;
}

xmlNode *soap_next(const xmlNode *element)
{
    return element ? element_from(element->next) : NULL;
}

gboolean soap_is(const xmlNode *element, const char *name)
{
    return element && !strcmp((const char *)element->name, name);
}

xmlNode *soap_child(const xmlNode *element, const char *name)
{
    xmlNode *child = soap_first(element);
    while (child && !soap_is(child, name))
        child = soap_next(child);
    return child;
}

char *soap_text(const xmlNode *element)
{
    const xmlNode *only = element ? element->children : NULL;

    if (!element)
        return NULL;
    if (!only)
        return g_strdup("");
    if (only->type == XML_TEXT_NODE && !only->next)
        return g_strdup((const char *)only->content);

    xmlChar *content = xmlNodeGetContent(element);
    char *text = g_strdup(content ? (const char *)content : "");
    xmlFree(content);
    return text;
}

const char *soap_peek(const xmlNode *element)
{
    const xmlNode *only = element ? element->children : NULL;

    if (!element)
        return NULL;
    return only && only->type == XML_TEXT_NODE && !only->next ? (const char *)only->content : "";
}

char *soap_attribute(const xmlNode *element, const char *name)
{
    for (const xmlAttr *attribute = element ? element->properties : NULL; attribute;
         attribute = attribute->next)
        if (!strcmp((const char *)attribute->name, name))
            return soap_text((const xmlNode *)attribute);
    return NULL;
}

/* The attribute named "type" in the schema-instance namespace; a reference's own plain "type" is another. */
char *soap_type(const xmlNode *element)
{
    for (const xmlAttr *attribute = element ? element->properties : NULL; attribute;
         attribute = attribute->next) {
        if (strcmp((const char *)attribute->name, "type") || !attribute->ns)
            continue;
        g_autofree char *qualified = soap_text((const xmlNode *)attribute);
        const char *colon = strchr(qualified, ':');
        return g_strdup(colon ? colon + 1 : qualified);
    }
    return NULL;
}
