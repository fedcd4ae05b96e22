export function MappingsPage() { return <></>; }
