"""A watch of the inventory: frames over a WebSocket, as clients of Forklift's inventory read them."""
import base64
import json
import os
import socket
import ssl
import struct

from . import waiting

STARTED, PARITY, END, CREATED, UPDATED, DELETED = 0, 1, 4, 16, 32, 64


class Watch:
    """A WebSocket client (RFC 6455), as much of it as a watch needs."""

    def __init__(self, inventory, path, snapshot):
        context = ssl._create_unverified_context()
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", inventory.port), timeout=waiting.SHORT))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:{inventory.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nX-Watch: {'snapshot' if snapshot else ''}\r\n"
                             f"Authorization: Bearer {inventory.token}\r\n\r\n").encode())
        self.bytes = b""
        head = self._until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head.decode()

    def _more(self):
        got = self.socket.recv(65536)
        assert got, "the server hung up"
        self.bytes += got

    def _until(self, mark):
        while mark not in self.bytes:
            self._more()
        part, self.bytes = self.bytes.split(mark, 1)
        return part

    def _take(self, size):
        while len(self.bytes) < size:
            self._more()
        part, self.bytes = self.bytes[:size], self.bytes[size:]
        return part

    def frame(self):
        """The next text frame as JSON; None when the server closes."""
        kind, size = self._take(2)
        if size == 126:
            size, = struct.unpack(">H", self._take(2))
        elif size == 127:
            size, = struct.unpack(">Q", self._take(8))
        data = self._take(size)
        return json.loads(data) if kind & 15 == 1 else None

    def until(self, wanted):
        """Frames up to the first that wanted() accepts, which comes last."""
        frames = [self.frame()]
        while not wanted(frames[-1]):
            frames.append(self.frame())
        return frames

    def say(self, message):
        data, mask = json.dumps(message).encode(), os.urandom(4)
        self.socket.sendall(bytes([0x81, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def close(self):
        self.socket.close()
