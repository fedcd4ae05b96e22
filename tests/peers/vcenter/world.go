package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

// madeVM, madeDisk and madeRef tell a test what the simulator called the things that it asked for.
type madeVM struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Disks []madeDisk `json:"disks"`
}

type madeDisk struct {
	Key  int32  `json:"key"`
	Path string `json:"path"` // "[datastore1] vm/vm.vmdk"
	File string `json:"file"`
}

type madeRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// world is the simulator's inventory and the files behind it.
type world struct {
	config     *Config
	model      *simulator.Model
	client     *vim25.Client
	datacenter string
	vms        []madeVM
	networks   []madeRef
	datastores []madeRef
	hosts      []madeHost
	folders    map[string]string // datastore name → folder on this machine
}

func makeWorld(config *Config) (*world, error) {
	ctx := context.Background()
	model, datacenter := simulator.VPX(), "DC0"
	if config.Standalone {
		model, datacenter = simulator.ESX(), "ha-datacenter"
	} else {
		model.Cluster, model.ClusterHost = config.Clusters, config.ClusterHosts
	}
	model.Machine, model.Datastore = 0, 0
	model.ServiceContent.About.ApiVersion = config.APIVersion
	if err := model.Create(); err != nil {
		return nil, err
	}
	client, err := vim25.NewClient(ctx, model.Service)
	if err != nil {
		return nil, err
	}
	w := &world{config: config, model: model, client: client, datacenter: datacenter, folders: map[string]string{}, vms: []madeVM{}}
	finder := find.NewFinder(client)
	dc, err := finder.Datacenter(ctx, w.datacenter)
	if err != nil {
		return nil, err
	}
	finder.SetDatacenter(dc)
	hosts, err := finder.HostSystemList(ctx, "*/*")
	if err != nil {
		return nil, err
	}
	w.listHosts()
	if err := w.addDatastores(ctx, hosts); err != nil {
		return nil, err
	}
	if err := w.addNetworks(ctx, hosts, finder); err != nil {
		return nil, err
	}
	for i := range config.VMs {
		if err := w.addVM(ctx, finder, &config.VMs[i]); err != nil {
			return nil, fmt.Errorf("VM %s: %w", config.VMs[i].Name, err)
		}
	}
	w.markVSAN()
	if config.Clones != nil {
		w.addClones(config.Clones)
	}
	if config.Oddities != "" {
		if err := w.addOddities(config.Oddities); err != nil {
			return nil, err
		}
	}
	return w, w.listRefs(ctx, finder)
}

func (w *world) addDatastores(ctx context.Context, hosts []*object.HostSystem) error {
	for _, name := range w.config.Datastores {
		dir, err := os.MkdirTemp("", "datastore-")
		if err != nil {
			return err
		}
		w.folders[name] = dir
		for _, host := range hosts {
			system, err := host.ConfigManager().DatastoreSystem(ctx)
			if err != nil {
				return err
			}
			if _, err := system.CreateLocalDatastore(ctx, name, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// markVSAN comes last: the simulator makes VMs on vSAN in a way of its own.
func (w *world) markVSAN() {
	for _, entity := range w.model.Map().All("Datastore") {
		if datastore := entity.(*simulator.Datastore); w.isVSAN(datastore.Name) {
			datastore.Summary.Type = string(types.HostFileSystemVolumeFileSystemTypeVsan)
		}
	}
}

func (w *world) isVSAN(datastore string) bool { return slices.Contains(w.config.VSAN, datastore) }

func (w *world) addNetworks(ctx context.Context, hosts []*object.HostSystem, finder *find.Finder) error {
	for _, name := range w.config.Networks {
		if _, err := finder.Network(ctx, name); err == nil {
			continue
		}
		system, err := hosts[0].ConfigManager().NetworkSystem(ctx)
		if err != nil {
			return err
		}
		spec := types.HostPortGroupSpec{Name: name, VswitchName: "vSwitch0"}
		if err := system.AddPortGroup(ctx, spec); err != nil {
			return fmt.Errorf("network %s: %w", name, err)
		}
		if err := w.joinHosts(ctx, name, hosts, finder); err != nil {
			return err
		}
	}
	return nil
}

// joinHosts shows a new port group on every host, its cluster and the datacenter: the simulator makes it known to its folder only.
func (w *world) joinHosts(ctx context.Context, name string, hosts []*object.HostSystem, finder *find.Finder) error {
	network, err := finder.Network(ctx, name)
	if err != nil {
		return err
	}
	registry, ref := w.model.Map(), network.Reference()
	for _, entity := range registry.All("Datacenter") {
		dc := entity.(*simulator.Datacenter)
		dc.Network = addRef(dc.Network, ref)
	}
	for _, host := range hosts {
		system := registry.Get(host.Reference()).(*simulator.HostSystem)
		system.Network = addRef(system.Network, ref)
		switch parent := registry.Get(*system.Parent).(type) {
		case *simulator.ClusterComputeResource:
			parent.Network = addRef(parent.Network, ref)
		}
	}
	return nil
}

func addRef(refs []types.ManagedObjectReference, ref types.ManagedObjectReference) []types.ManagedObjectReference {
	for _, have := range refs {
		if have == ref {
			return refs
		}
	}
	return append(refs, ref)
}

func (w *world) addVM(ctx context.Context, finder *find.Finder, vm *VM) error {
	hostName := or(vm.Host, "DC0_H0")
	if w.config.Standalone {
		hostName = "*/*"
	}
	host, err := finder.HostSystem(ctx, hostName)
	if err != nil {
		return err
	}
	pool, err := host.ResourcePool(ctx)
	if err != nil {
		return err
	}
	folder, err := finder.DefaultFolder(ctx)
	if err != nil {
		return err
	}
	made := madeVM{Name: vm.Name}
	devices := []types.BaseVirtualDevice{&types.ParaVirtualSCSIController{VirtualSCSIController: types.VirtualSCSIController{
		SharedBus:         types.VirtualSCSISharingNoSharing,
		VirtualController: types.VirtualController{VirtualDevice: types.VirtualDevice{Key: 1000}},
	}}}
	for i := range vm.Disks {
		disk, device, err := w.layDisk(vm, i)
		if err != nil {
			return err
		}
		made.Disks = append(made.Disks, disk)
		devices = append(devices, device)
	}
	for i, nic := range vm.NICs {
		device, err := w.card(ctx, finder, nic, i)
		if err != nil {
			return err
		}
		devices = append(devices, device)
	}

	if vm.CDROM != "" {
		devices = append(devices, drive(vm))
	}

	spec := types.VirtualMachineConfigSpec{
		Name: vm.Name, GuestId: or(vm.GuestID, "debian12_64Guest"), Firmware: or(vm.Firmware, "bios"), Uuid: or(vm.UUID, uuid.NewString()),
		MemoryMB: max(vm.MemoryMB, 4), NumCPUs: max(vm.CPUs, 1), Version: "vmx-19",
		Files: &types.VirtualMachineFileInfo{VmPathName: fmt.Sprintf("[%s] %s/%s.vmx", w.config.Datastores[0], vm.Name, vm.Name)},
	}
	spec.DeviceChange, err = object.VirtualDeviceList(devices).ConfigSpec(types.VirtualDeviceConfigSpecOperationAdd)
	if err != nil {
		return err
	}
	for _, change := range spec.DeviceChange {
		change.GetVirtualDeviceConfigSpec().FileOperation = "" // the files are there already
	}
	task, err := folder.CreateVM(ctx, spec, pool, host)
	if err != nil {
		return err
	}
	info, err := task.WaitForResult(ctx, nil)
	if err != nil {
		return err
	}
	ref := info.Result.(types.ManagedObjectReference)
	made.ID = ref.Value
	w.vms = append(w.vms, made)
	w.finishVM(ref, vm)
	return w.setPower(ctx, ref, vm)
}

func (w *world) setPower(ctx context.Context, ref types.ManagedObjectReference, vm *VM) error {
	machine := object.NewVirtualMachine(w.client, ref)
	steps := []func(context.Context) (*object.Task, error){}
	if vm.PowerOn || vm.Suspended {
		steps = append(steps, machine.PowerOn)
	}
	if vm.Suspended {
		steps = append(steps, machine.Suspend)
	}
	for _, step := range steps {
		task, err := step(ctx)
		if err != nil {
			return err
		}
		if err := task.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// finishVM sets what a creation's spec cannot say: capacities to the byte, and what VMware Tools report.
func (w *world) finishVM(ref types.ManagedObjectReference, spec *VM) {
	vm := w.model.Map().Get(ref).(*simulator.VirtualMachine)
	disk := 0
	for _, device := range vm.Config.Hardware.Device {
		if d, ok := device.(*types.VirtualDisk); ok {
			if info, err := os.Stat(spec.Disks[disk].File); err == nil {
				d.CapacityInBytes = info.Size()
				d.CapacityInKB = (info.Size() + 1023) / 1024
			}
			disk++
		}
	}
	vm.Config.GuestFullName = "Debian GNU/Linux 12 (64-bit)"
	vm.Summary.Config.GuestFullName = vm.Config.GuestFullName
	if spec.FileSystem != "" {
		vm.Guest.Disk = []types.GuestDiskInfo{{DiskPath: "/", Capacity: 1 << 30, FreeSpace: 1 << 29, FilesystemType: spec.FileSystem}}
	}
	if spec.HostName == "" {
		return
	}
	vm.Guest.HostName, vm.Guest.IpAddress = spec.HostName, spec.IP
	vm.Guest.ToolsStatus = types.VirtualMachineToolsStatusToolsOk
	vm.Guest.ToolsRunningStatus = string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
	for i := range vm.Guest.Net {
		if i == 0 && spec.IP != "" {
			vm.Guest.Net[i].IpAddress = []string{spec.IP}
		}
	}
	vm.Summary.Guest.HostName, vm.Summary.Guest.IpAddress = spec.HostName, spec.IP
	vm.Summary.Guest.ToolsStatus = vm.Guest.ToolsStatus
}

func (w *world) layDisk(vm *VM, index int) (madeDisk, *types.VirtualDisk, error) {
	disk := &vm.Disks[index]
	datastore := or(disk.Datastore, w.config.Datastores[0])
	dir, ok := w.folders[datastore]
	if !ok {
		return madeDisk{}, nil, fmt.Errorf("disks[%d].datastore: there is no %q", index, datastore)
	}
	name := disk.Name
	if name == "" && index == 0 {
		name = vm.Name + ".vmdk"
	} else if name == "" {
		name = fmt.Sprintf("%s_%d.vmdk", vm.Name, index)
	}
	file, err := filepath.Abs(disk.File)
	if err != nil {
		return madeDisk{}, nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return madeDisk{}, nil, err
	}
	home := filepath.Join(dir, vm.Name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return madeDisk{}, nil, err
	}
	flat := strings.TrimSuffix(name, ".vmdk") + "-flat.vmdk"
	if err := os.Symlink(file, filepath.Join(home, flat)); err != nil {
		return madeDisk{}, nil, err
	}
	if w.isVSAN(datastore) {
		flat = "vsan://" + uuid.NewString()
	}
	descriptor := describe(disk, info.Size(), flat, newCID())
	if err := os.WriteFile(filepath.Join(home, name), []byte(descriptor), 0o600); err != nil {
		return madeDisk{}, nil, err
	}
	path := fmt.Sprintf("[%s] %s/%s", datastore, vm.Name, name)
	unit := int32(index)
	if unit >= 7 {
		unit++ // 7 is the controller's own
	}
	device := &types.VirtualDisk{
		CapacityInBytes: info.Size(),
		CapacityInKB:    info.Size() / 1024,
		VirtualDevice: types.VirtualDevice{
			Key: 2000 + int32(index), ControllerKey: 1000, UnitNumber: &unit,
			Backing: &types.VirtualDiskFlatVer2BackingInfo{
				DiskMode: or(disk.Mode, string(types.VirtualDiskModePersistent)), Sharing: disk.Sharing, Uuid: uuid.NewString(), ContentId: strings.ReplaceAll(uuid.NewString(), "-", ""),
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: path, BackingObjectId: given(disk.VVol)},
			},
		},
	}
	return madeDisk{Key: device.Key, Path: path, File: file}, device, nil
}

// drive is a CD drive, with an image of a datastore in it or without.
func drive(vm *VM) types.BaseVirtualDevice {
	unit, full := int32(0), vm.CDROM != "-"
	cdrom := &types.VirtualCdrom{VirtualDevice: types.VirtualDevice{
		Key: 3000, ControllerKey: 200, UnitNumber: &unit,
		Connectable: &types.VirtualDeviceConnectInfo{StartConnected: full, Connected: full, AllowGuestControl: true},
		Backing:     &types.VirtualCdromRemotePassthroughBackingInfo{},
	}}
	if full {
		cdrom.Backing = &types.VirtualCdromIsoBackingInfo{
			VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: vm.CDROM}}
	}
	return cdrom
}

func (w *world) card(ctx context.Context, finder *find.Finder, nic NIC, index int) (types.BaseVirtualDevice, error) {
	network, err := finder.Network(ctx, nic.Network)
	if err != nil {
		return nil, err
	}
	backing, err := network.EthernetCardBackingInfo(ctx)
	if err != nil {
		return nil, err
	}
	unit := int32(7 + index)
	card := types.VirtualVmxnet3{}
	card.Key, card.UnitNumber, card.Backing = 4000+int32(index), &unit, backing
	card.ControllerKey = 100
	card.AddressType, card.MacAddress = string(types.VirtualEthernetCardMacTypeManual), nic.MAC
	return &card, nil
}

// addClones puts copies of a VM straight into the registry: ten thousand in a fifth of a second, where the API would take minutes.
func (w *world) addClones(clones *Clones) {
	registry := w.model.Map()
	var template *simulator.VirtualMachine
	for _, entity := range registry.All("VirtualMachine") {
		if vm := entity.(*simulator.VirtualMachine); vm.Name == clones.Of {
			template = vm
		}
	}
	folder := registry.Get(*template.Parent).(*simulator.Folder)
	host := registry.Get(*template.Runtime.Host).(*simulator.HostSystem)
	pool := registry.Get(*template.ResourcePool).(*simulator.ResourcePool)
	for i := range clones.Count {
		vm := copyVM(template, fmt.Sprintf("%s-%05d", clones.Of, i))
		registry.NewEntity(vm)
		vm.Summary.Vm = &vm.Self
		registry.PutEntity(folder, vm)
		folder.ChildEntity = append(folder.ChildEntity, vm.Self)
		host.Vm = append(host.Vm, vm.Self)
		pool.Vm = append(pool.Vm, vm.Self)
		for _, ref := range vm.Datastore {
			datastore := registry.Get(ref).(*simulator.Datastore)
			datastore.Vm = append(datastore.Vm, vm.Self)
		}
	}
}

func copyVM(template *simulator.VirtualMachine, name string) *simulator.VirtualMachine {
	vm := &simulator.VirtualMachine{VirtualMachine: template.VirtualMachine, DataSets: map[string]*simulator.DataSet{}}
	config, guest, layout, layoutEx := *template.Config, *template.Guest, *template.Layout, *template.LayoutEx
	config.Name, config.Uuid, config.InstanceUuid = name, uuid.NewString(), uuid.NewString()
	config.Files.VmPathName = strings.ReplaceAll(config.Files.VmPathName, template.Name, name)
	config.Hardware.Device = append([]types.BaseVirtualDevice(nil), config.Hardware.Device...)
	for i, device := range config.Hardware.Device {
		if disk, ok := device.(*types.VirtualDisk); ok {
			own, backing := *disk, *disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
			backing.FileName = strings.ReplaceAll(backing.FileName, template.Name, name)
			backing.Uuid = uuid.NewString()
			own.Backing = &backing
			config.Hardware.Device[i] = &own
		}
	}
	vm.Config, vm.Guest, vm.Layout, vm.LayoutEx, vm.Snapshot = &config, &guest, &layout, &layoutEx, nil
	vm.Name, vm.Summary.Config.Name = name, name
	vm.Summary.Config.Uuid, vm.Summary.Config.InstanceUuid = config.Uuid, config.InstanceUuid
	return vm
}

func (w *world) listRefs(ctx context.Context, finder *find.Finder) error {
	networks, err := finder.NetworkList(ctx, "*")
	if err != nil {
		return err
	}
	for _, network := range networks {
		ref := network.Reference()
		w.networks = append(w.networks, madeRef{ID: ref.Value, Name: filepath.Base(network.GetInventoryPath())})
	}
	datastores, err := finder.DatastoreList(ctx, "*")
	if err != nil {
		return err
	}
	for _, datastore := range datastores {
		w.datastores = append(w.datastores, madeRef{ID: datastore.Reference().Value, Name: datastore.Name()})
	}
	return nil
}

func (w *world) vm(name string) *simulator.VirtualMachine {
	for _, entity := range w.model.Map().All("VirtualMachine") {
		if vm := entity.(*simulator.VirtualMachine); vm.Name == name || vm.Self.Value == name {
			return vm
		}
	}
	return nil
}

func or(value, absent string) string {
	if value == "" {
		return absent
	}
	return value
}

// given is nil for a text that is not there.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
