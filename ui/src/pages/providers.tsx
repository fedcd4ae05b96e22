export function ProvidersPage() { return <></>; }
