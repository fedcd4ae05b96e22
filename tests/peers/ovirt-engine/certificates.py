"""Certificates of the engine: its front end and its imageio hosts are signed by two different authorities, as after a renewal."""
import pathlib
import subprocess


def _openssl(*arguments, stdin=None):
    subprocess.run(["openssl", *map(str, arguments)], input=stdin, check=True, capture_output=True, text=True)


class Authority:
    """A certificate authority in a directory: NAME-ca.pem, and NAME.pem + NAME.key signed by it."""

    def __init__(self, directory, name, alternative_names):
        home = pathlib.Path(directory)
        self.ca, self.certificate, self.key = home / f"{name}-ca.pem", home / f"{name}.pem", home / f"{name}.key"
        ca_key, request, extensions = home / f"{name}-ca.key", home / f"{name}.csr", home / f"{name}.ext"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        _openssl("req", "-x509", *curve, "-days", "3", "-subj", f"/O=test/CN={name} CA", "-keyout", ca_key, "-out", self.ca)
        _openssl("req", *curve, "-subj", f"/O=test/CN={name}", "-keyout", self.key, "-out", request)
        extensions.write_text(f"subjectAltName={alternative_names}\n")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "3",
                 "-extfile", extensions, "-out", self.certificate)
