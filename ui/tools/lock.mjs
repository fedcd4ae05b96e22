// lock: leaves the registry's address out of package-lock.json, so that every machine asks its own registry.
// (npm's own option for it forgets the versions of other platforms' optional packages.) Versions and integrity stay.
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const entry of Object.values(lock.packages)) delete entry.resolved;
writeFileSync('package-lock.json', JSON.stringify(lock, null, 2) + '\n');
