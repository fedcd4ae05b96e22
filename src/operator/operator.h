/* operator: keeps what is installed as the ForkliftController says: installs, upgrades, repairs, removes.
 *
 * Its ForkliftController is the first by name of the namespace; without one nothing is installed. Its
 * conditions are Running with Successful or Failure, as the original's, and InstallationSettingNotValid.
 * Threads: one of its own works; every function here may be called from any thread.
 */
#pragma once
#include "operator/install.h"

typedef struct Operator Operator;

Operator *operator_start(const Installation *installation); /* which has to outlive it */
void operator_stop(Operator *self);                         /* waits for a pass that runs */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Operator, operator_stop)

/* TRUE once a pass has brought everything to what it should be, or found that nothing is to be installed. */
gboolean operator_ready(Operator *self);
