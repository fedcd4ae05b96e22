/* warm: reading and writing status.warm. */
#include "plan/warm.h"
#include "base/clock.h"
#include "plan/vm_status.h"
#include <stdio.h>
#include <string.h>

#define PASS "precopy-%u"

/* ---- when ---- */

gint64 warm_cutover_at(const json_t *spec, const char *vm_id)
{
    const char *at = json_string_at(spec, "cutover", json_string_at(spec, "plan.cutover", ""));
    size_t i;
    json_t *own;

    json_array_foreach (json_object_get(spec, "vmCutover"), i, own)
        if (!strcmp(json_string_at(own, "id", ""), vm_id))
            at = json_string_at(own, "cutover", at);
    return clock_parse(at);
}

static json_t *warm_of(json_t *vm)
{
    json_t *warm = json_object_get(vm, "warm");

    if (!warm) {
        warm = json_pack("{s:i, s:i, s:i, s:[]}", "successes", 0, "failures", 0, "consecutiveFailures", 0,
                         "precopies");
        json_object_set_new(vm, "warm", warm);
    }
    return warm;
}

static json_t *precopies(const json_t *vm)
{
    return json_at(vm, "warm.precopies");
}

/* One that failed is not waited for as long. */
static gint64 pause_us(const json_t *vm, gint interval_s)
{
    gint seconds = json_int_at(vm, "warm.consecutiveFailures", 0) ? MIN(interval_s, 60) : interval_s;
    return seconds * (gint64)G_USEC_PER_SEC;
}

WarmNext warm_next(json_t *vm, const json_t *migration_spec, gint interval_s, gint64 now)
{
    gint64 cutover = warm_cutover_at(migration_spec, json_string_at(vm, "id", ""));
    gint64 ended = clock_parse(json_string_at(warm_last(vm), "end", ""));
    gint64 next = ended < 0 ? now : ended + pause_us(vm, interval_s);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(next / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");

    if (cutover >= 0 && cutover <= now) {
        json_object_del(warm_of(vm), "nextPrecopyAt");
        return WARM_CUTOVER;
    }
    json_object_set_new(warm_of(vm), "nextPrecopyAt", json_string(text));
    return next <= now ? WARM_PRECOPY : WARM_WAIT;
}

/* ---- precopies ---- */

json_t *warm_last(const json_t *vm)
{
    size_t count = json_array_size(precopies(vm));
    return count ? json_array_get(precopies(vm), count - 1) : NULL;
}

static void set_now(json_t *json, const char *key)
{
    g_autofree char *now = clock_now();
    json_object_set_new(json, key, json_string(now));
}

static void add_to(json_t *warm, const char *key, gint64 by)
{
    json_object_set_new(warm, key, json_integer(json_int_at(warm, key, 0) + by));
}

/* Of those between the first and the last; the one that the next pass starts from is never left out. */
static void leave_out_old(json_t *vm)
{
    json_t *list = precopies(vm);

    for (size_t i = WARM_FIRST;
         json_array_size(list) > WARM_FIRST + WARM_LAST && i + 1 < json_array_size(list);) {
        if (json_array_get(list, i) == warm_base(vm)) {
            i++;
            continue;
        }
        json_array_remove(list, i);
        add_to(warm_of(vm), "leftOut", 1);
    }
}

json_t *warm_begin(json_t *vm)
{
    json_t *precopy = json_object();

    set_now(precopy, "start");
    json_array_append_new(json_object_get(warm_of(vm), "precopies"), precopy);
    leave_out_old(vm);
    return precopy;
}

guint warm_number(const json_t *vm)
{
    return json_array_size(precopies(vm)) + json_int_at(vm, "warm.leftOut", 0);
}

gboolean warm_is_open(const json_t *precopy)
{
    return precopy && !json_object_get(precopy, "end");
}

void warm_set_snapshot(json_t *precopy, const char *snapshot)
{
    json_object_set_new(precopy, "snapshot", json_string(snapshot));
}

const char *warm_snapshot(const json_t *precopy)
{
    return json_string_at(precopy, "snapshot", NULL);
}

static json_t *find_delta(const json_t *precopy, const char *disk)
{
    size_t i;
    json_t *delta;

    json_array_foreach (json_object_get(precopy, "deltas"), i, delta)
        if (!strcmp(json_string_at(delta, "disk", ""), disk))
            return delta;
    return NULL;
}

void warm_set_delta(json_t *precopy, const char *disk, const char *change_id)
{
    json_t *delta = find_delta(precopy, disk);

    if (!json_object_get(precopy, "deltas"))
        json_object_set_new(precopy, "deltas", json_array());
    if (delta)
        json_object_set_new(delta, "deltaId", json_string(change_id));
    else
        json_array_append_new(json_object_get(precopy, "deltas"),
                              json_pack("{s:s, s:s}", "disk", disk, "deltaId", change_id));
}

const char *warm_delta(const json_t *precopy, const char *disk)
{
    return json_string_at(find_delta(precopy, disk), "deltaId", NULL);
}

/* One that was given up has no deltas left. */
const json_t *warm_base(const json_t *vm)
{
    const json_t *list = precopies(vm);

    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *precopy = json_array_get(list, i);
        if (!warm_is_open(precopy) && json_array_size(json_object_get(precopy, "deltas")))
            return precopy;
    }
    return NULL;
}

void warm_take_up(json_t *vm, const json_t *earlier)
{
    const json_t *base = warm_base(earlier);

    if (base)
        json_array_append_new(json_object_get(warm_of(vm), "precopies"), json_deep_copy(base));
}

guint warm_count(const json_t *vm)
{
    return json_int_at(vm, "warm.successes", 0);
}

static void annotate_pass(json_t *step, guint number, const char *pass)
{
    g_autofree char *key = g_strdup_printf(PASS, number), *old = NULL;

    item_annotate(step, key, pass);
    if (number > WARM_FIRST + WARM_LAST) {
        old = g_strdup_printf(PASS, number - WARM_LAST);
        json_object_del(json_object_get(step, "annotations"), old);
    }
}

void warm_succeed(json_t *vm, json_t *step)
{
    json_t *warm = warm_of(vm), *last = warm_last(vm);
    gint64 seconds = (g_get_real_time() - clock_parse(json_string_at(last, "start", ""))) / G_USEC_PER_SEC,
           bytes = 0;
    g_autofree char *pass = NULL;
    size_t i;
    json_t *task;

    set_now(last, "end");
    add_to(warm, "successes", 1);
    json_object_set_new(warm, "consecutiveFailures", json_integer(0));
    json_array_foreach (json_object_get(step, "tasks"), i, task) {
        const char *read = item_annotation(task, "bytesRead");
        bytes += read ? g_ascii_strtoll(read, NULL, 10) : 0;
    }
    pass = g_strdup_printf("%" G_GINT64_FORMAT " bytes in %" G_GINT64_FORMAT " s", bytes, MAX(seconds, 1));
    annotate_pass(step, warm_count(vm), pass);
}

void warm_fail(json_t *vm, const GError *why)
{
    json_t *last = warm_last(vm);

    set_now(last, "end");
    json_object_set_new(last, "error", json_string(why->message));
    json_object_del(last, "deltas");
    add_to(warm_of(vm), "failures", 1);
    add_to(warm_of(vm), "consecutiveFailures", 1);
}

const char *warm_failure(const json_t *vm)
{
    return json_string_at(warm_last(vm), "error", NULL);
}

gint64 warm_forecast_s(const json_t *vm, const json_t *step, gint64 now)
{
    guint count = warm_count(vm);
    g_autofree char *key = g_strdup_printf(PASS, count);
    const char *pass = item_annotation(step, key);
    const json_t *list = precopies(vm), *last = warm_base(vm), *before = NULL;
    gint64 bytes, seconds, taken, earlier;

    for (size_t i = 0; i < json_array_size(list) && json_array_get(list, i) != last; i++)
        if (json_object_get(json_array_get(list, i), "deltas"))
            before = json_array_get(list, i);
    if (count < 2 || !before || !pass ||
        sscanf(pass, "%" G_GINT64_FORMAT " bytes in %" G_GINT64_FORMAT, &bytes, &seconds) != 2)
        return -1;
    taken = clock_parse(json_string_at(last, "start", ""));
    earlier = clock_parse(json_string_at(before, "start", ""));
    if (taken <= earlier || seconds < 1)
        return -1;
    /* So much changes until now, at that rate it is copied. */
    return (gint64)((double)seconds * (double)(now - taken) / (double)(taken - earlier)) + 1;
}
