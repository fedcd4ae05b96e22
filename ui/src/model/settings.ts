// The settings that the controllers read from the ForkliftController (docs/settings.md), with what counts when they are absent.
// Numbers have a range; the others are switches.
export interface Setting {
  key: string;
  group: 'limits' | 'copying' | 'warm' | 'power' | 'other';
  absent: number | boolean;
  least?: number;
  most?: number;
}

const number = (key: string, group: Setting['group'], absent: number, least: number, most: number): Setting => ({ key, group, absent, least, most });
const toggle = (key: string, group: Setting['group'], absent: boolean): Setting => ({ key, group, absent });

export const settings: Setting[] = [
  number('controller_max_vm_inflight', 'limits', 20, 1, 10000),
  number('controller_max_nfc_connections', 'limits', 10, 1, 10000),
  number('controller_max_disks_per_datastore', 'limits', 0, 0, 10000),
  number('controller_max_disks_per_storage_class', 'limits', 0, 0, 10000),
  number('controller_max_vms_per_namespace', 'limits', 0, 0, 10000),
  number('controller_max_inspections', 'limits', 4, 1, 1000),
  number('controller_importer_retry', 'copying', 3, 0, 1000),
  number('controller_hook_retry', 'copying', 3, 0, 1000),
  number('controller_retry_timeout', 'copying', 600, 1, 86400),
  number('controller_stalled_after', 'copying', 180, 1, 86400),
  number('controller_filesystem_overhead', 'copying', 10, 0, 99),
  number('controller_precopy_interval', 'warm', 60, 1, 43200),
  toggle('controller_enable_change_tracking', 'warm', false),
  toggle('controller_ovirt_warm_migration', 'warm', true),
  number('controller_power_off_timeout', 'power', 1200, 1, 86400),
  toggle('controller_power_off_force', 'power', false),
  number('controller_target_start_timeout', 'power', 600, 1, 86400),
  number('validation_policy_agent_search_interval', 'other', 120, 1, 86400),
  number('controller_log_level', 'other', 2, 0, 10),
];

export const isToggle = (setting: Setting): boolean => typeof setting.absent === 'boolean';

// As the form holds it: "" is "not set". Values may be numbers, booleans or texts.
export function asText(setting: Setting, spec: Record<string, unknown>): string {
  const value = spec[setting.key];
  if (value === undefined || value === null) return isToggle(setting) ? String(setting.absent) : '';
  return String(value);
}

export type SettingMistake = 'whole' | 'range';

export function settingMistake(setting: Setting, text: string): SettingMistake | undefined {
  if (isToggle(setting) || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) return 'whole';
  const value = Number(text);
  return value < setting.least! || value > setting.most! ? 'range' : undefined;
}

// What to patch: null takes a setting away, so that its default counts.
export function settingsChange(spec: Record<string, unknown>, values: Record<string, string>): Record<string, number | boolean | null> {
  const change: Record<string, number | boolean | null> = {};
  for (const setting of settings) {
    const text = values[setting.key];
    if (text === undefined || text === asText(setting, spec)) continue;
    change[setting.key] = isToggle(setting) ? text === 'true' : text === '' ? null : Number(text);
  }
  return change;
}
