package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
)

// describe gives the text of a VMDK descriptor over one flat extent, as ESXi writes it (VMware Virtual Disk Format 5.0).
func describe(disk *Disk, size int64, flat, cid string) string {
	sectors := size / sector
	if disk.ClaimSectors != 0 {
		sectors = disk.ClaimSectors
	}
	extent := disk.ClaimExtent
	if extent == "" {
		extent = fmt.Sprintf("RW %d VMFS \"%s\"", sectors, flat)
	}
	return fmt.Sprintf(`# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=%s
parentCID=ffffffff
createType="vmfs"

# Extent description
%s

# The Disk Data Base
#DDB

ddb.adapterType = "lsilogic"
ddb.geometry.cylinders = "%d"
ddb.geometry.heads = "255"
ddb.geometry.sectors = "63"
ddb.virtualHWVersion = "19"
`, cid, extent, sectors/(255*63))
}

func newCID() string {
	return fmt.Sprintf("%08x", rand.Uint32N(0xfffffffe)) // ffffffff means "no parent", fffffffe "not set"
}

var cidLine = regexp.MustCompile(`(?m)^CID=[0-9a-f]{8}$`)

// changeCID writes a new content id into a descriptor, as a host does at the first write after it opened the disk.
func changeCID(descriptor string) error {
	text, err := os.ReadFile(descriptor)
	if err != nil {
		return err
	}
	return os.WriteFile(descriptor, cidLine.ReplaceAll(text, []byte("CID="+newCID())), 0o600)
}
