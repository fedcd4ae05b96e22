/* log: formats a line and writes it with one write(2). */
#include "base/log.h"
#include "base/clock.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };
static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
static const struct {
    const char *variable, *key;
} abouts[] = {{"LOG_PLAN", "plan"}, {"LOG_VM", "vm"}};
static gint limit = -1;      /* atomic; -1 until the environment was read */
static gint configured = -1; /* atomic; -1 until settings were read */

void log_set_level(int level)
{
    g_atomic_int_set(&limit, CLAMP(level, LEVEL_ERROR, LEVEL_DEBUG));
}

void log_configure_level(int level)
{
    if (g_atomic_int_exchange(&configured, level) != level)
        log_set_level(level);
}

int log_level(void)
{
    if (g_atomic_int_get(&limit) < 0) {
        const char *text = g_getenv("LOG_LEVEL");
        log_set_level(text && *text ? atoi(text) : LEVEL_INFO);
    }
    return g_atomic_int_get(&limit);
}

/* Without blanks, and without what would end the line or steer the terminal that shows it. */
static gboolean is_plain(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((guchar)*c <= ' ' || *c == 0x7f || strchr("\"=", *c))
            return FALSE;
    return *value != '\0';
}

static void append_value(GString *line, const char *value)
{
    if (is_plain(value)) {
        g_string_append(line, value);
        return;
    }
    g_autofree char *escaped = g_strescape(value, NULL);
    g_string_append_printf(line, "\"%s\"", escaped);
}

static void append_pair(GString *line, const char *key, const char *value)
{
    g_string_append_printf(line, " %s=", key);
    append_value(line, value);
}

static void write_line(int level, const char *message, va_list pairs)
{
    g_autofree char *now = clock_now();
    g_autoptr(GString) line = g_string_new(NULL);
    gboolean said[G_N_ELEMENTS(abouts)] = {FALSE};
    const char *key;

    g_string_printf(line, "%s %s %s", now, names[level], message);
    while ((key = va_arg(pairs, const char *))) {
        const char *value = va_arg(pairs, const char *);
        if (!value)
            continue;
        append_pair(line, key, value);
        for (guint i = 0; i < G_N_ELEMENTS(abouts); i++)
            said[i] |= !strcmp(key, abouts[i].key);
    }
    for (guint i = 0; i < G_N_ELEMENTS(abouts); i++) {
        const char *value = said[i] ? NULL : g_getenv(abouts[i].variable);
        if (value && *value)
            append_pair(line, abouts[i].key, value);
    }
    g_string_append_c(line, '\n');
    if (write(STDERR_FILENO, line->str, line->len) < 0)
        return; /* nobody is left to tell */
}

#define LEVEL_FUNCTION(name, level)                                                                          \
    void name(const char *message, ...)                                                                      \
    {                                                                                                        \
        va_list pairs;                                                                                       \
        if (level > log_level())                                                                             \
            return;                                                                                          \
        va_start(pairs, message);                                                                            \
        write_line(level, message, pairs);                                                                   \
        va_end(pairs);                                                                                       \
    }

LEVEL_FUNCTION(log_debug, LEVEL_DEBUG)
LEVEL_FUNCTION(log_info, LEVEL_INFO)
LEVEL_FUNCTION(log_warn, LEVEL_WARN)
LEVEL_FUNCTION(log_error, LEVEL_ERROR)
