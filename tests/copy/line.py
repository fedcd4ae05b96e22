"""A line to a server that breaks: a TCP proxy that cuts its connections after so many bytes, and delays them."""
import socket
import threading
import time


class Line:
    """port: where it listens. cuts: after how many bytes from the server each next connection is cut; none left: never."""

    def __init__(self, host, port):
        self.server, self.cuts, self.delay = (host, port), [], 0
        self.lock, self.listener = threading.Lock(), socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.server)
            except OSError:
                client.close()
                continue
            with self.lock:
                cut = self.cuts.pop(0) if self.cuts else None
            threading.Thread(target=self._carry, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, cut), daemon=True).start()

    def _carry(self, one, other, left):
        try:
            while data := one.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                other.sendall(data if left is None else data[:left])
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        break
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
