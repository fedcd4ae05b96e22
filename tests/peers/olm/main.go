// olm DIR: judges an operator bundle as the Operator Lifecycle Manager's own library does, with the checks that ask no registry. Prints
// what is wrong, a line each; exit code 1 when there is an error, also in reading it.
package main

import (
	"fmt"
	"os"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/validation"
)

func main() {
	bundle, err := manifests.GetBundleFromDir(os.Args[1])
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	failed := false
	checks := append(validation.DefaultBundleValidators, validation.OperatorHubV2Validator, validation.AlphaDeprecatedAPIsValidator)
	for _, result := range checks.Validate(bundle.ObjectsToValidate()...) {
		for _, e := range result.Errors {
			fmt.Println("error:", e.Error())
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
	fmt.Println("valid:", bundle.Name)
}
