// Command vcenter is the tests' vCenter: govmomi's simulator with real disks behind it.
//
//	vcenter --config FILE --dir DIR [--listen 127.0.0.1:0] [--control 127.0.0.1:0]
//
// It makes the virtual machines of FILE (config.go says what may be in it), serves the vSphere API and the datastores'
// files over TLS with a certificate of its own CA, and a control endpoint over plain HTTP by which a test plays the
// guest, breaks things and reads what was asked of the server. One line of JSON on standard output says when it is
// ready and where. DIR holds the datastores, ca.pem and server.pem; the caller removes it.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/vmware/govmomi/vapi/simulator"
)

// ready is the line that says where everything is.
type ready struct {
	URL        string     `json:"url"`
	Control    string     `json:"control"`
	User       string     `json:"user"`
	CA         string     `json:"ca"`
	SHA1       string     `json:"sha1"`
	SHA256     string     `json:"sha256"`
	Datacenter string     `json:"datacenter"`
	VMs        []madeVM   `json:"vms"`
	Networks   []madeRef  `json:"networks"`
	Datastores []madeRef  `json:"datastores"`
	Hosts      []madeHost `json:"hosts"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("vcenter: ")
	configFile := flag.String("config", "", "JSON file that says what the vCenter holds; - reads standard input")
	dir := flag.String("dir", "", "folder for datastores and certificates; made when absent")
	listen := flag.String("listen", "127.0.0.1:0", "address of the vSphere API")
	control := flag.String("control", "127.0.0.1:0", "address of the control endpoint")
	flag.Parse()
	if *configFile == "" || *dir == "" || flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*configFile, *dir, *listen, *control); err != nil {
		log.Fatal(err)
	}
}

func run(configFile, dir, listen, control string) error {
	config, err := readConfig(configFile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	os.Setenv("TMPDIR", dir) // the simulator keeps its datastores in a folder that it makes there
	world, err := makeWorld(config)
	if err != nil {
		return err
	}
	defer world.model.Remove()
	trust, err := makeTrust(dir)
	if err != nil {
		return err
	}

	service := world.model.Service
	service.TLS = &tls.Config{Certificates: []tls.Certificate{trust.certificate}, MinVersion: tls.VersionTLS12}
	service.Listen = &url.URL{Host: listen, User: url.UserPassword(config.User, config.Password), Path: "/sdk"}
	service.RegisterEndpoints = true
	gate := newGate(world)
	if config.ESXi != nil {
		if err := gate.openHosts(trust); err != nil {
			return err
		}
	}
	server := service.NewServer()
	defer server.Close()
	gate.next = server.Config.Handler
	server.Config.Handler = gate // before the first request; the simulator sees only what the gate lets through

	controlListener, err := net.Listen("tcp", control)
	if err != nil {
		return err
	}
	go http.Serve(controlListener, controlHandler(gate))

	line, err := json.Marshal(ready{
		URL:     (&url.URL{Scheme: server.URL.Scheme, Host: server.URL.Host, Path: server.URL.Path}).String(),
		Control: "http://" + controlListener.Addr().String(),
		User:    config.User, CA: trust.caFile, SHA1: trust.sha1, SHA256: trust.sha256,
		Datacenter: world.datacenter, VMs: world.vms, Networks: world.networks, Datastores: world.datastores,
		Hosts: world.hosts,
	})
	if err != nil {
		return err
	}
	fmt.Println(string(line))

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	return nil
}

func readConfig(name string) (*Config, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	config := defaultConfig()
	if err := decoder.Decode(config); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return config, config.check()
}
