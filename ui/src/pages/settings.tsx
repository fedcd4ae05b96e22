export function SettingsPage() { return <></>; }
