/* fake_stock: the inventory as the Provider's reconciler sees it, for its test: one stock, whose state a test
 * sets; and a work queue and an informer that do nothing by themselves. Linked instead of those rooms' code.
 * Threads: one.
 */
#pragma once
#include "controller/provider.h"

typedef struct {
    StockStage stage;
    GError *error;                  /* of BROKEN and REFUSED; borrowed */
    const char *about;              /* JSON */
    const char *validation_problem; /* or NULL */
    const char *missing_rights;     /* of VM vm-1, as JSON; NULL: none */
} FakeStock;
extern FakeStock fake_stock;

/* Runs the reconciler for that key once. */
guint fake_stock_reconcile(KubeClient *kube, const char *key, GCancellable *cancel, GError **error);

/* The informer that was started last hears of a change. */
void fake_informer_tell(Object *before, Object *after);
