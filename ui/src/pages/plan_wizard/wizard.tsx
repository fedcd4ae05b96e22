export function PlanWizardPage(_: { mode: string }) { return <></>; }
