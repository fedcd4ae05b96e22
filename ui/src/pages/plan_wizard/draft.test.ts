import { describe, expect, it } from 'vitest';
import type { InventoryVm, TreeNode } from '../../api/cluster';
import { branchesOf, decode, encode, placesOf, vmMatches, vmsOfNodes } from './draft';

const node = (kind: string, name: string, ...children: TreeNode[]): TreeNode => ({ kind, object: { id: name, name }, children });
const tree: TreeNode = {
  kind: '',
  object: null,
  children: [node('Datacenter', 'dc', node('Cluster', 'c1', node('Host', 'h1', node('VM', 'a'), node('VM', 'b'))), node('Host', 'alone', node('VM', 'c')))],
};

describe('the tree of the wizard', () => {
  it('says where each VM is', () => {
    const places = placesOf(tree);
    expect(places.get('a')).toEqual({ datacenter: 'dc', cluster: 'c1', host: 'h1' });
    expect(places.get('c')).toEqual({ datacenter: 'dc', cluster: '', host: 'alone' });
    expect(placesOf(undefined).size).toBe(0);
  });

  it('counts the VMs of hosts, which it does not show, for what is above them', () => {
    const [dc] = branchesOf(tree);
    expect([...dc!.vms].sort()).toEqual(['a', 'b', 'c']);
    expect(dc!.children.map((child) => child.name)).toEqual(['c1']);
    expect(vmsOfNodes([dc!], new Set(['c1']))).toEqual(new Set(['a', 'b']));
    expect(vmsOfNodes([dc!], new Set())).toBeUndefined();
  });
});

describe('the filter of VMs', () => {
  const vm: InventoryVm = { id: 'a', name: 'Web-1', path: '/dc/vm/shop/Web-1', powerState: 'poweredOn', concerns: [{ label: 'USB', category: 'Warning', assessment: '' }] };
  const place = { datacenter: 'dc', cluster: 'c1', host: 'h1' };
  it.each([
    [{ text: 'web' }, true],
    [{ text: 'shop' }, true],
    [{ text: 'C1' }, true],
    [{ text: 'usb' }, true],
    [{ text: 'database' }, false],
    [{ power: 'on' as const }, true],
    [{ power: 'off' as const }, false],
    [{ assessment: 'Warning' }, true],
    [{ assessment: 'Critical', text: 'web' }, false],
  ])('%j', (filter, matches) => expect(vmMatches({ text: '', power: '', assessment: '', ...filter }, vm, place, 'Warning')).toBe(matches));
});

it('a playbook keeps its letters on the way through base64', () => expect(decode(encode('- hosts: müller 日本'))).toBe('- hosts: müller 日本'));
