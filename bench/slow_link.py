"""A link of a given rate and delay in front of a TCP server, in C (slow_link.c): it must not be what is measured."""
import functools
import pathlib
import subprocess
import tempfile
import urllib.parse


@functools.cache
def build():
    """A folder with the program; it goes with the last user."""
    folder = tempfile.TemporaryDirectory(prefix="slow-link-")
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", f"{folder.name}/slow_link", pathlib.Path(__file__).with_suffix(".c")], check=True)
    return folder


class SlowLink:
    """url: the server's, through the link. delay is one way's, in seconds."""

    def __init__(self, url, rate, delay):
        parts = urllib.parse.urlsplit(url)
        self.process = subprocess.Popen([f"{build().name}/slow_link", parts.hostname, str(parts.port), str(rate), str(int(delay * 1e6))],
                                        stdout=subprocess.PIPE, text=True)
        self.url = parts._replace(netloc=f"127.0.0.1:{int(self.process.stdout.readline())}").geturl()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
