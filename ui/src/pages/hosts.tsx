export function HostsPage() { return <></>; }
