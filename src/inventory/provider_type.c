/* provider_type: the types that are collected, and how their tables are searched. */
#include "inventory/provider_type.h"
#include <string.h>

static const ProviderKind no_kinds[] = {{NULL}};
static const ProviderTree no_trees[] = {{NULL}};
static const char *const no_members[] = {NULL};

static const ProviderType none = {.type = "",
                                  .about = no_members,
                                  .base = no_members,
                                  .datacenter = "",
                                  .kinds = no_kinds,
                                  .trees = no_trees};

static const ProviderType *const types[] = {&provider_type_vsphere, &provider_type_ovirt, NULL};

const ProviderType *const *provider_types(void)
{
    return types;
}

const ProviderType *provider_type(const char *type)
{
    for (guint i = 0; types[i]; i++)
        if (!strcmp(type, types[i]->type))
            return types[i];
    return &none;
}

const ProviderKind *provider_kind(const ProviderType *type, const char *kind)
{
    for (const ProviderKind *row = type->kinds; row->kind; row++)
        if (!strcmp(kind, row->kind))
            return row;
    return NULL;
}

const ProviderKind *provider_collection(const ProviderType *type, const char *collection)
{
    for (const ProviderKind *row = type->kinds; row->kind; row++)
        if (!strcmp(collection, row->collection))
            return row;
    return NULL;
}

const ProviderTree *provider_tree(const ProviderType *type, const char *name)
{
    for (const ProviderTree *row = type->trees; row->name; row++)
        if (!strcmp(name, row->name))
            return row;
    return NULL;
}
