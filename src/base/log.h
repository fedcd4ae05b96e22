/* log: one line per decision on standard error: time, level, message, then key=value pairs.
 *
 *   log_info("disk copied", "plan", plan, "vm", vm_id, "bytes", "1048576", NULL);
 *   2026-11-23T03:21:20Z INFO disk copied plan=openshift-mtv/p vm=vm-12 bytes=1048576
 *
 * The same keys everywhere: plan (always NS/NAME), migration, vm, disk, phase, provider, namespace, name, error. Values with
 * blanks are quoted, with control characters escaped. A NULL value is left out. A process that works for one VM of one plan
 * is told so in $LOG_PLAN and $LOG_VM, and each of its lines has those keys. Low rooms return errors and do not log. Never
 * pass a password, token, ticket or cookie.
 * Threads: any; a line is written whole.
 */
#pragma once
#include "base/errors.h"

void log_debug(const char *message, ...) G_GNUC_NULL_TERMINATED;
void log_info(const char *message, ...) G_GNUC_NULL_TERMINATED;
void log_warn(const char *message, ...) G_GNUC_NULL_TERMINATED;
void log_error(const char *message, ...) G_GNUC_NULL_TERMINATED;

/* 0 errors only … 3 debug lines too; the start value is $LOG_LEVEL (as Forklift's Deployments set it), else 2. */
void log_set_level(int level);
/* What the settings say, as often as they are read: in force when they say another than before, so that a level which somebody
 * has set since (gantry debug level) lasts. */
void log_configure_level(int level);
int  log_level(void);
