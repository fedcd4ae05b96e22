/* plan: checks a Plan, runs its Migrations, archives it. */
#include "base/log.h"
#include "controller/controllers.h"
#include "controller/status.h"
#include "plan/check.h"
#include "plan/execution.h"

/* An archived plan ends what runs, loses what is temporary, and is never run again. */
static guint archive(Execution *execution, json_t *status, Conditions *conditions, GCancellable *cancel,
                     GError **error)
{
    if (execution_active(status)) {
        execution->cancel_all = TRUE;
        execution_pass(execution, status, conditions, cancel, error);
        return AGAIN_RUNNING;
    }
    if (!execution_archive(execution, status, cancel, error))
        return AGAIN_SOON;
    conditions_set_durable(conditions, "Archived", CONDITION_ADVISORY, "UserRequested",
                           "The plan has been archived.");
    return 0;
}

static guint execute(Execution *execution, json_t *status, Conditions *conditions, GCancellable *cancel,
                     GError **error)
{
    switch (execution_pass(execution, status, conditions, cancel, error)) {
    case EXECUTION_ADVANCED:
        return AGAIN_NOW;
    case EXECUTION_WAITING:
        return AGAIN_RUNNING;
    case EXECUTION_RUNNING:
        return AGAIN_LATER;
    default:
        return execution->ready ? AGAIN_LATER : AGAIN_SOON;
    }
}

static guint pass(Execution *execution, json_t *status, Conditions *conditions, GCancellable *cancel,
                  GError **error)
{
    if (json_bool_at(object_json(execution->run.plan), "spec.archived", FALSE))
        return archive(execution, status, conditions, cancel, error);
    if (!conditions_blocked(conditions) && !conditions_has(conditions, "ValidatingSource"))
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The migration plan is ready.");
    execution->ready = conditions_has(conditions, "Ready");
    return execute(execution, status, conditions, cancel, error);
}

/* The Migrations are listed before the plan is read: one that begins begins with all that was written to the
 * plan before the Migration was made. */
guint plan_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    Controllers *controllers = data;
    KubeClient *kube = controllers_kube(controllers);
    g_autoptr(GError) problem = NULL;
    g_autoptr(GPtrArray) migrations = controllers_migrations_of(controllers, key);
    g_autoptr(Object) plan = status_get(kube, &KUBE_PLAN, key, cancel, &problem);
    g_autoptr(Settings) settings = settings_ref();
    g_autoptr(Conditions) conditions = NULL;
    g_autoptr(json_t) status = NULL;
    g_auto(PlanCheck) check = {0};
    Execution execution;
    guint again;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return AGAIN_SOON;
    }
    if (!plan)
        return 0; /* the sweep sees to what it has left */
    if (object_condition(plan, "Archived"))
        return 0;
    conditions = status_conditions(plan);
    status = status_copy(plan);
    check = (PlanCheck){.kube = kube,
                        .inventory = controllers_inventory(controllers),
                        .settings = settings,
                        .plan = plan,
                        .conditions = conditions,
                        .executing = execution_active(status) != NULL,
                        .image = controllers_image(controllers),
                        .home = controllers_home(controllers)};
    if (!plan_check_run(&check, cancel, &problem)) {
        log_debug("plan cannot be checked yet", "plan", key, "error", problem->message, NULL);
        return AGAIN_SOON;
    }
    execution = (Execution){
        .run = plan_check_objects(&check), .crew = controllers_crew(controllers), .migrations = migrations};
    again = pass(&execution, status, conditions, cancel, &problem);
    if (problem)
        log_warn("plan is tried again", "plan", key, "error", problem->message, NULL);
    g_clear_error(&problem);
    if (check.validating && (!again || again > AGAIN_RUNNING))
        again = AGAIN_RUNNING;
    if (!status_write(kube, &KUBE_PLAN, plan, json_incref(status), conditions, "plan", cancel, &problem)) {
        if (!g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) /* deleted meanwhile */
            g_propagate_error(error, g_steal_pointer(&problem));
        return AGAIN_NOW;
    }
    execution_move(&execution, status);
    return again;
}
