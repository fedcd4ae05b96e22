/* Any bytes in place of a manifest: it is refused with a reason, or tells what a target should hold. */
#include "copy/report.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static char path[] = "/tmp/fuzz-manifest-XXXXXX", target[] = "/tmp/fuzz-target-XXXXXX";
    static int fd = -1, target_fd = -1;
    g_auto(ManifestResult) result = {0};
    g_autoptr(GError) error = NULL;
    gboolean good;

    if (fd < 0) {
        fd = g_mkstemp(path);
        target_fd = g_mkstemp(target);
        if (ftruncate(target_fd, 8 << 20) < 0)
            return 0;
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    good = manifest_verify(path, target, &result, NULL, &error);
    g_assert_true(good == (error == NULL));
    if (result.head) {
        g_autoptr(json_t) report = report_json(&result);
        g_autofree char *text = report_text(report);
        g_assert_nonnull(text);
    }
    return 0;
}
