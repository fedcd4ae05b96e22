/* fetch: what breaks is read again from where it broke; classes decide what comes between. */
#include "copy/fetch.h"
#include <string.h>

#define SIZE (1 << 20)

/* A reader whose byte at offset i is i / 512, and that fails as it is told. */
typedef struct {
    Reader reader;
    const int *plan; /* error codes of the tries to come, -1 for a good one; good from its end on */
    guint len, tries, renewals;
    gsize progress;       /* bytes that a failing try delivers */
    guint64 largest, all; /* request; bytes asked for */
    Extent hole;
} FakeReader;

static guint8 byte_at(guint64 offset)
{
    return offset / 512;
}

static gboolean read_fake(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                          GCancellable *cancel, GError **error)
{
    FakeReader *fake = (FakeReader *)reader;
    int code = fake->tries < fake->len ? fake->plan[fake->tries] : -1;
    gsize until = code < 0 ? size : MIN(size, *done + fake->progress);

    fake->tries++;
    fake->largest = MAX(fake->largest, size);
    for (; *done < until; (*done)++, fake->all++)
        buffer[*done] = byte_at(start + *done);
    if (code >= 0)
        g_set_error(error, GANTRY_ERROR, code, "told to");
    return code < 0;
}

static gboolean extents_fake(Reader *reader, guint64 start, guint64 size, GArray *extents,
                             GCancellable *cancel, GError **error)
{
    const Extent hole = ((FakeReader *)reader)->hole;
    const Extent parts[] = {{start, hole.start - start, FALSE},
                            hole,
                            {hole.start + hole.size, start + size - hole.start - hole.size, FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i].size)
            g_array_append_val(extents, parts[i]);
    return TRUE;
}

static gboolean renew_fake(Reader *reader, gint session, GCancellable *cancel, GError **error)
{
    ((FakeReader *)reader)->renewals++;
    return TRUE;
}

static const ReaderType renewable = {.type = "fake", .read = read_fake, .renew = renew_fake},
                        plain = {.type = "fake", .read = read_fake},
                        mapped = {.type = "fake", .extents = extents_fake, .read = read_fake};

static FakeReader fake_reader(const ReaderType *type, const int *plan, guint len)
{
    return (FakeReader){.reader = {.type = type, .size = SIZE, .parallel = 8}, .plan = plan, .len = len};
}

static void count(guint64 bytes, gpointer user_data)
{
    __atomic_add_fetch((guint64 *)user_data, bytes, __ATOMIC_RELAXED);
}

static gboolean fetch_all(FakeReader *fake, guint *depth, guint64 *counted, GError **error)
{
    g_autoptr(Fetch) fetch = fetch_new(&fake->reader, NULL, count, counted);
    g_autofree guint8 *buffer = g_malloc(SIZE);
    gboolean zero, good;

    fetch_take_turn(fetch);
    good = fetch_range(fetch, 0, SIZE, buffer, &zero, NULL, error);
    fetch_give_turn_back(fetch);

    for (guint64 i = 0; good && !zero && i < SIZE; i += 101) {
        gboolean in_hole = i >= fake->hole.start && i < fake->hole.start + fake->hole.size;
        g_assert_cmpuint(buffer[i], ==, in_hole && fake->largest < SIZE ? 0 : byte_at(i));
    }
    *depth = fetch_depth(fetch);
    return good;
}

static void a_broken_read_goes_on_where_it_broke(void)
{
    const int plan[] = {ERROR_SOURCE_READ, ERROR_SOURCE_READ, ERROR_SOURCE_READ};
    FakeReader fake = fake_reader(&plain, plan, G_N_ELEMENTS(plan));
    g_autoptr(GError) error = NULL;
    guint64 counted = 0;
    guint depth;

    fake.progress = 1000;
    g_assert_true(fetch_all(&fake, &depth, &counted, &error));
    g_assert_cmpuint(fake.tries, ==, 4);
    g_assert_cmpuint(fake.all, ==, SIZE);
    g_assert_cmpuint(counted, ==, SIZE);
}

static void a_busy_source_is_asked_for_less_at_once(void)
{
    const int plan[] = {ERROR_SOURCE_BUSY};
    FakeReader fake = fake_reader(&plain, plan, G_N_ELEMENTS(plan));
    guint64 counted = 0;
    guint depth;

    g_assert_true(fetch_all(&fake, &depth, &counted, NULL));
    g_assert_cmpuint(depth, ==, 1);
}

/* What eight threads see of a source: a read takes 20 ms, and of those at once only so many go on. */
typedef struct {
    FakeReader fake;
    GMutex lock;
    GCond room;
    guint at_once, most;
} SlowReader;

static gboolean read_slowly(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                            GCancellable *cancel, GError **error)
{
    SlowReader *slow = (SlowReader *)reader;

    g_mutex_lock(&slow->lock);
    while (slow->at_once >= slow->most)
        g_cond_wait(&slow->room, &slow->lock);
    slow->at_once++;
    g_mutex_unlock(&slow->lock);
    g_usleep(20000); /* much more than a busy machine adds */
    g_mutex_lock(&slow->lock);
    slow->at_once--;
    g_cond_broadcast(&slow->room);
    g_mutex_unlock(&slow->lock);
    *done = size;
    return TRUE;
}

static const ReaderType slow_type = {.type = "slow", .read = read_slowly};

typedef struct {
    Fetch *fetch;
    guint wanted;
    gint64 end;
} Reading;

static gpointer read_until_deep(gpointer user_data)
{
    Reading *reading = user_data;
    g_autofree guint8 *buffer = g_malloc(SIZE);
    gboolean zero;

    while (fetch_depth(reading->fetch) < reading->wanted && g_get_monotonic_time() < reading->end) {
        fetch_take_turn(reading->fetch);
        g_assert_true(fetch_range(reading->fetch, 0, SIZE, buffer, &zero, NULL, NULL));
        fetch_give_turn_back(reading->fetch);
    }
    return NULL;
}

static void more_is_read_at_once_as_long_as_that_helps(void)
{
    SlowReader slow = {.fake = fake_reader(&slow_type, NULL, 0), .most = 8};
    guint64 counted = 0;
    g_autoptr(Fetch) fetch = fetch_new(&slow.fake.reader, NULL, count, &counted);
    Reading reading = {fetch, 6, g_get_monotonic_time() + 60 * G_USEC_PER_SEC};
    GThread *threads[8];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("read", read_until_deep, &reading);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(fetch_depth(fetch), >=, 6);
}

static void zeros_are_counted_up_to_the_first_data(void)
{
    FakeReader fake = fake_reader(&mapped, NULL, 0);
    guint64 counted = 0, zeros;
    g_autoptr(Fetch) fetch = fetch_new(&fake.reader, NULL, count, &counted);

    fake.hole = (Extent){4096, 65536, TRUE};
    g_assert_true(fetch_zeros(fetch, 0, SIZE, &zeros, NULL, NULL));
    g_assert_cmpuint(zeros, ==, 0);
    g_assert_true(fetch_zeros(fetch, 8192, SIZE, &zeros, NULL, NULL));
    g_assert_cmpuint(zeros, ==, 61440);
    g_assert_true(fetch_zeros(fetch, 8192, 512, &zeros, NULL, NULL));
    g_assert_cmpuint(zeros, ==, 512);
}

static void a_session_that_ended_is_renewed(void)
{
    const int plan[] = {ERROR_SESSION_EXPIRED};
    FakeReader fake = fake_reader(&renewable, plan, G_N_ELEMENTS(plan));
    guint64 counted = 0;
    guint depth;

    g_assert_true(fetch_all(&fake, &depth, &counted, NULL));
    g_assert_cmpuint(fake.renewals, ==, 1);
    g_assert_cmpuint(depth, ==, 2);
}

static void what_cannot_be_mended_is_not_tried_again(void)
{
    static const int codes[] = {ERROR_SOURCE_FORBIDDEN, ERROR_SOURCE_NOT_FOUND, ERROR_SOURCE_CHANGED,
                                ERROR_TICKET_EXPIRED, ERROR_SOURCE_LOGIN};

    for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
        FakeReader fake = fake_reader(&plain, &codes[i], 1);
        g_autoptr(GError) error = NULL;
        guint64 counted = 0;
        guint depth;

        g_assert_false(fetch_all(&fake, &depth, &counted, &error));
        g_assert_error(error, GANTRY_ERROR, codes[i]);
        g_assert_cmpuint(fake.tries, ==, 1);
    }
}

static void a_large_hole_is_not_read_and_a_small_one_is(void)
{
    static const struct {
        guint64 hole, asked;
    } cases[] = {{512 * 1024, SIZE - 512 * 1024}, {64 * 1024, SIZE}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        FakeReader fake = fake_reader(&mapped, NULL, 0);
        guint64 counted = 0;
        guint depth;

        fake.hole = (Extent){256 * 1024, cases[i].hole, TRUE};
        g_assert_true(fetch_all(&fake, &depth, &counted, NULL));
        g_assert_cmpuint(fake.all, ==, cases[i].asked);
    }
}

/* A map that is refused once, to two threads with one turn between them after that. */
static gboolean extents_busy(Reader *reader, guint64 start, guint64 size, GArray *extents,
                             GCancellable *cancel, GError **error)
{
    SlowReader *slow = (SlowReader *)reader;
    Extent all = {start, size, FALSE};

    g_usleep(20 * 1000);
    if (slow->fake.tries++ == 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "told to");
        return FALSE;
    }
    g_array_append_val(extents, all);
    return TRUE;
}

static const ReaderType busy_type = {.type = "busy", .extents = extents_busy, .read = read_slowly};

static gpointer read_once(gpointer user_data)
{
    g_autofree guint8 *buffer = g_malloc(SIZE);
    gboolean zero;

    fetch_take_turn(user_data);
    g_assert_true(fetch_range(user_data, 0, SIZE, buffer, &zero, NULL, NULL));
    fetch_give_turn_back(user_data);
    return NULL;
}

static void a_map_that_is_asked_for_again_holds_up_nobody(void)
{
    SlowReader slow = {.fake = fake_reader(&busy_type, NULL, 0), .most = 8};
    guint64 counted = 0;
    g_autoptr(Fetch) fetch = NULL;
    GThread *threads[6];

    slow.fake.reader.parallel = 1;
    fetch = fetch_new(&slow.fake.reader, NULL, count, &counted);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("read", read_once, fetch);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(counted, ==, G_N_ELEMENTS(threads) * SIZE);
}

static void a_hole_all_over_is_only_said(void)
{
    FakeReader fake = fake_reader(&mapped, NULL, 0);
    g_autoptr(Fetch) fetch = NULL;
    guint64 counted = 0;
    gboolean zero = FALSE;

    fake.hole = (Extent){0, SIZE, TRUE};
    fetch = fetch_new(&fake.reader, NULL, count, &counted);
    g_assert_true(fetch_range(fetch, 0, SIZE, NULL, &zero, NULL, NULL));
    g_assert_true(zero);
    g_assert_cmpuint(fake.tries, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/fetch/a broken read goes on where it broke", a_broken_read_goes_on_where_it_broke);
    g_test_add_func("/copy/fetch/a busy source is asked for less at once",
                    a_busy_source_is_asked_for_less_at_once);
    g_test_add_func("/copy/fetch/more is read at once as long as that helps",
                    more_is_read_at_once_as_long_as_that_helps);
    g_test_add_func("/copy/fetch/zeros are counted up to the first data",
                    zeros_are_counted_up_to_the_first_data);
    g_test_add_func("/copy/fetch/a session that ended is renewed", a_session_that_ended_is_renewed);
    g_test_add_func("/copy/fetch/what cannot be mended is not tried again",
                    what_cannot_be_mended_is_not_tried_again);
    g_test_add_func("/copy/fetch/a large hole is not read and a small one is",
                    a_large_hole_is_not_read_and_a_small_one_is);
    g_test_add_func("/copy/fetch/a map that is asked for again holds up nobody",
                    a_map_that_is_asked_for_again_holds_up_nobody);
    g_test_add_func("/copy/fetch/a hole all over is only said", a_hole_all_over_is_only_said);
    return g_test_run();
}
