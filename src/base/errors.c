/* errors: the rows of errors.def as tables. */
#include "base/errors.h"

GQuark gantry_error_quark(void) { return g_quark_from_static_string("gantry-error"); }

static const struct {
    ErrorClass class;
    const char *reason, *remedy;
} rows[] = {
#define ERROR(code, class, reason, remedy) [ERROR_##code] = {class, reason, remedy},
#include "base/errors.def"
#undef ERROR
};

static const struct {
    const char *name;
    int exit_code;
} classes[] = {
    [TRANSIENT] = {"transient", 75}, [CONGESTED] = {"congested", 76}, [STALE] = {"stale", 77}, [FATAL] = {"fatal", 1}};

ErrorClass error_class(const GError *error)
{
    return error->domain == GANTRY_ERROR ? rows[error->code].class : TRANSIENT;
}

const char *error_class_name(ErrorClass class) { return classes[class].name; }

const char *error_reason(const GError *error)
{
    return error->domain == GANTRY_ERROR ? rows[error->code].reason : "Unexpected";
}

const char *error_remedy(const GError *error)
{
    return error->domain == GANTRY_ERROR ? rows[error->code].remedy : "Please report this.";
}

int error_exit_code(const GError *error) { return classes[error_class(error)].exit_code; }
