export function OverviewPage() { return <></>; }
