/* source-probe: calls of source/warm.h for tests: one JSON document a line in, one a line out.
 *
 * The first line is {"type","url","user","password","ca"}; each after it {"call": NAME, …}. What fails
 * answers
 * {"error","reason","class"}.
 */
#include "source/warm.h"
#include <stdio.h>
#include <string.h>

static const char *text(const json_t *ask, const char *name)
{
    return json_string_at(ask, name, NULL);
}

static json_t *done(gboolean good)
{
    return good ? json_object() : NULL;
}

static json_t *call_snapshots(Source *source, const json_t *ask, GError **error)
{
    return source_snapshots(source, text(ask, "vm"), NULL, error);
}

static json_t *call_create(Source *source, const json_t *ask, GError **error)
{
    gboolean quiesced = FALSE;
    g_autofree char *id = source_snapshot_create(source, text(ask, "vm"), text(ask, "owner"),
                                                 text(ask, "label"), text(ask, "since"), &quiesced, NULL, error);
    return id ? json_pack("{s:s,s:b}", "snapshot", id, "quiesced", (int)quiesced) : NULL;
}

static json_t *call_remove(Source *source, const json_t *ask, GError **error)
{
    return done(source_snapshot_remove(source, text(ask, "vm"), text(ask, "snapshot"), NULL, error));
}

static json_t *call_release(Source *source, const json_t *ask, GError **error)
{
    return done(source_snapshot_release(source, text(ask, "vm"), text(ask, "snapshot"), NULL, error));
}

static json_t *call_sweep(Source *source, const json_t *ask, GError **error)
{
    return done(
        source_snapshot_sweep(source, text(ask, "vm"), text(ask, "owner"), text(ask, "keep"), NULL, error));
}

static json_t *call_settle(Source *source, const json_t *ask, GError **error)
{
    return done(source_settle(source, text(ask, "vm"), NULL, error));
}

static json_t *call_track(Source *source, const json_t *ask, GError **error)
{
    g_autofree char *snapshot = NULL;

    return done(source_track_changes(source, text(ask, "vm"), text(ask, "owner"), &snapshot, NULL, error));
}

static json_t *call_disks(Source *source, const json_t *ask, GError **error)
{
    return source_snapshot_disks(source, text(ask, "vm"), text(ask, "snapshot"), NULL, error);
}

static json_t *call_changes(Source *source, const json_t *ask, GError **error)
{
    g_autoptr(json_t) disks = call_disks(source, ask, error);
    g_autoptr(GArray) ranges =
        disks ? source_changes(source, text(ask, "vm"), text(ask, "snapshot"), disks, text(ask, "disk"),
                               text(ask, "changeId"), json_int_at(ask, "size", 0), NULL, error)
              : NULL;
    json_t *list = ranges ? json_array() : NULL;

    for (guint i = 0; ranges && i < ranges->len; i++) {
        const SourceRange *range = &g_array_index(ranges, SourceRange, i);
        json_array_append_new(list, json_pack("[I,I]", (json_int_t)range->start, (json_int_t)range->size));
    }
    return list ? json_pack("{s:o}", "ranges", list) : NULL;
}

static json_t *answer(Source *source, const json_t *ask, GError **error)
{
    static const struct {
        const char *name;
        json_t *(*call)(Source *source, const json_t *ask, GError **error);
    } calls[] = {
        {"snapshots", call_snapshots}, {"create", call_create},   {"remove", call_remove},
        {"sweep", call_sweep},         {"settle", call_settle},   {"track", call_track},
        {"disks", call_disks},         {"changes", call_changes}, {"release", call_release},
    };

    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        if (!g_strcmp0(calls[i].name, text(ask, "call")))
            return calls[i].call(source, ask, error);
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "there is no such call");
    return NULL;
}

static void print(json_t *document)
{
    g_autofree char *line = json_dumps(document, JSON_COMPACT);

    puts(line);
    fflush(stdout);
    json_decref(document);
}

static json_t *read_line(void)
{
    char line[65536];
    return fgets(line, sizeof line, stdin) ? json_loads(line, 0, NULL) : NULL;
}

int main(void)
{
    g_autoptr(json_t) where = read_line();
    const SourceAccess access = {.type = text(where, "type"),
                                 .url = text(where, "url"),
                                 .user = text(where, "user"),
                                 .password = text(where, "password"),
                                 .trust = {.ca_pem = text(where, "ca")}};
    g_autoptr(GError) failed = NULL;
    g_autoptr(Source) source = source_open(&access, &failed);

    if (!source) {
        fprintf(stderr, "source-probe: %s\n", failed->message);
        return 2;
    }
    for (json_t *ask; (ask = read_line()); json_decref(ask)) {
        g_autoptr(GError) error = NULL;
        json_t *reply = answer(source, ask, &error);

        print(reply ? reply
                    : json_pack("{s:s,s:s,s:s}", "error", error->message, "reason", error_reason(error),
                                "class", error_class_name(error_class(error))));
    }
    return 0;
}
