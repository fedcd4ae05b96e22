/* inventory: stocks by their provider's UID. */
#include "inventory/inventory.h"
#include <string.h>

struct Inventory {
    StockOptions options;
    GMutex lock;
    GHashTable *stocks; /* uid → Stock */
};

static void drop_stock(gpointer stock)
{
    stock_unref(stock);
}

Inventory *inventory_new(const StockOptions *options)
{
    Inventory *inventory = g_new0(Inventory, 1);

    inventory->options = *options;
    g_mutex_init(&inventory->lock);
    inventory->stocks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, drop_stock);
    return inventory;
}

void inventory_free(Inventory *inventory)
{
    g_autoptr(GPtrArray) stocks = NULL;

    if (!inventory)
        return;
    stocks = inventory_stocks(inventory);
    for (guint i = 0; i < stocks->len; i++)
        stock_close(stocks->pdata[i], FALSE);
    g_hash_table_unref(inventory->stocks);
    g_mutex_clear(&inventory->lock);
    g_free(inventory);
}

Stock *inventory_stock(Inventory *inventory, const char *uid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&inventory->lock);
    Stock *stock = g_hash_table_lookup(inventory->stocks, uid);
    return stock ? stock_ref(stock) : NULL;
}

Stock *inventory_add(Inventory *inventory, Object *provider, GError **error)
{
    Stock *stock = inventory_stock(inventory, object_uid(provider));

    if (stock) {
        stock_set_provider(stock, provider);
        return stock;
    }
    stock = stock_new(provider, &inventory->options, error);
    if (stock) {
        g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&inventory->lock);
        g_hash_table_insert(inventory->stocks, g_strdup(object_uid(provider)), stock_ref(stock));
    }
    return stock;
}

void inventory_remove(Inventory *inventory, const char *uid)
{
    g_autoptr(Stock) stock = inventory_stock(inventory, uid);

    if (!stock)
        return;
    g_mutex_lock(&inventory->lock);
    g_hash_table_remove(inventory->stocks, uid);
    g_mutex_unlock(&inventory->lock);
    stock_close(stock, TRUE);
}

static gint compare_stocks(gconstpointer a, gconstpointer b)
{
    g_autoptr(Object) one = stock_provider(*(Stock *const *)a);
    g_autoptr(Object) other = stock_provider(*(Stock *const *)b);
    int order = strcmp(object_namespace(one), object_namespace(other));
    return order ? order : strcmp(object_name(one), object_name(other));
}

GPtrArray *inventory_stocks(Inventory *inventory)
{
    GPtrArray *stocks = g_ptr_array_new_with_free_func(drop_stock);
    GHashTableIter iterator;
    gpointer stock;

    g_mutex_lock(&inventory->lock);
    g_hash_table_iter_init(&iterator, inventory->stocks);
    while (g_hash_table_iter_next(&iterator, NULL, &stock))
        g_ptr_array_add(stocks, stock_ref(stock));
    g_mutex_unlock(&inventory->lock);
    g_ptr_array_sort(stocks, compare_stocks);
    return stocks;
}

Stock *inventory_stock_named(Inventory *inventory, const char *ns, const char *name)
{
    g_autoptr(GPtrArray) stocks = inventory_stocks(inventory);

    for (guint i = 0; i < stocks->len; i++) {
        g_autoptr(Object) provider = stock_provider(stocks->pdata[i]);
        if (!strcmp(object_namespace(provider), ns) && !strcmp(object_name(provider), name))
            return stock_ref(stocks->pdata[i]);
    }
    return NULL;
}

/* ---- files of providers that are no more --------------------------------------------------------------- */

static void sweep_folder(const char *folder, GHashTable *uids, int depth)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *uid =
            g_str_has_suffix(name, ".db") ? g_strndup(name, strlen(name) - strlen(".db")) : NULL;

        if (depth > 0)
            sweep_folder(path, uids, depth - 1);
        else if (uid && !g_hash_table_contains(uids, uid))
            database_remove(path);
    }
}

void inventory_sweep(Inventory *inventory, GHashTable *uids)
{
    sweep_folder(inventory->options.folder, uids, 2); /* NAMESPACE/NAME/UID.db */
}
