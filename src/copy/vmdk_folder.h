/* vmdk_folder: VMDKs in folders of this machine, named by their paths. */
#pragma once
#include "copy/vmdk_store.h"

extern VmdkStore vmdk_folder; /* has no state: it needs no making */
