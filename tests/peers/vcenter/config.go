package main

import (
	"errors"
	"fmt"
	"os"
)

// Config is what the vCenter holds. Absent members get the values of defaultConfig.
type Config struct {
	User       string   `json:"user"`
	Password   string   `json:"password"`
	APIVersion string   `json:"apiVersion"`
	Datastores []string `json:"datastores"` // the first is used where a disk names none
	VSAN       []string `json:"vsan"`       // those of them whose disks are objects: their descriptors are files, nothing else is
	Networks   []string `json:"networks"`   // standard port groups, besides the simulator's own "VM Network"
	VMs        []VM     `json:"vms"`
	Clones     *Clones  `json:"clones"`
	Oddities   string   `json:"oddities"` // the VM that oddities.go's VMs are copies of; "": there are none
	// Hosts: one that stands alone, DC0_H0, and so many clusters of so many: DC0_C0_H0 …
	Clusters     int `json:"clusters"`
	ClusterHosts int `json:"clusterHosts"`
	// One ESXi host instead of a vCenter: its own datacenter, no clusters, no REST interface.
	Standalone bool  `json:"standalone"`
	ESXi       *ESXi `json:"esxi"` // absent: the hosts have no endpoints of their own
	Role       *Role `json:"role"` // of the user; absent: it may do everything
	// Files of a running VM are locked, as ESXi has it; false serves them all the same.
	LockRunning bool `json:"lockRunning"`
}

// VM is one virtual machine.
type VM struct {
	Name     string `json:"name"`
	UUID     string `json:"uuid"`
	PowerOn  bool   `json:"powerOn"`
	Firmware string `json:"firmware"` // bios, efi
	GuestID  string `json:"guestId"`
	MemoryMB int64  `json:"memoryMB"`
	CPUs     int32  `json:"cpus"`
	Deltas   string `json:"deltas"` // of snapshots: seSparse (default), vmfsSparse
	Disks    []Disk `json:"disks"`
	NICs     []NIC  `json:"nics"`
	Host     string `json:"host"`      // name of an ESXi host; default: the stand-alone one
	HostName string `json:"hostName"`  // what VMware Tools say of the guest; "" says that there are none
	IP       string `json:"ipAddress"` // likewise
	CDROM    string `json:"cdrom"`     // "": none; else what is in the drive: "[datastore1] x.iso", or "-": nothing
	// File system of the guest's only partition, as VMware Tools report it; "": nothing is said of it.
	FileSystem string `json:"fileSystem"`
	Suspended  bool   `json:"suspended"`
}

// Disk is a raw file shown as a thick VMDK. The file itself is the extent: what a guest writes goes into it.
type Disk struct {
	File      string `json:"file"`
	Datastore string `json:"datastore"`
	Name      string `json:"name"` // default NAME.vmdk, NAME_1.vmdk …
	Mode      string `json:"mode"` // default persistent; independent_persistent …
	// The disk's sharing, default sharingNone; and the id of a vVol that it is.
	Sharing string `json:"sharing"`
	VVol    string `json:"vvol"`
	// Sectors that the descriptor claims; 0: the truth.
	ClaimSectors int64 `json:"claimSectors"`
	// Extent line of the descriptor as it stands ("RW 100 SPARSE \"x-s001.vmdk\""); "": a FLAT extent.
	ClaimExtent string `json:"claimExtent"`
}

// NIC is a vmxnet3 card.
type NIC struct {
	Network string `json:"network"`
	MAC     string `json:"mac"`
}

// Clones are many VMs without content, copied from the VM of that name: an inventory of realistic size in no time.
type Clones struct {
	Of    string `json:"of"`
	Count int    `json:"count"`
}

const sector = 512

func defaultConfig() *Config {
	return &Config{User: "administrator@vsphere.local", Password: "secret", APIVersion: "8.0.2.0",
		Datastores: []string{"datastore1"}, Clusters: 1, ClusterHosts: 2, LockRunning: true}
}

func (c *Config) check() error {
	if len(c.Datastores) == 0 {
		return errors.New("datastores: at least one is needed")
	}
	if c.Clusters < 0 || c.Clusters > 0 && c.ClusterHosts < 1 {
		return fmt.Errorf("clusters: %d clusters of %d hosts cannot be", c.Clusters, c.ClusterHosts)
	}
	if c.ESXi != nil && (c.ESXi.User == "" || c.ESXi.Password == "") {
		return errors.New("esxi: user and password have to be there")
	}
	names := map[string]bool{}
	for i := range c.VMs {
		vm := &c.VMs[i]
		where := fmt.Sprintf("vms[%d]", i)
		if vm.Name == "" || names[vm.Name] {
			return fmt.Errorf("%s.name: has to be there and unique, got %q", where, vm.Name)
		}
		names[vm.Name] = true
		for j, disk := range vm.Disks {
			info, err := os.Stat(disk.File)
			if err != nil {
				return fmt.Errorf("%s.disks[%d].file: %w", where, j, err)
			}
			if info.Size()%sector != 0 || info.Size() == 0 {
				return fmt.Errorf("%s.disks[%d].file: %s has %d bytes, a VMDK holds whole sectors of %d", where, j, disk.File,
					info.Size(), sector)
			}
		}
	}
	if c.Clones != nil && !names[c.Clones.Of] {
		return fmt.Errorf("clones.of: there is no VM %q", c.Clones.Of)
	}
	return nil
}
