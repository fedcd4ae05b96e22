package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// delta is a sparse extent as a host writes it: COWD ("vmfsSparse") or SESPARSE ("seSparse").
type delta struct {
	file   *os.File
	wide   bool // SESPARSE
	grain  int64
	grains map[int64]int64 // grain → its place in the file; zeros: written with zeros
	tables map[int64]int64 // table → its place
	size   int64           // of the disk
	end    int64           // of the file
}

const (
	zeros        = -1
	tableEntries = 4096
)

func newDelta(name, format string, size int64) (*delta, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	d := &delta{file: file, wide: format == "seSparse", grain: sector, grains: map[int64]int64{}, tables: map[int64]int64{}, size: size}
	if d.wide {
		d.grain = 8 * sector
	}
	return d, d.begin()
}

func (d *delta) count() int64 { return (d.size + d.grain*tableEntries - 1) / (d.grain * tableEntries) }

// begin writes the headers and an empty directory.
func (d *delta) begin() error {
	order := binary.LittleEndian
	if !d.wide {
		header := make([]byte, 4*sector+(d.count()*4+sector-1)/sector*sector)
		copy(header, "COWD")
		for i, value := range []uint32{1, 3, uint32(d.size / sector), uint32(d.grain / sector), 4, uint32(d.count()), uint32(len(header) / sector)} {
			order.PutUint32(header[4+i*4:], value)
		}
		d.end = int64(len(header))
		_, err := d.file.WriteAt(header, 0)
		return err
	}
	header := make([]byte, 2*sector)
	directory := (d.count()*8 + sector - 1) / sector
	for at, value := range map[int]int64{0: 0xcafebabe, 8: 0x0000000200000001, 16: d.size / sector, 24: 8, 32: 64, 80: 1, 88: 1, 96: 2, 104: 2,
		112: 4, 120: 12, 128: 16, 136: directory, 144: d.tablesAt() / sector, 152: d.count() * 64, 192: d.grainsAt() / sector, 512: 0xcafecafe} {
		order.PutUint64(header[at:], uint64(value))
	}
	d.end = d.grainsAt()
	if err := d.file.Truncate(d.end); err != nil {
		return err
	}
	_, err := d.file.WriteAt(header, 0)
	return err
}

func (d *delta) tablesAt() int64 { return (16 + (d.count()*8+sector-1)/sector) * sector }
func (d *delta) grainsAt() int64 { return d.tablesAt() + d.count()*64*sector }

func (d *delta) put(at int64, entry uint64) error {
	bytes := binary.LittleEndian.AppendUint64(nil, entry)
	if !d.wide {
		bytes = bytes[:4]
	}
	_, err := d.file.WriteAt(bytes, at)
	return err
}

// table gives the place of a grain's table, made when it is missing.
func (d *delta) table(number int64) (int64, error) {
	if at, ok := d.tables[number]; ok {
		return at, nil
	}
	if d.wide {
		slot := int64(len(d.tables)) // in the order of their making
		d.tables[number] = d.tablesAt() + slot*64*sector
		return d.tables[number], d.put(16*sector+number*8, 0x1000000000000000|uint64(slot))
	}
	d.tables[number] = d.end
	d.end += tableEntries * 4
	if err := d.file.Truncate(d.end); err != nil {
		return 0, err
	}
	return d.tables[number], d.put(4*sector+number*4, uint64(d.tables[number]/sector))
}

// write puts one whole grain.
func (d *delta) write(grain int64, data []byte) error {
	table, err := d.table(grain / tableEntries)
	if err != nil {
		return err
	}
	entry := table + grain%tableEntries*4
	if d.wide {
		entry = table + grain%tableEntries*8
	}
	at, have := d.grains[grain]
	if d.wide && allZero(data) {
		d.grains[grain] = zeros
		return d.put(entry, 2<<60)
	}
	if !have || at == zeros {
		at = d.end
		d.end += d.grain
		d.grains[grain] = at
		number := uint64(at / sector)
		if d.wide {
			index := uint64(at-d.grainsAt()) / uint64(d.grain)
			number = 3<<60 | index&0xfff<<48 | index>>12
		}
		if err := d.put(entry, number); err != nil {
			return err
		}
	}
	_, err = d.file.WriteAt(data, at)
	return err
}

// read gives a grain, or false when the delta lacks it.
func (d *delta) read(grain int64) ([]byte, bool, error) {
	at, ok := d.grains[grain]
	if !ok {
		return nil, false, nil
	}
	data := make([]byte, d.grain)
	if at == zeros {
		return data, true, nil
	}
	_, err := d.file.ReadAt(data, at)
	return data, true, err
}

func allZero(data []byte) bool {
	for _, one := range data {
		if one != 0 {
			return false
		}
	}
	return true
}

// layer is one VMDK of a disk.
type layer struct {
	path  string // of the descriptor: "[datastore] vm/x-000001.vmdk"
	file  string // of the extent, on this machine
	delta *delta // nil: the flat base
	dirty bool   // the content id was changed since it was opened
}

// chain is a disk with its snapshots' deltas.
type chain struct {
	sync.Mutex
	world  *world
	key    int32
	size   int64
	format string
	layers []*layer          // oldest first; the guest writes to the last
	frozen map[string]*layer // snapshot → what it shows
	made   int               // deltas so far
	track  tracking
}

func (c *chain) top() *layer { return c.layers[len(c.layers)-1] }

func (w *world) local(name string) string {
	datastore, rest, _ := strings.Cut(strings.TrimPrefix(name, "["), "] ")
	return filepath.Join(w.folders[datastore], rest)
}

func (c *chain) stem() string { return strings.TrimSuffix(c.layers[0].path, ".vmdk") }

var cidValue = regexp.MustCompile(`(?m)^CID=([0-9a-f]{8})$`)
var parentLine = regexp.MustCompile(`(?m)^parentCID=[0-9a-f]{8}$`)
var hintLine = regexp.MustCompile(`(?m)^parentFileNameHint=.*$`)

func (c *chain) cid(l *layer) (string, error) {
	text, err := os.ReadFile(c.world.local(l.path))
	if err != nil {
		return "", err
	}
	found := cidValue.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s has no CID", l.path)
	}
	return string(found[1]), nil
}

// push freezes what the guest wrote so far, and lets it write to a new delta.
func (c *chain) push(snapshot string) error {
	c.frozen[snapshot] = c.top()
	return c.grow()
}

func (c *chain) grow() error {
	parent := c.top()
	cid, err := c.cid(parent)
	if err != nil {
		return err
	}
	c.made++
	path := fmt.Sprintf("%s-%06d.vmdk", c.stem(), c.made)
	kind, suffix := "SESPARSE", "-sesparse.vmdk"
	if c.format == "vmfsSparse" {
		kind, suffix = "VMFSSPARSE", "-delta.vmdk"
	}
	file := strings.TrimSuffix(c.world.local(path), ".vmdk") + suffix
	made, err := newDelta(file, c.format, c.size)
	if err != nil {
		return err
	}
	extent := filepath.Base(file)
	if datastore, _, _ := strings.Cut(strings.TrimPrefix(path, "["), "] "); c.world.isVSAN(datastore) {
		kind, extent = "VMFS", "vsan://"+uuid.NewString()
	}
	text := fmt.Sprintf("# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=%s\nparentCID=%s\ncreateType=%q\nparentFileNameHint=%q\n"+
		"# Extent description\nRW %d %s %q\n\n# The Disk Data Base\n#DDB\n\nddb.longContentID = \"%s\"\n",
		cid, cid, c.format, filepath.Base(c.world.local(parent.path)), c.size/sector, kind, extent, newCID())
	if err := os.WriteFile(c.world.local(path), []byte(text), 0o600); err != nil {
		return err
	}
	c.layers = append(c.layers, &layer{path: path, file: file, delta: made})
	return nil
}

// read fills data from the view of the layers up to and including depth.
func (c *chain) read(depth int, data []byte, offset int64) error {
	base, err := os.Open(c.layers[0].file)
	if err != nil {
		return err
	}
	defer base.Close()
	if _, err := base.ReadAt(data, offset); err != nil && err != io.EOF {
		return err
	}
	for _, l := range c.layers[1 : depth+1] {
		for grain := offset / l.delta.grain; grain*l.delta.grain < offset+int64(len(data)); grain++ {
			bytes, ok, err := l.delta.read(grain)
			if err != nil {
				return err
			}
			if at := grain*l.delta.grain - offset; ok && at >= 0 {
				copy(data[at:], bytes)
			} else if ok {
				copy(data, bytes[-at:])
			}
		}
	}
	return nil
}

// write is what the guest does: bytes at an offset, into the youngest layer.
func (c *chain) write(offset int64, data []byte) error {
	if offset < 0 || offset+int64(len(data)) > c.size {
		return fmt.Errorf("offset %d with %d bytes lies outside the disk's %d", offset, len(data), c.size)
	}
	d := c.top().delta
	first := offset / d.grain * d.grain
	whole := make([]byte, (offset+int64(len(data))+d.grain-1)/d.grain*d.grain-first)
	if err := c.read(len(c.layers)-1, whole, first); err != nil {
		return err
	}
	copy(whole[offset-first:], data)
	for at := int64(0); at < int64(len(whole)); at += d.grain {
		if err := d.write((first+at)/d.grain, whole[at:at+d.grain]); err != nil {
			return err
		}
	}
	return c.touched(c.top())
}

func (c *chain) touched(l *layer) error {
	if l.dirty {
		return nil
	}
	l.dirty = true
	return changeCID(c.world.local(l.path))
}

// merge writes what the layer above depth holds into the one at depth, which takes its place.
func (c *chain) merge(depth int) error {
	lower, upper := c.layers[depth], c.layers[depth+1]
	for grain := range upper.delta.grains {
		data, _, err := upper.delta.read(grain)
		if err == nil && lower.delta != nil {
			err = lower.delta.write(grain, data)
		} else if err == nil {
			err = writeFlat(lower.file, data[:min(c.size-grain*upper.delta.grain, upper.delta.grain)], grain*upper.delta.grain)
		}
		if err != nil {
			return err
		}
	}
	if lower.delta == nil {
		now := time.Now()
		if err := os.Chtimes(lower.file, now, now); err != nil {
			return err
		}
	}
	if err := changeCID(c.world.local(lower.path)); err != nil {
		return err
	}
	upper.delta.file.Close()
	os.Remove(upper.file)
	os.Remove(c.world.local(upper.path))
	c.layers = append(c.layers[:depth+1], c.layers[depth+2:]...)
	for snapshot, shown := range c.frozen {
		if shown == upper {
			c.frozen[snapshot] = lower
		}
	}
	if depth+1 < len(c.layers) {
		return c.adopt(depth)
	}
	return nil
}

func writeFlat(name string, data []byte, offset int64) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteAt(data, offset)
	return err
}

// adopt makes the layer above depth a child of the one at depth.
func (c *chain) adopt(depth int) error {
	cid, err := c.cid(c.layers[depth])
	if err != nil {
		return err
	}
	name := c.world.local(c.layers[depth+1].path)
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text = parentLine.ReplaceAll(text, []byte("parentCID="+cid))
	text = hintLine.ReplaceAll(text, []byte(fmt.Sprintf("parentFileNameHint=%q", filepath.Base(c.world.local(c.layers[depth].path)))))
	return os.WriteFile(name, text, 0o600)
}

// consolidate merges every layer that no snapshot shows with the one above it.
func (c *chain) consolidate() error {
	for depth := len(c.layers) - 2; depth >= 0; depth-- {
		shown := false
		for _, l := range c.frozen {
			shown = shown || l == c.layers[depth]
		}
		if !shown {
			if err := c.merge(depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// revert throws away what was written since a snapshot.
func (c *chain) revert(snapshot string) error {
	for c.top() != c.frozen[snapshot] {
		l := c.top()
		for other, shown := range c.frozen {
			if shown == l {
				delete(c.frozen, other)
			}
		}
		l.delta.file.Close()
		os.Remove(l.file)
		os.Remove(c.world.local(l.path))
		c.layers = c.layers[:len(c.layers)-1]
	}
	c.track.reset()
	return c.grow()
}

// export writes the disk as a snapshot, or with "" the guest, sees it into a raw file.
func (c *chain) export(snapshot, name string) error {
	depth := len(c.layers) - 1
	if snapshot != "" {
		shown := c.frozen[snapshot]
		for depth >= 0 && c.layers[depth] != shown {
			depth--
		}
		if depth < 0 {
			return fmt.Errorf("snapshot: the disk has no %q", snapshot)
		}
	}
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer out.Close()
	data := make([]byte, 1<<20)
	for at := int64(0); at < c.size; at += int64(len(data)) {
		piece := data[:min(int64(len(data)), c.size-at)]
		if err := c.read(depth, piece, at); err != nil {
			return err
		}
		if _, err := out.Write(piece); err != nil {
			return err
		}
	}
	return nil
}
