/* report_test: a plan's status as a person reads it. */
#include "gather/report.h"

static void a_plan_is_told_vm_by_vm(void)
{
    static const char status[] =
        "{\"metadata\":{\"namespace\":\"openshift-mtv\",\"name\":\"p\",\"uid\":\"u\"},\"status\":{"
        "\"migration\":{\"vms\":["
        "{\"id\":\"vm-1\",\"name\":\"web\",\"phase\":\"Completed\",\"started\":\"T1\",\"completed\":\"T2\","
        "\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"True\"}],\"pipeline\":[{\"name\":"
        "\"DiskTransfer\","
        "\"phase\":\"Completed\",\"started\":\"T1\",\"completed\":\"T2\",\"tasks\":[{\"name\":\"[ds] "
        "a.vmdk\",\"phase\":"
        "\"Completed\",\"progress\":{\"completed\":32,\"total\":32},\"annotations\":{\"unit\":\"MB\","
        "\"hash\":"
        "\"xxh3-128:0\",\"readBack\":\"equal\"}}]}]},"
        "{\"id\":\"vm-2\",\"name\":\"db\",\"phase\":\"CopyDisks\",\"started\":\"T1\",\"error\":{\"reasons\":["
        "\"no room\"]}}]}}}";
    static const char wanted[] = "Plan openshift-mtv/p (u)\n"
                                 "\n  VM web (vm-1): Succeeded, phase Completed, T1 - T2\n"
                                 "    DiskTransfer         Completed  T1 - T2\n"
                                 "      [ds] a.vmdk: Completed, 32 of 32 MB, xxh3-128:0, read back: equal\n"
                                 "\n  VM db (vm-2): Running, phase CopyDisks, T1 - \n"
                                 "    error: no room\n";
    g_autoptr(Object) plan = object_new_take(json_loads(status, 0, NULL));
    g_autofree char *text = plan_report_text(plan, NULL);

    g_assert_cmpstr(text, ==, wanted);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gather/report/a plan is told VM by VM", a_plan_is_told_vm_by_vm);
    return g_test_run();
}
