// The settings that the controllers read from the ForkliftController (docs/settings.md), with what counts when they are absent.
// Those of the operator (services, images, resources) are not among them: a form that can take the console away helps nobody.
export interface Setting {
  key: string;
  group: 'limits' | 'bandwidth' | 'copying' | 'warm' | 'power' | 'target' | 'other';
  kind: 'number' | 'rate' | 'toggle' | 'text';
  absent: number | boolean | undefined;
  least?: number; // of numbers
  most?: number;
  form?: [RegExp, SettingMistake]; // of texts, and what is wrong with others
}

export type SettingMistake = 'whole' | 'range' | 'rate' | 'network' | 'name' | 'image';

const number = (key: string, group: Setting['group'], absent: number, least: number, most: number): Setting => ({ key, group, kind: 'number', absent, least, most });
const toggle = (key: string, group: Setting['group'], absent: boolean): Setting => ({ key, group, kind: 'toggle', absent });
const rate = (key: string): Setting => ({ key, group: 'bandwidth', kind: 'rate', absent: 0 });
const text = (key: string, group: Setting['group'], form?: Setting['form']): Setting => ({ key, group, kind: 'text', absent: undefined, form });

const label = '[a-z0-9]([-a-z0-9.]*[a-z0-9])?';

export const settings: Setting[] = [
  number('controller_max_vm_inflight', 'limits', 20, 1, 10000),
  number('controller_max_nfc_connections', 'limits', 10, 1, 10000),
  number('controller_max_disks_per_datastore', 'limits', 0, 0, 10000),
  number('controller_max_disks_per_storage_class', 'limits', 0, 0, 10000),
  number('controller_max_vms_per_namespace', 'limits', 0, 0, 10000),
  number('controller_max_inspections', 'limits', 4, 1, 1000),
  rate('controller_bandwidth_limit'),
  rate('controller_bandwidth_limit_per_host'),
  text('controller_transfer_network', 'bandwidth', [new RegExp(`^(${label}/)?${label}$`), 'network']),
  number('controller_importer_retry', 'copying', 3, 0, 1000),
  number('controller_hook_retry', 'copying', 3, 0, 1000),
  number('controller_retry_timeout', 'copying', 600, 1, 86400),
  number('controller_stalled_after', 'copying', 180, 1, 86400),
  number('controller_precopy_interval', 'warm', 60, 1, 43200),
  number('controller_precopy_interval_seconds', 'warm', 0, 0, 86400),
  toggle('controller_enable_change_tracking', 'warm', false),
  toggle('controller_ovirt_warm_migration', 'warm', true),
  number('controller_power_off_timeout', 'power', 1200, 1, 86400),
  toggle('controller_power_off_force', 'power', false),
  number('controller_target_start_timeout', 'power', 600, 1, 86400),
  number('controller_filesystem_overhead', 'target', 10, 0, 99),
  number('controller_block_overhead', 'target', 0, 0, 2147483647),
  text('controller_pvc_name_template', 'target'),
  toggle('feature_vmware_system_serial_number', 'target', false),
  text('controller_migration_service_account', 'other', [new RegExp(`^${label}$`), 'name']),
  text('virt_v2v_image_fqin', 'other', [/^([^\s]*\/)?gantry([:@][^\s]+)?$/, 'image']),
  toggle('virt_v2v_dont_request_kvm', 'other', false),
  number('validation_policy_agent_search_interval', 'other', 120, 1, 86400),
  number('controller_log_level', 'other', 2, 0, 10),
];

export const isToggle = (setting: Setting): boolean => setting.kind === 'toggle';

// As the form holds it: "" is "not set". Values may be numbers, booleans or texts.
export function asText(setting: Setting, spec: Record<string, unknown>): string {
  const value = spec[setting.key];
  if (value === undefined || value === null) return isToggle(setting) ? String(setting.absent) : '';
  return String(value);
}

// An amount as Kubernetes writes them.
const amount = /^\d{1,15}(\.\d{1,9})?(k|M|G|T|Ki|Mi|Gi|Ti)?$/;

export function settingMistake(setting: Setting, text: string): SettingMistake | undefined {
  if (text === '') return undefined;
  if (setting.kind === 'rate') return amount.test(text) ? undefined : 'rate';
  if (setting.kind === 'text') return setting.form && !setting.form[0].test(text) ? setting.form[1] : undefined;
  if (setting.kind === 'toggle') return undefined;
  if (!/^\d{1,10}$/.test(text)) return 'whole';
  const value = Number(text);
  return value < setting.least! || value > setting.most! ? 'range' : undefined;
}

type Change = Record<string, number | boolean | string | null>;

// What to patch: null takes a setting away, so that its default counts.
export function settingsChange(spec: Record<string, unknown>, values: Record<string, string>): Change {
  const change: Change = {};
  for (const setting of settings) {
    const text = values[setting.key];
    if (text === undefined || text === asText(setting, spec)) continue;
    change[setting.key] = valueOf(setting, text);
  }
  return change;
}

function valueOf(setting: Setting, text: string): number | boolean | string | null {
  if (isToggle(setting)) return text === 'true';
  if (text === '') return null;
  return setting.kind === 'number' ? Number(text) : text;
}
