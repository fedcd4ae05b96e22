package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// trust is a certificate of a CA of its own, and how a client may know it: by the CA or by a fingerprint.
type trust struct {
	certificate  tls.Certificate
	caFile       string
	sha1, sha256 string

	ca    *x509.Certificate
	caKey *ecdsa.PrivateKey
}

// makeTrust writes ca.pem and server.pem (both without keys) into dir. Each start makes new ones.
func makeTrust(dir string) (*trust, error) {
	t := &trust{caFile: filepath.Join(dir, "ca.pem")}
	if err := t.makeAuthority(); err != nil {
		return nil, err
	}
	var err error
	t.certificate, t.sha1, t.sha256, err = t.issue("vcenter.test", "localhost", "127.0.0.1")
	if err != nil {
		return nil, err
	}
	if err := writePEM(t.caFile, t.ca.Raw); err != nil {
		return nil, err
	}
	return t, writePEM(filepath.Join(dir, "server.pem"), t.certificate.Certificate[0])
}

func (t *trust) makeAuthority() error {
	from, until := validity()
	ca := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "vCenter test CA"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	var err error
	if t.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &t.caKey.PublicKey, t.caKey)
	if err != nil {
		return err
	}
	t.ca, err = x509.ParseCertificate(der)
	return err
}

// issue signs a certificate for a server; the first of its names is its common name. It gives its fingerprints too.
func (t *trust) issue(names ...string) (certificate tls.Certificate, short, long string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return
	}
	from, until := validity()
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: names[0]}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, t.ca, &key.PublicKey, t.caKey)
	if err != nil {
		return
	}
	sum1, sum256 := sha1.Sum(der), sha256.Sum256(der)
	certificate = tls.Certificate{Certificate: [][]byte{der, t.ca.Raw}, PrivateKey: key}
	return certificate, colons(sum1[:]), colons(sum256[:]), nil
}

func validity() (from, until time.Time) {
	return time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err)
	}
	return n
}

func writePEM(name string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

func colons(hash []byte) string {
	pairs := make([]string, len(hash))
	for i, b := range hash {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}
