/* errors: the rows of errors.def as tables. */
#include "base/errors.h"
#include <gio/gio.h>

GQuark gantry_error_quark(void) { return g_quark_from_static_string("gantry-error"); }

typedef struct {
    ErrorClass class;
    const char *reason, *remedy;
} Row;

static const Row rows[] = {
#define ERROR(code, class, reason, remedy) [ERROR_##code] = {class, reason, remedy},
#include "base/errors.def"
#undef ERROR
};

static const struct {
    const char *name;
    int exit_code;
} classes[] = {
    [TRANSIENT] = {"transient", 75}, [CONGESTED] = {"congested", 76}, [STALE] = {"stale", 77}, [FATAL] = {"fatal", 1}};

/* The error's row; NULL: none of ours. That somebody asked to stop is GIO's word as much as ours. */
static const Row *row_of(const GError *error)
{
    if (error->domain == GANTRY_ERROR)
        return &rows[error->code];
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? &rows[ERROR_CANCELED] : NULL;
}

ErrorClass error_class(const GError *error)
{
    const Row *row = row_of(error);
    return row ? row->class : TRANSIENT;
}

const char *error_class_name(ErrorClass class) { return classes[class].name; }

const char *error_reason(const GError *error)
{
    const Row *row = row_of(error);
    return row ? row->reason : "Unexpected";
}

const char *error_remedy(const GError *error)
{
    const Row *row = row_of(error);
    return row ? row->remedy : "Please report this.";
}

int error_exit_code(const GError *error) { return classes[error_class(error)].exit_code; }
