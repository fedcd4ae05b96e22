"""A source that answers nonsense marks its Provider, and neither ends nor swells the inventory."""
import http.server
import ssl
import subprocess
import threading

import pytest

from harness import manifests, waiting

HEAD = '<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
CONTENT = "<RetrieveServiceContentResponse xmlns='urn:vim25'><returnval>"
LIES = {
    "nothing": "",
    "no XML": "<html>Welcome to nginx",
    "JSON": '{"a": 1}',
    "torn": HEAD + CONTENT + "<rootFolder type=",
    "deeply nested": HEAD + "<a>" * 200_000,
    "entities that grow": '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 16}">' for i in range(8)) + "]><a>&i;</a>",
    "a huge text": HEAD + CONTENT + "<about><apiVersion>" + "8" * (20 << 20) + "</apiVersion></about></returnval>",
    "wrong types": HEAD + CONTENT + "<about><apiVersion><a/></apiVersion></about><rootFolder/></returnval></RetrieveServiceContentResponse></soapenv:Body></soapenv:Envelope>",
}


@pytest.fixture(scope="module")
def liar(tmp_path_factory):
    """An HTTPS server that answers a POST to /NUMBER with that lie."""
    directory = tmp_path_factory.mktemp("liar")
    subprocess.run(["certtool", "--generate-privkey", "--outfile", directory / "key.pem"], check=True, capture_output=True)
    (directory / "template").write_text("cn = 127.0.0.1\nip_address = 127.0.0.1\nexpiration_days = 2\n")
    subprocess.run(["certtool", "--generate-self-signed", "--load-privkey", directory / "key.pem", "--template", directory / "template",
                    "--outfile", directory / "cert.pem"], check=True, capture_output=True)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = list(LIES.values())[int(self.path.strip("/"))].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # who has heard enough hangs up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_lies_mark_the_provider(bare_inventory, liar):
    kubectl = bare_inventory.kubectl
    for number in range(len(LIES)):
        kubectl.apply(manifests.secret(f"liar-{number}", "user", "password", insecureSkipVerify="true"),
                      manifests.provider(f"liar-{number}", f"https://127.0.0.1:{liar.server_port}/{number}"))
    for number, what in enumerate(LIES):
        found = kubectl.condition("provider", f"liar-{number}", "ConnectionTestFailed")
        assert found["category"] == "Critical" and 20 < len(found["message"]) < 2000, what
    kubectl("delete", "provider,secret", *(f"liar-{number}" for number in range(len(LIES))), "-n", "openshift-mtv")
    assert not bare_inventory.ended()
    waiting.until("host cluster, as before", lambda: bare_inventory.ask("providers/openshift")[0] == 200)
    assert bare_inventory.resident() < 200, "MiB, with sanitizers"
