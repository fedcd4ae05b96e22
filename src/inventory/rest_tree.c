/* rest_tree: a provider's objects as they hold each other, the way consoles show them. */
#include "inventory/request.h"
#include <string.h>

typedef struct {
    DocumentView *view;
    guint detail; /* of VMs */
    const TreeBranch *branches;
    GHashTable *children; /* "kind/id" of the parent → GPtrArray of nodes, in the database's order */
} Tree;

static json_t *document_at(Tree *tree, const Row *row, guint detail)
{
    g_autoptr(GString) text = g_string_new(NULL);

    document_append(text, tree->view, row, detail);
    return json_loadb(text->str, text->len, 0, NULL);
}

static json_t *new_node(Tree *tree, const Row *row)
{
    json_t *document = document_at(tree, row, strcmp(row->kind, "VM") ? DETAIL_BASE : tree->detail);
    return json_pack("{s:s, s:o?, s:n}", "kind", row->kind, "object", document, "children");
}

static char *parent_key(const TreeBranch *branch, const Row *row)
{
    g_autofree char *braced = NULL;
    g_autoptr(json_t) brief = NULL;

    if (!branch->by)
        return g_strcmp0(row->parent_kind, branch->parent)
                   ? NULL
                   : g_strconcat(row->parent_kind, "/", row->parent_id, NULL);
    braced = g_strconcat("{", row->brief, "}", NULL);
    brief = json_loads(braced, 0, NULL);
    return g_strconcat(branch->parent, "/", json_string_at(brief, branch->by, ""), NULL);
}

static void drop_node(gpointer node)
{
    json_decref(node);
}

static void drop_nodes(gpointer nodes)
{
    g_ptr_array_unref(nodes);
}

static void add_child(Tree *tree, char *key_take, json_t *node_take)
{
    GPtrArray *nodes = g_hash_table_lookup(tree->children, key_take);

    if (!nodes) {
        nodes = g_ptr_array_new_with_free_func(drop_node);
        g_hash_table_insert(tree->children, g_strdup(key_take), nodes);
    }
    g_ptr_array_add(nodes, node_take);
    g_free(key_take);
}

static gboolean hang_row(const Row *row, gpointer user_data)
{
    Tree *tree = user_data;

    for (const TreeBranch *branch = tree->branches; branch->parent; branch++) {
        char *key = strcmp(branch->child, row->kind) ? NULL : parent_key(branch, row);
        if (!key)
            continue;
        add_child(tree, key, new_node(tree, row));
        break;
    }
    return TRUE;
}

static gboolean hang_kind(Tree *tree, Snapshot *snapshot, const char *kind, GError **error)
{
    Query query = {.kind = kind, .full = TRUE, .limit = -1};
    return snapshot_each(snapshot, &query, hang_row, tree, error);
}

static gboolean hang_all(Tree *tree, Snapshot *snapshot, GError **error)
{
    g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

    for (const TreeBranch *branch = tree->branches; branch->parent; branch++)
        if (g_hash_table_add(done, (gpointer)branch->child) &&
            !hang_kind(tree, snapshot, branch->child, error))
            return FALSE;
    return TRUE;
}

enum { MOST_DEPTH = 64 };

/* Children at key, with theirs below them; null where there are none. */
static json_t *grow(Tree *tree, const char *key, int depth)
{
    GPtrArray *nodes = g_hash_table_lookup(tree->children, key);
    json_t *children;

    if (!nodes || depth > MOST_DEPTH)
        return json_null();
    children = json_array();
    for (guint i = 0; i < nodes->len; i++) {
        json_t *node = nodes->pdata[i];
        g_autofree char *child_key =
            g_strconcat(json_string_at(node, "kind", ""), "/", json_string_at(node, "object.id", ""), NULL);
        json_object_set_new(node, "children", grow(tree, child_key, depth + 1));
        json_array_append(children, node);
    }
    return children;
}

typedef struct {
    Tree *tree;
    const char *first_folder;
    json_t *datacenters;
} Roots;

/* What the tree of a datacenter begins below. */
static char *root_key(const Roots *roots, const Row *row, const json_t *document)
{
    g_autofree char *path = roots->first_folder ? g_strconcat(roots->first_folder, ".id", NULL) : NULL;

    return path ? g_strconcat("Folder/", json_string_at(document, path, ""), NULL)
                : g_strconcat(row->kind, "/", row->id, NULL);
}

static gboolean grow_datacenter(const Row *row, gpointer user_data)
{
    Roots *roots = user_data;
    json_t *document = document_at(roots->tree, row, DETAIL_FULL);
    g_autofree char *key = root_key(roots, row, document);

    json_array_append_new(roots->datacenters, json_pack("{s:s, s:o?, s:o}", "kind", row->kind, "object",
                                                        document, "children", grow(roots->tree, key, 0)));
    return TRUE;
}

static json_t *build(Tree *tree, const ProviderType *type, const char *first_folder, Snapshot *snapshot,
                     GError **error)
{
    g_autoptr(json_t) datacenters = json_array();
    Roots roots = {.tree = tree, .first_folder = first_folder, .datacenters = datacenters};
    Query query = {.kind = type->datacenter, .full = TRUE, .limit = -1};

    if (!hang_all(tree, snapshot, error) || !snapshot_each(snapshot, &query, grow_datacenter, &roots, error))
        return NULL;
    return json_pack("{s:s, s:n, s:O}", "kind", "", "object", "children", datacenters);
}

void rest_tree(Request *request, Stock *stock)
{
    const ProviderTree *wanted =
        request->len == 5 ? provider_tree(stock_kinds(stock), request->parts[4]) : NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, &error);
    g_autoptr(DocumentView) view = snapshot ? stock_view(stock, snapshot) : NULL;
    Tree tree = {.view = view, .detail = request->query.detail};
    json_t *root;

    if (!wanted) {
        request_fail(request, 404, "the provider has no such tree");
        return;
    }
    if (!snapshot) {
        request_fail(request, 500, error->message);
        return;
    }
    tree.branches = wanted->branches;
    tree.children = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, drop_nodes);
    root = build(&tree, stock_kinds(stock), wanted->first_folder, snapshot, &error);
    g_hash_table_unref(tree.children);
    if (root)
        request_reply(request, root);
    else
        request_fail(request, 500, error->message);
}
