package main

import (
	"fmt"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// oddities are what validation rules look for: by the concern's id, how a VM has to be for it. Each becomes a VM of its own, a copy of the
// VM that the configuration names, called "odd-ID".
var oddities = map[string]func(w *world, vm *simulator.VirtualMachine){
	"vmware.changed_block_tracking.disabled": func(_ *world, vm *simulator.VirtualMachine) {
		vm.Config.ChangeTrackingEnabled = types.NewBool(false)
	},
	"vmware.changed_block_tracking.disk.disabled": func(_ *world, vm *simulator.VirtualMachine) {
		setOption(vm, "scsi0:0.ctkEnabled", "FALSE")
	},
	"vmware.consolidation_needed": func(_ *world, vm *simulator.VirtualMachine) {
		vm.Runtime.ConsolidationNeeded = true
	},
	"vmware.cpu_affinity.detected": func(_ *world, vm *simulator.VirtualMachine) {
		vm.Config.CpuAffinity = &types.VirtualMachineAffinityInfo{AffinitySet: []int32{0, 2}}
	},
	"vmware.cpu_memory.hotplug.enabled": func(_ *world, vm *simulator.VirtualMachine) {
		vm.Config.MemoryHotAddEnabled = types.NewBool(true)
	},
	"vmware.datastore.missing":        func(_ *world, vm *simulator.VirtualMachine) { flat(vm).Datastore = nil },
	"vmware.disk.count.exceeds.limit": manyDisks,
	"vmware.disk_mode.independent":    func(_ *world, vm *simulator.VirtualMachine) { flat(vm).DiskMode = "independent_persistent" },
	"vmware.disk_serial.truncated":    func(_ *world, vm *simulator.VirtualMachine) { setOption(vm, "disk.EnableUUID", "TRUE") },
	"vmware.disk.capacity.invalid":    func(_ *world, vm *simulator.VirtualMachine) { disk(vm).CapacityInBytes, disk(vm).CapacityInKB = 0, 0 },
	"vmware.dpm.enabled":              inCluster,
	"vmware.drs.enabled":              inCluster,
	"vmware.ha.enabled":               inCluster,
	"vmware.host_affinity.detected":   boundToHosts,
	"vmware.fault_tolerance.enabled": func(_ *world, vm *simulator.VirtualMachine) {
		vm.Config.FtInfo = &types.FaultTolerancePrimaryConfigInfo{}
	},
	"vmware.guestDisks.freespace":        func(_ *world, vm *simulator.VirtualMachine) { setGuestDisk(vm, "/", 1<<20, disk(vm).Key) },
	"vmware.guestDisks.key.not_found":    windowsWithoutMapping,
	"vmware.hostname.empty":              func(_ *world, vm *simulator.VirtualMachine) { vm.Guest.HostName = "" },
	"vmware.hostname.default":            func(_ *world, vm *simulator.VirtualMachine) { vm.Guest.HostName = "localhost.localdomain" },
	"vmware.vm_missing_ip.detected":      func(_ *world, vm *simulator.VirtualMachine) { vm.Guest.Net = nil },
	"vmware.memory_ballooning.detected":  func(_ *world, vm *simulator.VirtualMachine) { vm.Summary.QuickStats.BalloonedMemory = 5 },
	"vmware.vm.name.invalid":             func(_ *world, vm *simulator.VirtualMachine) { vm.Name += " _" },
	"vmware.numa_affinity.detected":      func(_ *world, vm *simulator.VirtualMachine) { setOption(vm, "numa.nodeAffinity", "0,1") },
	"vmware.passthrough_device.detected": func(_ *world, vm *simulator.VirtualMachine) { addDevice(vm, &types.VirtualPCIPassthrough{}) },
	"vmware.disk.rdm.detected":           rawDevice,
	"vmware.disk.shared.detected": func(w *world, vm *simulator.VirtualMachine) {
		flat(vm).FileName = flat(w.vm(w.config.Oddities)).FileName
	},
	"vmware.snapshot.detected":       withSnapshot,
	"vmware.device.sriov.detected":   func(_ *world, vm *simulator.VirtualMachine) { addDevice(vm, &types.VirtualSriovEthernetCard{}) },
	"vmware.tpm.detected":            func(_ *world, vm *simulator.VirtualMachine) { vm.Summary.Config.TpmPresent = types.NewBool(true) },
	"vmware.uefi_boot.detected":      func(_ *world, vm *simulator.VirtualMachine) { vm.Config.Firmware = "efi" },
	"vmware.usb_controller.detected": func(_ *world, vm *simulator.VirtualMachine) { addDevice(vm, &types.VirtualUSBController{}) },
	"vmware.os.unsupported":          func(_ *world, vm *simulator.VirtualMachine) { setSystem(vm, "other", "Plan 9 (4th Edition)") },
}

// addOddities makes the VM of every oddity.
func (w *world) addOddities(of string) error {
	template := w.vm(of)
	if template == nil {
		return fmt.Errorf("oddities: there is no VM %q", of)
	}
	makePlain(template)
	w.featureCluster()
	for id, change := range oddities {
		vm := copyVM(template, "odd-"+id)
		guest := *vm.Summary.Guest
		vm.Summary.Guest = &guest
		w.model.Map().NewEntity(vm)
		vm.Summary.Vm = &vm.Self
		change(w, vm)
		w.model.Map().PutEntity(w.model.Map().Get(*template.Parent).(*simulator.Folder), vm)
		folder := w.model.Map().Get(*template.Parent).(*simulator.Folder)
		folder.ChildEntity = append(folder.ChildEntity, vm.Self)
	}
	return nil
}

// makePlain gives a VM what rules want to see.
func makePlain(vm *simulator.VirtualMachine) {
	vm.Config.ChangeTrackingEnabled = types.NewBool(true)
	setOption(vm, "scsi0:0.ctkEnabled", "TRUE")
	address := types.NetIpConfigInfoIpAddress{IpAddress: "192.0.2.7", PrefixLength: 24, State: "preferred"}
	vm.Guest.Net = []types.GuestNicInfo{{Network: "VM Network", Connected: true, DeviceConfigId: 4000, IpAddress: []string{address.IpAddress},
		IpConfig: &types.NetIpConfigInfo{IpAddress: []types.NetIpConfigInfoIpAddress{address}}}}
}

func disk(vm *simulator.VirtualMachine) *types.VirtualDisk {
	for _, device := range vm.Config.Hardware.Device {
		if disk, ok := device.(*types.VirtualDisk); ok {
			return disk
		}
	}
	panic("oddities: " + vm.Name + " has no disk")
}

func flat(vm *simulator.VirtualMachine) *types.VirtualDiskFlatVer2BackingInfo {
	return disk(vm).Backing.(*types.VirtualDiskFlatVer2BackingInfo)
}

func addDevice(vm *simulator.VirtualMachine, device types.BaseVirtualDevice) {
	device.GetVirtualDevice().Key = 9000
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, device)
}

func setOption(vm *simulator.VirtualMachine, key, value string) {
	options := []types.BaseOptionValue{}
	for _, option := range vm.Config.ExtraConfig {
		if !strings.EqualFold(option.GetOptionValue().Key, key) {
			options = append(options, option)
		}
	}
	vm.Config.ExtraConfig = append(options, &types.OptionValue{Key: key, Value: value})
}

func manyDisks(_ *world, vm *simulator.VirtualMachine) {
	for i := range 165 {
		own, backing := *disk(vm), *flat(vm)
		own.Key, backing.FileName = int32(3000+i), strings.Replace(backing.FileName, ".vmdk", fmt.Sprintf("_%d.vmdk", i), 1)
		own.Backing = &backing
		vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, &own)
	}
}

func rawDevice(_ *world, vm *simulator.VirtualMachine) {
	disk(vm).Backing = &types.VirtualDiskRawDiskMappingVer1BackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: flat(vm).FileName, Datastore: flat(vm).Datastore},
		LunUuid:                      "0200000000600a0b80", DeviceName: "vml.0200000000600a0b80", CompatibilityMode: "physicalMode",
	}
}

func withSnapshot(_ *world, vm *simulator.VirtualMachine) {
	ref := types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: "snapshot-odd"}
	vm.Snapshot = &types.VirtualMachineSnapshotInfo{CurrentSnapshot: &ref}
}

func setSystem(vm *simulator.VirtualMachine, id, name string) {
	vm.Config.GuestId, vm.Config.GuestFullName = id, name
	vm.Summary.Config.GuestId, vm.Summary.Config.GuestFullName = id, name
	vm.Summary.Guest.GuestId, vm.Summary.Guest.GuestFullName = id, name
	vm.Guest.GuestId, vm.Guest.GuestFullName = id, name
}

func setGuestDisk(vm *simulator.VirtualMachine, path string, free int64, key int32) {
	info := types.GuestDiskInfo{DiskPath: path, Capacity: 1 << 30, FreeSpace: free}
	if key != 0 {
		info.Mappings = []types.GuestInfoVirtualDiskMapping{{Key: key}}
	}
	vm.Guest.Disk = []types.GuestDiskInfo{info}
}

func windowsWithoutMapping(_ *world, vm *simulator.VirtualMachine) {
	setSystem(vm, "windows2019srv_64Guest", "Microsoft Windows Server 2019 (64-bit)")
	setGuestDisk(vm, `C:\`, 1<<29, 0)
}

func (w *world) cluster() *simulator.ClusterComputeResource {
	return w.model.Map().Any("ClusterComputeResource").(*simulator.ClusterComputeResource)
}

// featureCluster switches on what a cluster can do.
func (w *world) featureCluster() {
	config := w.cluster().ConfigurationEx.(*types.ClusterConfigInfoEx)
	config.DasConfig.Enabled, config.DrsConfig.Enabled = types.NewBool(true), types.NewBool(true)
	config.DpmConfigInfo = &types.ClusterDpmConfigInfo{Enabled: types.NewBool(true)}
}

func inCluster(w *world, vm *simulator.VirtualMachine) {
	host := w.cluster().Host[0]
	vm.Runtime.Host, vm.Summary.Runtime.Host = &host, &host
}

func boundToHosts(w *world, vm *simulator.VirtualMachine) {
	inCluster(w, vm)
	config := w.cluster().ConfigurationEx.(*types.ClusterConfigInfoEx)
	config.Group = append(config.Group, &types.ClusterVmGroup{
		ClusterGroupInfo: types.ClusterGroupInfo{Name: "bound"}, Vm: []types.ManagedObjectReference{vm.Self}})
	config.Rule = append(config.Rule, &types.ClusterVmHostRuleInfo{
		ClusterRuleInfo: types.ClusterRuleInfo{Name: "bound to hosts", Enabled: types.NewBool(true)}, VmGroupName: "bound"})
}
