package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// HttpNfcLease (the simulator tells a type by its name) is an export that has content: each disk as a streamOptimized VMDK, made while it is sent.
type HttpNfcLease struct {
	mo.HttpNfcLease

	gate     *gate
	disks    map[string]*chain // by the last part of their URL
	snapshot string
	mutex    sync.Mutex
	told     time.Time // of the last progress
	ended    bool
}

const leaseTimeout = 300

// export answers ExportVm and ExportSnapshot; false: the simulator may.
func (g *gate) export(w http.ResponseWriter, method string, body []byte) bool {
	ref, snapshot := calledOn(method, body), ""
	vm := g.world.vm(ref)
	if method == "ExportSnapshot" {
		vm, snapshot = g.snapshots.owner(ref), ref
	}
	if vm == nil {
		return false
	}
	on := false
	g.snapshots.lock(vm, func() { on = vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn })
	if on && snapshot == "" {
		soapFault(w, "InvalidPowerState", "The attempted operation cannot be performed in the current state (Powered on).", "")
		return true
	}
	lease := &HttpNfcLease{gate: g, disks: map[string]*chain{}, snapshot: snapshot, told: time.Now()}
	lease.State = types.HttpNfcLeaseStateReady
	made := g.world.model.Map().Put(lease)
	lease.Self = made.Reference()
	lease.Info = &types.HttpNfcLeaseInfo{Lease: lease.Self, Entity: vm.Self, LeaseTimeout: int32(lease.timeout() / time.Second)}
	for i, c := range g.snapshots.of(vm) {
		name := fmt.Sprintf("disk-%d.vmdk", i)
		unit := i
		if unit >= 7 {
			unit++
		}
		host := "*"
		if g.faults.find("lease-host", "", vm.Name) != nil {
			host = "esx.invalid"
		}
		lease.disks[name] = c
		lease.Info.DeviceUrl = append(lease.Info.DeviceUrl, types.HttpNfcLeaseDeviceUrl{
			Key: fmt.Sprintf("/%s/ParaVirtualSCSIController0:%d", vm.Self.Value, unit), Disk: types.NewBool(true), TargetId: name,
			Url: fmt.Sprintf("https://%s/nfc/%s/%s", host, lease.Self.Value, name),
		})
	}
	soapReply(w, http.StatusOK, fmt.Sprintf(`<%sResponse xmlns="urn:vim25"><returnval type="HttpNfcLease">%s</returnval></%[1]sResponse>`,
		method, lease.Self.Value))
	return true
}

// timeout is how long the lease waits for a word: a fault may make that short.
func (l *HttpNfcLease) timeout() time.Duration {
	if short := l.gate.faults.find("lease-timeout", "", ""); short != nil {
		return time.Duration(short.Milliseconds) * time.Millisecond
	}
	return leaseTimeout * time.Second
}

func (l *HttpNfcLease) alive() bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return !l.ended && time.Since(l.told) < time.Duration(max(l.Info.LeaseTimeout, 1))*time.Second
}

func (l *HttpNfcLease) end(ctx *simulator.Context) {
	l.mutex.Lock()
	l.ended = true
	l.mutex.Unlock()
	ctx.Map.Remove(ctx, l.Self)
}

// HttpNfcLeaseProgress, -Complete and -Abort are called by the simulator.
func (l *HttpNfcLease) HttpNfcLeaseProgress(ctx *simulator.Context, req *types.HttpNfcLeaseProgress) soap.HasFault {
	if !l.alive() {
		return &methods.HttpNfcLeaseProgressBody{Fault_: simulator.Fault("the lease has ended", &types.ManagedObjectNotFound{Obj: l.Self})}
	}
	l.mutex.Lock()
	l.told = time.Now()
	l.mutex.Unlock()
	return &methods.HttpNfcLeaseProgressBody{Res: &types.HttpNfcLeaseProgressResponse{}}
}

func (l *HttpNfcLease) HttpNfcLeaseComplete(ctx *simulator.Context, req *types.HttpNfcLeaseComplete) soap.HasFault {
	l.end(ctx)
	return &methods.HttpNfcLeaseCompleteBody{Res: &types.HttpNfcLeaseCompleteResponse{}}
}

func (l *HttpNfcLease) HttpNfcLeaseAbort(ctx *simulator.Context, req *types.HttpNfcLeaseAbort) soap.HasFault {
	l.end(ctx)
	return &methods.HttpNfcLeaseAbortBody{Res: &types.HttpNfcLeaseAbortResponse{}}
}

// serveLease sends a disk of a lease.
func (g *gate) serveLease(w http.ResponseWriter, r *http.Request) {
	ref := types.ManagedObjectReference{Type: "HttpNfcLease", Value: path.Base(path.Dir(r.URL.Path))}
	lease, ok := g.world.model.Map().Get(ref).(*HttpNfcLease)
	if !ok || lease.disks[path.Base(r.URL.Path)] == nil || !lease.alive() {
		http.NotFound(w, r)
		return
	}
	c := lease.disks[path.Base(r.URL.Path)]
	shown := strings.TrimPrefix(r.URL.Path, "/")
	if g.faults.hit(w, r, "nfc", c.stem()) {
		return
	}
	out := &served{ResponseWriter: w, gate: g, path: "nfc " + c.stem(), request: r}
	if g.faults.take("drop-mid-body", shown) {
		out.WriteHeader(http.StatusOK)
		out.cut = c.size / 8
	}
	if err := lease.stream(out, c); err != nil {
		panic(http.ErrAbortHandler)
	}
	out.done()
}

// stream writes a chain as a streamOptimized VMDK: grains that hold something, a table after 512 of them, directory, footer, end.
func (l *HttpNfcLease) stream(w io.Writer, c *chain) error {
	const grain = 128 * sector
	order := binary.LittleEndian
	header := make([]byte, 128*sector)
	copy(header, "KDMV")
	order.PutUint32(header[4:], 3)
	order.PutUint32(header[8:], 0x30001)
	order.PutUint64(header[12:], uint64(c.size/sector))
	order.PutUint64(header[20:], 128)
	order.PutUint32(header[44:], 512)
	order.PutUint64(header[56:], ^uint64(0))
	order.PutUint64(header[64:], 128)
	copy(header[73:], "\n \r\n\x01\x00")
	out := &counter{w: w}
	out.Write(header)

	grains := (c.size + grain - 1) / grain
	table, directory := make([]byte, 512*4), []byte{}
	for i := int64(0); i < grains && out.err == nil; i++ {
		if !l.alive() {
			return fmt.Errorf("the lease has ended")
		}
		data := make([]byte, grain)
		if err := l.read(c, data[:min(grain, c.size-i*grain)], i*grain); err != nil {
			return err
		}
		if !allZero(data) {
			order.PutUint32(table[i%512*4:], uint32(out.n/sector))
			out.Write(marker(i*128, data))
		}
		if i%512 == 511 || i == grains-1 {
			directory = order.AppendUint32(directory, uint32(out.n/sector+1))
			out.Write(append(metadata(4, 1), table...))
			clear(table)
		}
	}
	directory = append(directory, make([]byte, -len(directory)&(sector-1))...)
	out.Write(append(metadata(uint64(len(directory)/sector), 2), directory...))
	out.Write(append(metadata(1, 3), header[:sector]...))
	out.Write(metadata(0, 0))
	return out.err
}

// read gives the disk as the snapshot, or the VM that is off, has it.
func (l *HttpNfcLease) read(c *chain, data []byte, offset int64) error {
	c.Lock()
	defer c.Unlock()
	depth := len(c.layers) - 1
	if l.snapshot != "" {
		depth = c.depth(c.frozen[l.snapshot])
	}
	if depth < 0 {
		return fmt.Errorf("the snapshot is gone")
	}
	return c.read(depth, data, offset)
}

func marker(lba int64, data []byte) []byte {
	var packed bytes.Buffer
	deflate := zlib.NewWriter(&packed)
	deflate.Write(data)
	deflate.Close()
	out := binary.LittleEndian.AppendUint64(nil, uint64(lba))
	out = binary.LittleEndian.AppendUint32(out, uint32(packed.Len()))
	out = append(out, packed.Bytes()...)
	return append(out, make([]byte, -len(out)&(sector-1))...)
}

func metadata(sectors uint64, kind uint32) []byte {
	out := make([]byte, sector)
	binary.LittleEndian.PutUint64(out, sectors)
	binary.LittleEndian.PutUint32(out[12:], kind)
	return out
}

// counter counts what is written, and keeps the first error.
type counter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counter) Write(data []byte) (int, error) {
	if c.err == nil {
		_, c.err = c.w.Write(data)
	}
	c.n += int64(len(data))
	return len(data), c.err
}
