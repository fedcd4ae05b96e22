package main

import (
	"bytes"
	"encoding/xml"
	"sort"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
)

// record is what was asked of the server since it began, or since it was last cleared.
type record struct {
	mutex   sync.Mutex
	logins  []loginTry
	calls   map[string]int
	reads   map[string]*reads
	locked  map[string]int
	holders map[string]string // session → user
}

type loginTry struct {
	Time string `json:"time"`
	User string `json:"user"`
	By   string `json:"by"` // sdk, basic
	OK   bool   `json:"ok"`
}

// reads are the bytes of one file that left.
type reads struct {
	Requests int    `json:"requests"`
	Bytes    int64  `json:"bytes"`
	Twice    int64  `json:"twice"` // of those, how many had left before
	Ranges   []span `json:"ranges"`
	covered  []span // sorted, disjoint
}

type span struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

// Ranges beyond so many are counted but not listed.
const rangesKept = 20000

func newRecord() *record {
	r := &record{holders: map[string]string{}}
	r.clear()
	return r
}

// clear forgets everything but the sessions, which are still there.
func (r *record) clear() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.logins, r.calls, r.reads, r.locked = nil, map[string]int{}, map[string]*reads{}, map[string]int{}
}

func (r *record) call(method string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.calls[method]++
}

func (r *record) login(user, by string, ok bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.logins = append(r.logins, loginTry{Time: time.Now().UTC().Format(time.RFC3339Nano), User: user, By: by, OK: ok})
}

func (r *record) refused(path string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.locked[path]++
}

func (r *record) opened(key, user string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.holders[key] = user
}

func (r *record) closed(key string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.holders, key)
}

func (r *record) sessionUser(key string) string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.holders[key]
}

func (r *record) sessions() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	keys := []string{}
	for key := range r.holders {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func (r *record) served(path string, start, end int64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	file := r.reads[path]
	if file == nil {
		file = &reads{}
		r.reads[path] = file
	}
	file.Requests++
	if end <= start {
		return
	}
	file.Bytes += end - start
	if len(file.Ranges) < rangesKept {
		file.Ranges = append(file.Ranges, span{start, end})
	}
	file.Twice += file.cover(span{start, end})
}

// cover adds a span and tells how many of its bytes were covered already.
func (f *reads) cover(add span) (twice int64) {
	merged, kept := add, f.covered[:0:0]
	for _, have := range f.covered {
		if overlap := min(have.End, add.End) - max(have.Start, add.Start); overlap > 0 {
			twice += overlap
		}
		if have.End < merged.Start || have.Start > merged.End {
			kept = append(kept, have)
		} else {
			merged = span{min(merged.Start, have.Start), max(merged.End, have.End)}
		}
	}
	kept = append(kept, merged)
	sort.Slice(kept, func(i, j int) bool { return kept[i].Start < kept[j].Start })
	f.covered = kept
	return twice
}

func isActive(body soap.HasFault) bool {
	answer, ok := body.(*methods.SessionIsActiveBody)
	return ok && answer.Res != nil && answer.Res.Returnval
}

func unescape(text string) string {
	var out string
	if xml.Unmarshal([]byte("<t>"+text+"</t>"), &out) != nil {
		return text
	}
	return out
}

func escape(text string) string {
	var out bytes.Buffer
	xml.EscapeText(&out, []byte(text))
	return out.String()
}
