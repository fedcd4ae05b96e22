/* soap: the envelopes in which vSphere speaks (SOAP 1.1, namespace urn:vim25).
 *
 * Requests are written as text with every value escaped; replies are read with libxml2's pull reader, one
 * element's tree in memory at a time, so a reply of any length costs what its largest element costs. Replies
 * come from outside: a document type, an entity, more than 256 levels or a text of more than 10 MB is refused
 * (SOAP_MALFORMED). Follows https://www.w3.org/TR/2000/NOTE-SOAP-20000508/ and the vSphere Web Services SDK's
 * encoding of it. Threads: no state is shared.
 */
#pragma once
#include "base/errors.h"
#include <libxml/tree.h>

/* ---- requests ------------------------------------------------------------------------------------------ */

/* Opens an envelope and the method's element with its _this. The caller adds parameters in the method's
 * order. */
GString *soap_call(const char *method, const char *this_type, const char *this_id);
void soap_add(GString *call, const char *element, const char *text); /* text is escaped */
void soap_add_ref(GString *call, const char *element, const char *type,
                  const char *id); /* a managed object */
void soap_open(GString *call, const char *element);
void soap_open_typed(GString *call, const char *element, const char *xsi_type);
void soap_close(GString *call, const char *element);
GBytes *soap_finish(GString *call, const char *method); /* closes the envelope; takes call */

/* ---- replies ------------------------------------------------------------------------------------------- */

/* Calls found for each element whose local name is in names (NULL-terminated), in the document's order; what
 * lies within a found element is not searched. The element is borrowed. When found gives FALSE without an
 * error, enough was read: the rest is not looked at. FALSE: the document is malformed or found set an error.
 */
typedef gboolean (*SoapFound)(xmlNode *element, gpointer user_data, GError **error);
gboolean soap_read(GBytes *reply, const char *const *names, SoapFound found, gpointer user_data,
                   GError **error);

/* Text of the first element of that name, to be freed; NULL with an error when there is none. */
char *soap_read_text(GBytes *reply, const char *name, GError **error);

/* What the peer refused: type "InvalidLogin", "NotAuthenticated" …, message in its words, subject what it
 * names (a privilege, a property, an object), or NULL. */
typedef struct {
    char *type, *message, *subject;
} SoapFault;
void soap_fault_clear(SoapFault *fault);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SoapFault, soap_fault_clear)
gboolean soap_read_fault(GBytes *reply, SoapFault *fault); /* FALSE: it holds no fault */

/* The fault inside an element that is a LocalizedMethodFault (TaskInfo.error). */
void soap_fault_of(xmlNode *element, SoapFault *fault);

/* ---- elements ------------------------------------------------------------------------------------------ */

/* Each takes NULL and gives NULL (or absent). Names are local names. */
xmlNode *soap_child(const xmlNode *element, const char *name);
xmlNode *soap_first(const xmlNode *element); /* first child element */
xmlNode *soap_next(const xmlNode *element);  /* next sibling element */
gboolean soap_is(const xmlNode *element, const char *name);
char *soap_text(const xmlNode *element); /* to be freed; NULL when element is NULL, else "" or more */
const char *
soap_peek(const xmlNode *element); /* borrowed; as soap_text(), but "" when it holds more than text */
char *soap_attribute(const xmlNode *element, const char *name); /* to be freed, or NULL; any namespace */
char *soap_type(const xmlNode *element); /* xsi:type without its prefix, to be freed, or NULL */
