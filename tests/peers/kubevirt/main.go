// kubevirt judges VirtualMachines as KubeVirt's API server does.
//
// Each line of standard input is a VirtualMachine as we create it. Its own admitter looks at it, and then at the instance
// that virt-controller would make of it, each with KubeVirt's defaults set. Each gives a line of standard output,
// "NAMESPACE/NAME: admitted" or "NAMESPACE/NAME: refused: FIELD: why"; exit status 1 when one was refused or none came.
//
// An instance type, whatever its name, gives 2 CPUs and 4 GiB; a preference wants nothing. Feature gates are as
// delivered: none is on.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	admission "k8s.io/api/admission/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/cache"
	kubevirt "kubevirt.io/api/core/v1"
	instancetype "kubevirt.io/api/instancetype/v1beta1"

	"kubevirt.io/kubevirt/pkg/defaults"
	"kubevirt.io/kubevirt/pkg/instancetype/apply"
	"kubevirt.io/kubevirt/pkg/instancetype/conflict"
	network "kubevirt.io/kubevirt/pkg/network/admitter"
	"kubevirt.io/kubevirt/pkg/virt-api/webhooks"
	"kubevirt.io/kubevirt/pkg/virt-api/webhooks/validating-webhook/admitters"
	settings "kubevirt.io/kubevirt/pkg/virt-config"
)

// oneType is the instance type of every name.
type oneType struct{}

func (oneType) ApplyToVM(vm *kubevirt.VirtualMachine) (*instancetype.VirtualMachineInstancetypeSpec, *instancetype.VirtualMachinePreferenceSpec, []meta.StatusCause) {
	var size *instancetype.VirtualMachineInstancetypeSpec
	var preference *instancetype.VirtualMachinePreferenceSpec
	if vm.Spec.Instancetype != nil {
		size = &instancetype.VirtualMachineInstancetypeSpec{
			CPU:    instancetype.CPUInstancetype{Guest: 2},
			Memory: instancetype.MemoryInstancetype{Guest: resource.MustParse("4Gi")},
		}
	}
	if vm.Spec.Preference != nil {
		preference = &instancetype.VirtualMachinePreferenceSpec{}
	}
	template := vm.Spec.Template
	conflicts := apply.NewVMIApplier().ApplyToVMI(field.NewPath("spec", "template", "spec"), size, preference, &template.Spec, &template.ObjectMeta)
	return size, preference, conflicts.StatusCauses()
}

func (oneType) Check(*instancetype.VirtualMachineInstancetypeSpec, *instancetype.VirtualMachinePreferenceSpec, *kubevirt.VirtualMachineInstanceSpec) (conflict.Conflicts, error) {
	return nil, nil
}

func newSettings() (*settings.ClusterConfig, error) {
	definitions := cache.NewSharedIndexInformer(&cache.ListWatch{}, &extensions.CustomResourceDefinition{}, 0, nil)
	installations := cache.NewSharedIndexInformer(&cache.ListWatch{}, &kubevirt.KubeVirt{}, 0, nil)
	definition := &extensions.CustomResourceDefinition{ObjectMeta: meta.ObjectMeta{Name: "datavolumes.cdi.kubevirt.io"}}
	definition.Spec.Names.Kind = "DataVolume"
	installation := &kubevirt.KubeVirt{ObjectMeta: meta.ObjectMeta{Name: "kubevirt", Namespace: "kubevirt"}}
	installation.Status.Phase = kubevirt.KubeVirtPhaseDeployed
	installation.Status.DefaultArchitecture = "amd64"
	if err := definitions.GetStore().Add(definition); err != nil {
		return nil, err
	}
	if err := installations.GetStore().Add(installation); err != nil {
		return nil, err
	}
	return settings.NewClusterConfigWithCPUArch(definitions, installations, "kubevirt", "amd64")
}

type judge struct {
	settings  *settings.ClusterConfig
	machines  *admitters.VMsAdmitter
	instances *admitters.VMICreateAdmitter
}

func newJudge() (*judge, error) {
	config, err := newSettings()
	if err != nil {
		return nil, err
	}
	return &judge{
		settings: config,
		machines: &admitters.VMsAdmitter{InstancetypeAdmitter: oneType{}, ClusterConfig: config},
		instances: &admitters.VMICreateAdmitter{ClusterConfig: config, SpecValidators: []admitters.SpecValidator{
			func(path *field.Path, spec *kubevirt.VirtualMachineInstanceSpec, config *settings.ClusterConfig) []meta.StatusCause {
				return network.Validate(path, spec, config)
			}}},
	}, nil
}

func creation(resource meta.GroupVersionResource, object []byte) *admission.AdmissionReview {
	return &admission.AdmissionReview{Request: &admission.AdmissionRequest{
		Operation: admission.Create, Resource: resource, Object: runtime.RawExtension{Raw: object}}}
}

// refusal gives why an answer is no, or nil.
func refusal(answer *admission.AdmissionResponse) error {
	if answer.Allowed {
		return nil
	}
	var causes []string
	if answer.Result.Details != nil {
		for _, cause := range answer.Result.Details.Causes {
			causes = append(causes, cause.Field+": "+cause.Message)
		}
	}
	if causes == nil {
		causes = append(causes, answer.Result.Message)
	}
	return fmt.Errorf("%s", strings.Join(causes, "; "))
}

// instanceOf is what virt-controller makes of vm, with the defaults that KubeVirt's mutating webhook sets.
func (j *judge) instanceOf(vm *kubevirt.VirtualMachine) ([]byte, error) {
	copied := vm.DeepCopy()
	oneType{}.ApplyToVM(copied)
	instance := kubevirt.NewVMIReferenceFromNameWithNS(vm.Namespace, vm.Name)
	instance.APIVersion, instance.Kind = "kubevirt.io/v1", "VirtualMachineInstance"
	instance.Labels, instance.Annotations = copied.Spec.Template.ObjectMeta.Labels, copied.Spec.Template.ObjectMeta.Annotations
	instance.Spec = copied.Spec.Template.Spec
	if err := defaults.SetDefaultVirtualMachineInstance(j.settings, instance); err != nil {
		return nil, err
	}
	return json.Marshal(instance)
}

func (j *judge) judge(line []byte) (string, error) {
	var vm kubevirt.VirtualMachine
	if err := json.Unmarshal(line, &vm); err != nil {
		return "", err
	}
	name := vm.Namespace + "/" + vm.Name
	if err := refusal(j.machines.Admit(context.Background(), creation(webhooks.VirtualMachineGroupVersionResource, line))); err != nil {
		return name, err
	}
	instance, err := j.instanceOf(&vm)
	if err != nil {
		return name, err
	}
	return name, refusal(j.instances.Admit(context.Background(), creation(webhooks.VirtualMachineInstanceGroupVersionResource, instance)))
}

func main() {
	j, err := newJudge()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	judged, refused := 0, 0
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, end := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			judged++
			name, why := j.judge(line)
			if why == nil {
				fmt.Printf("%s: admitted\n", name)
			} else {
				refused++
				fmt.Printf("%s: refused: %v\n", name, why)
			}
		}
		if end != nil {
			break
		}
	}
	if refused > 0 || judged == 0 {
		os.Exit(1)
	}
}
