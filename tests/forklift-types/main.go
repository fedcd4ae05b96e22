// forklift-types decodes JSON lines strictly into Forklift's, KubeVirt's and CDI's own Go types.
//
// Each line of standard input is one object as an API server would serve it. An unknown field or a wrong type is
// reported on standard output as "KIND NAMESPACE/NAME: what"; exit status 1 when there was any. So a test can show that
// whatever Gantry writes is what clients written for the originals can read.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	forklift "github.com/kubev2v/forklift/pkg/apis/forklift/v1beta1"
	kubevirt "kubevirt.io/api/core/v1"
	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

var kinds = map[string]func() any{
	"forklift.konveyor.io/v1beta1 Provider":   func() any { return &forklift.Provider{} },
	"forklift.konveyor.io/v1beta1 Host":       func() any { return &forklift.Host{} },
	"forklift.konveyor.io/v1beta1 NetworkMap": func() any { return &forklift.NetworkMap{} },
	"forklift.konveyor.io/v1beta1 StorageMap": func() any { return &forklift.StorageMap{} },
	"forklift.konveyor.io/v1beta1 Hook":       func() any { return &forklift.Hook{} },
	"forklift.konveyor.io/v1beta1 Plan":       func() any { return &forklift.Plan{} },
	"forklift.konveyor.io/v1beta1 Migration":  func() any { return &forklift.Migration{} },
	"kubevirt.io/v1 VirtualMachine":           func() any { return &kubevirt.VirtualMachine{} },
	"kubevirt.io/v1 VirtualMachineInstance":   func() any { return &kubevirt.VirtualMachineInstance{} },
	"cdi.kubevirt.io/v1beta1 DataVolume":      func() any { return &cdi.DataVolume{} },
}

type header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"metadata"`
}

// decode gives the reason why line is not what its kind's Go type reads, or nil.
func decode(line []byte) (header, error) {
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return h, err
	}
	newObject, known := kinds[h.APIVersion+" "+h.Kind]
	if !known {
		return h, fmt.Errorf("no Go type for %s %s", h.APIVersion, h.Kind)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	return h, d.Decode(newObject())
}

func main() {
	objects, faults := 0, 0
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			objects++
			if h, fault := decode(line); fault != nil {
				faults++
				fmt.Printf("%s %s/%s: %v\n", h.Kind, h.Metadata.Namespace, h.Metadata.Name, fault)
			}
		}
		if err != nil {
			break
		}
	}
	fmt.Printf("%d objects, %d faults\n", objects, faults)
	if faults > 0 || objects == 0 {
		os.Exit(1)
	}
}
