package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// snapshots stands around the simulator's, which freeze nothing: it gives each disk a chain of real files.
type snapshots struct {
	gate   *gate
	mutex  sync.Mutex
	chains map[string]map[int32]*chain // by VM
	guests map[string]chan struct{}    // that go on writing; closed to stop them
	page   page
}

const mostLayers = 32

func newSnapshots(g *gate) *snapshots {
	return &snapshots{gate: g, chains: map[string]map[int32]*chain{}, guests: map[string]chan struct{}{}, page: page{Areas: 2000}}
}

func disksOf(devices []types.BaseVirtualDevice) (disks []*types.VirtualDisk) {
	for _, device := range devices {
		if disk, ok := device.(*types.VirtualDisk); ok {
			disks = append(disks, disk)
		}
	}
	return disks
}

// of gives the chains of a VM's disks, in the order of their keys.
func (s *snapshots) of(vm *simulator.VirtualMachine) []*chain {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.chains[vm.Self.Value] == nil {
		s.chains[vm.Self.Value] = map[int32]*chain{}
		for _, made := range s.gate.world.vms {
			for _, disk := range made.Disks {
				if made.ID == vm.Self.Value {
					s.chains[made.ID][disk.Key] = s.begin(vm, &disk)
				}
			}
		}
	}
	var list []*chain
	for _, c := range s.chains[vm.Self.Value] {
		if c != nil {
			list = append(list, c)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].key < list[j].key })
	return list
}

func (s *snapshots) begin(vm *simulator.VirtualMachine, made *madeDisk) *chain {
	for _, disk := range disksOf(vm.Config.Hardware.Device) {
		backing, flat := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if disk.Key == made.Key && flat && !strings.HasPrefix(backing.DiskMode, "independent") {
			format := "seSparse"
			for _, spec := range s.gate.world.config.VMs {
				if spec.Name == vm.Name && spec.Deltas != "" {
					format = spec.Deltas
				}
			}
			return &chain{world: s.gate.world, key: made.Key, size: disk.CapacityInBytes, format: format, frozen: map[string]*layer{},
				layers: []*layer{{path: made.Path, file: made.File}}}
		}
	}
	return nil
}

func (s *snapshots) chain(vm *simulator.VirtualMachine, key int32) *chain {
	for _, c := range s.of(vm) {
		if c.key == key {
			return c
		}
	}
	return nil
}

func lockAll(chains []*chain) (unlock func()) {
	for _, c := range chains {
		c.Lock()
	}
	return func() {
		for _, c := range chains {
			c.Unlock()
		}
	}
}

// writable says whether a file is the one that a running VM writes to: that one is locked.
func (s *snapshots) writable(shown string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, disks := range s.chains {
		for _, c := range disks {
			if c == nil || !strings.HasPrefix(shown, c.stem()) {
				continue
			}
			c.Lock()
			defer c.Unlock()
			top := strings.TrimSuffix(c.top().path, ".vmdk")
			return len(c.layers) == 1 && shown == top+"-flat.vmdk" || len(c.layers) > 1 && strings.HasPrefix(shown, top+"-")
		}
	}
	return strings.HasSuffix(shown, "-flat.vmdk")
}

// ---- calls --------------------------------------------------------------------------------------------------------

// serve answers the calls about snapshots; false: this is none.
func (s *snapshots) serve(w http.ResponseWriter, r *http.Request, method string, body []byte) bool {
	switch method {
	case "QueryChangedDiskAreas":
		s.gate.queryChanges(w, body)
		return true
	case "CreateSnapshot_Task", "CreateSnapshotEx_Task", "RemoveSnapshot_Task", "RemoveAllSnapshots_Task", "RevertToSnapshot_Task",
		"ConsolidateVMDisks_Task", "ReconfigVM_Task":
	default:
		return false
	}
	ref := calledOn(method, body)
	vm := s.gate.world.vm(ref)
	if vm == nil {
		vm = s.owner(ref)
	}
	if vm == nil {
		return false
	}
	chains := s.of(vm)
	defer lockAll(chains)()
	switch method {
	case "CreateSnapshot_Task", "CreateSnapshotEx_Task":
		s.create(w, r, vm, chains)
	case "RemoveSnapshot_Task", "RemoveAllSnapshots_Task":
		s.remove(w, r, vm, chains, ref)
	case "RevertToSnapshot_Task":
		s.revert(w, r, vm, chains, ref)
	case "ReconfigVM_Task":
		s.reconfigure(w, r, vm, body)
	case "ConsolidateVMDisks_Task":
		s.consolidate(vm, chains)
		task := simulator.CreateTask(vm, "consolidateDisks", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) { return nil, nil })
		soapReply(w, http.StatusOK, fmt.Sprintf(`<ConsolidateVMDisks_TaskResponse xmlns="urn:vim25"><returnval type="Task">%s</returnval>`+
			`</ConsolidateVMDisks_TaskResponse>`, task.Run(s.gate.context()).Value))
	}
	return true
}

func (s *snapshots) owner(snapshot string) *simulator.VirtualMachine {
	ref := types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: snapshot}
	if object, ok := s.gate.world.model.Map().Get(ref).(*simulator.VirtualMachineSnapshot); ok {
		return s.gate.world.model.Map().Get(object.Vm).(*simulator.VirtualMachine)
	}
	return nil
}

// pass lets the simulator answer, and waits until what it began is done.
func (s *snapshots) pass(w http.ResponseWriter, r *http.Request, vm *simulator.VirtualMachine, done func() bool) (answer func(), ok bool) {
	reply := httptest.NewRecorder()
	s.gate.next.ServeHTTP(reply, r)
	for tries := 0; reply.Code == http.StatusOK && tries < 2000 && !ok; tries++ {
		s.gate.world.model.Map().WithLock(s.gate.context(), vm, func() { ok = done() })
		if !ok {
			time.Sleep(5 * time.Millisecond)
		}
	}
	return func() {
		for name, values := range reply.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(reply.Code)
		w.Write(reply.Body.Bytes())
	}, ok
}

func current(vm *simulator.VirtualMachine) string {
	if vm.Snapshot == nil || vm.Snapshot.CurrentSnapshot == nil {
		return ""
	}
	return vm.Snapshot.CurrentSnapshot.Value
}

func (s *snapshots) create(w http.ResponseWriter, r *http.Request, vm *simulator.VirtualMachine, chains []*chain) {
	if s.gate.faults.take("snapshot-fail", vm.Name) {
		soapFault(w, "ApplicationQuiesceFault", "An error occurred while quiescing the virtual machine.", "")
		return
	}
	before, tracked := "", false
	s.lock(vm, func() {
		before = current(vm)
		tracked = vm.Config.ChangeTrackingEnabled != nil && *vm.Config.ChangeTrackingEnabled
	})
	for _, c := range chains {
		if len(c.layers) >= mostLayers {
			soapFault(w, "TooManySnapshotLevels", "Snapshot hierarchy is too deep.", "")
			return
		}
		if tracked && !c.track.on {
			if err := c.track.start(c.layers[0].file); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
	}
	s.lock(vm, func() { s.setChangeIDs(vm, chains) }) // the snapshot copies the configuration with them
	answer, ok := s.pass(w, r, vm, func() bool { return current(vm) != before })
	if ok {
		s.lock(vm, func() {
			for _, c := range chains {
				if err := c.push(current(vm)); err != nil {
					panic(err) // a test's disk is full: nothing can go on
				}
				if c.track.on {
					c.track.next(current(vm))
				}
			}
			s.show(vm, chains)
		})
	}
	answer()
}

func (s *snapshots) lock(vm *simulator.VirtualMachine, act func()) {
	s.gate.world.model.Map().WithLock(s.gate.context(), vm, act)
}

func (s *snapshots) setChangeIDs(vm *simulator.VirtualMachine, chains []*chain) {
	for _, disk := range disksOf(vm.Config.Hardware.Device) {
		for _, c := range chains {
			if backing, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok && c.key == disk.Key && c.track.on {
				backing.ChangeId = c.track.id()
			}
		}
	}
}

// show writes the chains' files into the configuration of the VM, and of its snapshots.
func (s *snapshots) show(vm *simulator.VirtualMachine, chains []*chain) {
	devices := append([]types.BaseVirtualDevice(nil), vm.Config.Hardware.Device...)
	for i, device := range devices {
		disk, ok := device.(*types.VirtualDisk)
		for _, c := range chains {
			if ok && disk.Key == c.key {
				own := *disk
				own.Backing = c.backing(disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo), len(c.layers)-1, "")
				devices[i] = &own
			}
		}
	}
	ctx := s.gate.context()
	ctx.Update(vm, []types.PropertyChange{{Name: "config.hardware.device", Val: devices},
		{Name: "config.changeVersion", Val: fmt.Sprint(time.Now().UnixNano())}})
	for _, id := range snapshotsOf(vm) {
		snapshot := s.gate.world.model.Map().Get(id).(*simulator.VirtualMachineSnapshot)
		for _, disk := range disksOf(snapshot.Config.Hardware.Device) {
			for _, c := range chains {
				if l, ok := c.frozen[snapshot.Self.Value]; ok && c.key == disk.Key {
					backing := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
					disk.Backing = c.backing(backing, c.depth(l), backing.ChangeId)
				}
			}
		}
	}
}

func (c *chain) depth(l *layer) int {
	for i, one := range c.layers {
		if one == l {
			return i
		}
	}
	return -1
}

func (c *chain) backing(like *types.VirtualDiskFlatVer2BackingInfo, depth int, changeID string) *types.VirtualDiskFlatVer2BackingInfo {
	if depth < 0 {
		return nil
	}
	made := *like
	made.FileName, made.ChangeId, made.DeltaDiskFormat = c.layers[depth].path, changeID, ""
	made.Parent = c.backing(like, depth-1, "")
	if depth > 0 {
		made.DeltaDiskFormat = map[string]string{"seSparse": "seSparseFormat", "vmfsSparse": "redoLogFormat"}[c.format]
	}
	return &made
}

// leave is where the simulator goes wrong: it cannot let go of a current snapshot that has no parent, nor of one that is gone.
func leave(vm *simulator.VirtualMachine, ref string) (there bool) {
	for _, id := range snapshotsOf(vm) {
		there = there || id.Value == ref
	}
	for i := range vm.Snapshot.RootSnapshotList {
		if root := vm.Snapshot.RootSnapshotList[i].Snapshot.Value; root == ref && root == current(vm) {
			vm.Snapshot.CurrentSnapshot = nil
		}
	}
	return there
}

func (s *snapshots) remove(w http.ResponseWriter, r *http.Request, vm *simulator.VirtualMachine, chains []*chain, ref string) {
	before, there := 0, true
	s.lock(vm, func() {
		before = len(snapshotsOf(vm))
		there = ref == vm.Self.Value || vm.Snapshot != nil && leave(vm, ref)
		vm.LayoutEx.Snapshot = nil // the simulator numbers files anew, and would remove others by the old numbers
	})
	if !there {
		soapFault(w, "ManagedObjectNotFound", "The object has already been deleted or has not been completely created", "")
		return
	}
	answer, ok := s.pass(w, r, vm, func() bool { return len(snapshotsOf(vm)) < before || before == 0 })
	if ok {
		alive := map[string]bool{}
		s.lock(vm, func() {
			for _, id := range snapshotsOf(vm) {
				alive[id.Value] = true
			}
		})
		for _, c := range chains {
			for snapshot := range c.frozen {
				if !alive[snapshot] {
					delete(c.frozen, snapshot)
				}
			}
		}
		if s.gate.faults.take("no-consolidation", vm.Name) {
			s.lock(vm, func() { s.setNeeded(vm, true) })
		} else {
			s.consolidate(vm, chains)
		}
	}
	answer()
}

// snapshotsOf lists a VM's snapshots.
func snapshotsOf(vm *simulator.VirtualMachine) (ids []types.ManagedObjectReference) {
	var walk func(trees []types.VirtualMachineSnapshotTree)
	walk = func(trees []types.VirtualMachineSnapshotTree) {
		for _, tree := range trees {
			ids = append(ids, tree.Snapshot)
			walk(tree.ChildSnapshotList)
		}
	}
	if vm.Snapshot != nil {
		walk(vm.Snapshot.RootSnapshotList)
	}
	return ids
}

func (s *snapshots) setNeeded(vm *simulator.VirtualMachine, needed bool) {
	vm.Runtime.ConsolidationNeeded = needed
	s.gate.context().Update(vm, []types.PropertyChange{{Name: "runtime", Val: vm.Runtime}})
}

func (s *snapshots) consolidate(vm *simulator.VirtualMachine, chains []*chain) {
	for _, c := range chains {
		if err := c.consolidate(); err != nil {
			panic(err)
		}
	}
	s.lock(vm, func() {
		s.show(vm, chains)
		s.setNeeded(vm, false)
	})
}

func (s *snapshots) revert(w http.ResponseWriter, r *http.Request, vm *simulator.VirtualMachine, chains []*chain, snapshot string) {
	answer, ok := s.pass(w, r, vm, func() bool { return current(vm) == snapshot })
	if ok {
		for _, c := range chains {
			if err := c.revert(snapshot); err != nil {
				panic(err)
			}
		}
		s.lock(vm, func() { s.show(vm, chains) })
	}
	answer()
}

// reconfigure publishes what the simulator stores in silence. Tracking begins with the next snapshot, as it does in vSphere.
func (s *snapshots) reconfigure(w http.ResponseWriter, r *http.Request, vm *simulator.VirtualMachine, body []byte) {
	ask, err := decodeBody[types.ReconfigVM_Task](body)
	wanted := (*bool)(nil)
	if err == nil {
		wanted = ask.Spec.ChangeTrackingEnabled
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if wanted == nil {
		s.gate.next.ServeHTTP(w, r)
		return
	}
	answer, ok := s.pass(w, r, vm, func() bool {
		return vm.Config.ChangeTrackingEnabled != nil && *vm.Config.ChangeTrackingEnabled == *wanted
	})
	if ok {
		s.lock(vm, func() {
			s.gate.context().Update(vm, []types.PropertyChange{{Name: "config", Val: *vm.Config}})
		})
	}
	answer()
}

// ---- the guest ----------------------------------------------------------------------------------------------------

// write is what a running guest does to its disk.
func (g *gate) write(vm *simulator.VirtualMachine, key int32, offset int64, data []byte) error {
	c := g.snapshots.chain(vm, key)
	if c == nil {
		return g.world.write(vm, key, offset, data)
	}
	c.Lock()
	defer c.Unlock()
	c.track.wrote(offset, int64(len(data)))
	if len(c.layers) == 1 {
		return g.world.write(vm, key, offset, data)
	}
	return c.write(offset, data)
}

// controls are the tests' side door to snapshots:
//
//	POST /control/guest   {"vm","disk","seed","writes":N}  the guest writes N times at once, the same for the same seed
//	                      {"vm","disk","seed","every":MS}  it goes on writing until {"vm","stop":true} or until it is off
//	                      {…,"span":BYTES}                 to the last so many bytes of the disk alone
//	POST /control/export  {"vm","disk","snapshot","file"}  the disk as a snapshot, or with "" the guest, sees it, as a raw file
//	POST /control/changes {"areas","span"}                 how much a reply of QueryChangedDiskAreas says
//	                      {"vm","reset":true}              change ids from before are worth nothing any more
func (s *snapshots) controls(mux *http.ServeMux) {
	mux.HandleFunc("POST /control/guest", answer(s.controlGuest))
	mux.HandleFunc("POST /control/export", answer(s.controlExport))
	mux.HandleFunc("POST /control/changes", answer(s.controlChanges))
}

func (s *snapshots) controlGuest(r *http.Request) (any, error) {
	var ask struct {
		VM     string
		Disk   int32
		Seed   uint64
		Writes int
		Every  int
		Span   int64
		Stop   bool
	}
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	vm := s.gate.world.vm(ask.VM)
	if vm == nil {
		return nil, fmt.Errorf("vm: there is no %q", ask.VM)
	}
	s.stop(ask.VM)
	script := &script{s: s, vm: vm, disk: ask.Disk, span: ask.Span, random: rand.New(rand.NewPCG(ask.Seed, 1))}
	for i := 0; i < ask.Writes; i++ {
		if err := script.step(); err != nil {
			return nil, err
		}
	}
	if ask.Every > 0 {
		stopped := make(chan struct{})
		s.mutex.Lock()
		s.guests[ask.VM] = stopped
		s.mutex.Unlock()
		go script.run(time.Duration(ask.Every)*time.Millisecond, stopped)
	}
	return nil, nil
}

func (s *snapshots) stop(vm string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if stopped := s.guests[vm]; stopped != nil {
		close(stopped)
		delete(s.guests, vm)
	}
}

// script is a guest's writes: any place of the last span bytes (0: of the disk), up to 256 KiB, now and then zeros.
type script struct {
	s      *snapshots
	vm     *simulator.VirtualMachine
	disk   int32
	span   int64
	random *rand.Rand
}

func (g *script) step() error {
	on := false
	g.s.lock(g.vm, func() { on = g.vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn })
	if !on {
		return errors.New("a guest that is off writes nothing")
	}
	c := g.s.chain(g.vm, g.disk)
	if c == nil {
		return fmt.Errorf("disk: there is no %d", g.disk)
	}
	room := c.size / sector
	if g.span > 0 {
		room = min(room, g.span/sector)
	}
	length := min(int64(1+g.random.IntN(512)), room)
	offset := (c.size/sector - room + g.random.Int64N(room-length+1)) * sector
	data := make([]byte, length*sector)
	if g.random.IntN(8) != 0 {
		for i := range data {
			data[i] = byte(g.random.Uint32())
		}
	}
	return g.s.gate.write(g.vm, g.disk, offset, data)
}

func (g *script) run(every time.Duration, stopped chan struct{}) {
	for {
		select {
		case <-stopped:
			return
		case <-time.After(every):
			if g.step() != nil {
				return
			}
		}
	}
}

func (s *snapshots) controlExport(r *http.Request) (any, error) {
	var ask struct {
		VM, Snapshot, File string
		Disk               int32
	}
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	vm := s.gate.world.vm(ask.VM)
	if vm == nil {
		return nil, fmt.Errorf("vm: there is no %q", ask.VM)
	}
	c := s.chain(vm, ask.Disk)
	if c == nil {
		return nil, fmt.Errorf("disk: there is no %d", ask.Disk)
	}
	c.Lock()
	defer c.Unlock()
	return map[string]string{"descriptor": c.world.local(c.top().path)}, c.export(ask.Snapshot, ask.File)
}

func (s *snapshots) controlChanges(r *http.Request) (any, error) {
	var ask struct {
		page
		VM    string
		Reset bool
	}
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	if vm := s.gate.world.vm(ask.VM); vm != nil && ask.Reset {
		for _, c := range s.of(vm) {
			c.Lock()
			c.track.reset()
			c.Unlock()
		}
		return nil, nil
	}
	s.page = ask.page
	return nil, nil
}
