/* fault_test: what vSphere's faults become. */
#include "source/vsphere/vsphere.h"
#include <string.h>

static void each_fault_has_its_error(void)
{
    static const struct {
        const char *type;
        ErrorCode code;
    } rows[] = {
        {"InvalidLogin", ERROR_SOURCE_LOGIN},
        {"NotAuthenticated", ERROR_SESSION_EXPIRED},
        {"ManagedObjectNotFound", ERROR_SOURCE_NOT_FOUND},
        {"RequestCanceled", ERROR_CANCELED},
        {"NoPermission", ERROR_SOURCE_FAULT},
        {"TaskInProgress", ERROR_SOURCE_FAULT},
        {"WhatNobodyKnows", ERROR_SOURCE_FAULT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const SoapFault fault = {
            .type = (char *)rows[i].type, .message = (char *)"", .subject = (char *)"VApp.Export"};
        g_autoptr(GError) error = NULL;
        vsphere_fault_error(&fault, "exporting vm-1", &error);
        g_assert_error(error, GANTRY_ERROR, (int)rows[i].code);
        g_assert_nonnull(strstr(error->message, "exporting vm-1: "));
        g_assert_nonnull(strstr(error->message, "VApp.Export"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/source/vsphere/fault/each fault has its error", each_fault_has_its_error);
    return g_test_run();
}
