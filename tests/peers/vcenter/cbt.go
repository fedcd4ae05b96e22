package main

import (
	"fmt"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// tracking is changed block tracking of one disk: which blocks were written between any two snapshots.
type tracking struct {
	on        bool
	uuid      string
	epoch     int                    // counts snapshots
	changed   map[int]map[int64]bool // epoch → blocks written in it
	allocated map[int64]bool         // blocks that held something when tracking began
	snapshots map[string]int         // snapshot → the epoch that it ended
}

const block = 64 << 10

func (t *tracking) start(file string) error {
	t.on, t.allocated, t.snapshots = true, map[int64]bool{}, map[string]int{}
	t.reset()
	base, err := os.Open(file)
	if err != nil {
		return err
	}
	defer base.Close()
	data := make([]byte, block)
	for number := int64(0); ; number++ {
		n, _ := base.ReadAt(data, number*block)
		if n == 0 {
			return nil
		}
		if !allZero(data[:n]) {
			t.allocated[number] = true
		}
	}
}

// reset makes all change ids from before invalid, as a crash, a revert or an extension does.
func (t *tracking) reset() {
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	var pairs []string
	for i := 0; i < len(id); i += 2 {
		pairs = append(pairs, id[i:i+2])
	}
	t.uuid = strings.Join(pairs[:8], " ") + "-" + strings.Join(pairs[8:], " ")
	for _, blocks := range t.changed {
		for number := range blocks {
			t.allocated[number] = true
		}
	}
	t.epoch, t.changed = 1, map[int]map[int64]bool{1: {}}
}

func (t *tracking) id() string { return fmt.Sprintf("%s/%d", t.uuid, t.epoch) }

// next ends an epoch with a snapshot.
func (t *tracking) next(snapshot string) {
	t.snapshots[snapshot] = t.epoch
	t.epoch++
	t.changed[t.epoch] = map[int64]bool{}
}

func (t *tracking) wrote(offset, length int64) {
	if !t.on {
		return
	}
	for number := offset / block; number*block < offset+length; number++ {
		t.changed[t.epoch][number] = true
	}
}

// areas are the blocks that changed after epoch from, up to epoch to, as sorted spans; from 0: all that hold something.
func (t *tracking) areas(from, to int, size int64) []span {
	blocks := map[int64]bool{}
	if from == 0 {
		for number := range t.allocated {
			blocks[number] = true
		}
	}
	for epoch := from + 1; epoch <= to; epoch++ {
		for number := range t.changed[epoch] {
			blocks[number] = true
		}
	}
	var numbers []int64
	for number := range blocks {
		numbers = append(numbers, number)
	}
	sort.Slice(numbers, func(i, j int) bool { return numbers[i] < numbers[j] })
	var spans []span
	for _, number := range numbers {
		start, end := number*block, min((number+1)*block, (size+block-1)/block*block)
		if len(spans) > 0 && spans[len(spans)-1].End == start {
			spans[len(spans)-1].End = end
		} else {
			spans = append(spans, span{start, end})
		}
	}
	return spans
}

// page is how much one reply of QueryChangedDiskAreas says.
type page struct {
	Areas int   `json:"areas"` // at most so many areas
	Span  int64 `json:"span"`  // about at most so many bytes; 0: no limit
}

func (g *gate) queryChanges(w http.ResponseWriter, body []byte) {
	ask, err := decodeBody[types.QueryChangedDiskAreas](body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	vm, ok := g.world.model.Map().Get(ask.This).(*simulator.VirtualMachine)
	if !ok {
		soapFault(w, "ManagedObjectNotFound", "The object has already been deleted or has not been completely created", "")
		return
	}
	c := g.snapshots.chain(vm, ask.DeviceKey)
	if c == nil {
		wrongArgument(w, "deviceKey")
		return
	}
	c.Lock()
	defer c.Unlock()
	to := c.track.epoch
	if ask.Snapshot != nil {
		to, ok = c.track.snapshots[ask.Snapshot.Value]
	}
	from, good := 0, ask.ChangeId == "*"
	if name, number, cut := strings.Cut(ask.ChangeId, "/"); cut {
		from, err = strconv.Atoi(number)
		good = err == nil
		if good && name != c.track.uuid {
			soapFault(w, "FileFault", "Error caused by file "+c.top().path, "<file>"+escape(c.top().path)+"</file>")
			return
		}
	}
	switch {
	case !c.track.on || !ok:
		soapFault(w, "FileFault", "Error caused by file "+c.top().path, "<file>"+escape(c.top().path)+"</file>")
	case !good || from > to:
		wrongArgument(w, "changeId")
	case ask.StartOffset < 0 || ask.StartOffset >= c.size:
		wrongArgument(w, "startOffset")
	default:
		soapReply(w, http.StatusOK, changesText(c.track.areas(from, to, c.size), ask.StartOffset, c.size, g.snapshots.page))
	}
}

func wrongArgument(w http.ResponseWriter, name string) {
	soapFault(w, "InvalidArgument", "A specified parameter was not correct: "+name, "<invalidProperty>"+name+"</invalidProperty>")
}

func changesText(areas []span, start, size int64, limit page) string {
	var text strings.Builder
	end, count := size, 0
	if limit.Span > 0 {
		end = min(size, start+limit.Span)
	}
	for _, area := range areas {
		if area.End <= start || area.Start >= end {
			continue
		}
		if count == max(limit.Areas, 1) {
			end = area.Start
			break
		}
		count++
		from := max(area.Start, start)
		fmt.Fprintf(&text, "<changedArea><start>%d</start><length>%d</length></changedArea>", from, area.End-from)
	}
	return fmt.Sprintf(`<QueryChangedDiskAreasResponse xmlns="urn:vim25"><returnval><startOffset>%d</startOffset><length>%d</length>%s</returnval>`+
		`</QueryChangedDiskAreasResponse>`, start, end-start, text.String())
}
