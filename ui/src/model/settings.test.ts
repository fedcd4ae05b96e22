import { describe, expect, it } from 'vitest';
import { texts } from '../texts';
import { asText, settingMistake, settings, settingsChange } from './settings';

const setting = (key: string) => settings.find((each) => each.key === key)!;

describe('settings', () => {
  it('each have their texts', () => expect(settings.filter(({ key }) => !texts.settings.fields[key]).map(({ key }) => key)).toEqual([]));
  it('may be written as numbers or texts', () => {
    expect(asText(setting('controller_max_vm_inflight'), { controller_max_vm_inflight: '7' })).toBe('7');
    expect(asText(setting('controller_max_vm_inflight'), {})).toBe('');
    expect(asText(setting('controller_ovirt_warm_migration'), {})).toBe('true');
  });
  it.each([
    ['controller_log_level', '', undefined],
    ['controller_log_level', '3', undefined],
    ['controller_log_level', '11', 'range'],
    ['controller_max_vm_inflight', '0', 'range'],
    ['controller_max_vm_inflight', '1.5', 'whole'],
    ['controller_power_off_force', 'true', undefined],
    ['controller_block_overhead', '2147483647', undefined],
    ['controller_block_overhead', '2147483648', 'range'],
    ['controller_bandwidth_limit', '12500000', undefined],
    ['controller_bandwidth_limit', '1.5Gi', undefined],
    ['controller_bandwidth_limit', '50 MB', 'rate'],
    ['controller_bandwidth_limit', '-1', 'rate'],
    ['controller_transfer_network', 'fast', undefined],
    ['controller_transfer_network', 'default/fast', undefined],
    ['controller_transfer_network', 'a/b/c', 'network'],
    ['controller_migration_service_account', 'Mover', 'name'],
    ['controller_pvc_name_template', '{{.PlanName}}-{{.DiskIndex}}', undefined],
    ['virt_v2v_image_fqin', 'registry.example.com/mirror/gantry:2.3', undefined],
    ['virt_v2v_image_fqin', 'registry.example.com/virt-v2v:9', 'image'],
  ])('%s %s', (key, text, mistake) => expect(settingMistake(setting(key), text)).toBe(mistake));
  it('are patched where they differ, and taken away when they are emptied', () => {
    const spec = { controller_log_level: 1, controller_hook_retry: '4' };
    const values = { controller_log_level: '', controller_hook_retry: '4', controller_power_off_force: 'true', controller_max_vm_inflight: '9', controller_bandwidth_limit: '50M' };
    expect(settingsChange(spec, values)).toEqual({ controller_log_level: null, controller_power_off_force: true, controller_max_vm_inflight: 9, controller_bandwidth_limit: '50M' });
  });
});
