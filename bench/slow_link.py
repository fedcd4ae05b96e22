"""A link of a given rate and delay in front of a TCP server: a proxy, as the kernels of test machines lack netem.

What comes is held back for the delay and let go at the rate, all connections together; a connection has at most WINDOW bytes on
the way, as TCP would. Requests are delayed too.
"""
import asyncio
import multiprocessing
import time
import urllib.parse

WINDOW = 6 << 20
PIECE = 64 << 10


class Bucket:
    """The link's rate, shared by all that goes one way."""

    def __init__(self, rate):
        self.rate, self.free_at = rate, 0.0

    def book(self, size, now):
        self.free_at = max(self.free_at, now) + size / self.rate
        return self.free_at


async def carry(reader, writer, bucket, delay):
    """One direction of one connection."""
    queue, waiting, room = asyncio.Queue(), 0, asyncio.Event()

    async def deliver():
        nonlocal waiting
        while True:
            due, data = await queue.get()
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            if data is None:
                break
            writer.write(data)
            await writer.drain()
            waiting -= len(data)
            room.set()
        writer.close()

    delivery = asyncio.create_task(deliver())
    try:
        while data := await reader.read(PIECE):
            due = bucket.book(len(data), time.monotonic()) + delay
            waiting += len(data)
            queue.put_nowait((due, data))
            while waiting > WINDOW:
                room.clear()
                await room.wait()
        queue.put_nowait((0, None))
        await delivery
    except ConnectionError:
        delivery.cancel()
        writer.close()


async def serve(host, port, rate, delay, ready):
    down, up = Bucket(rate), Bucket(rate)

    async def connect(client, to_client):
        server, to_server = await asyncio.open_connection(host, port)
        await asyncio.gather(carry(client, to_server, up, delay), carry(server, to_client, down, delay))

    listener = await asyncio.start_server(connect, "127.0.0.1", 0, limit=PIECE * 4)
    ready.put(listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


def run(host, port, rate, delay, ready):
    asyncio.run(serve(host, port, rate, delay, ready))


class SlowLink:
    """url: the server's, through the link."""

    def __init__(self, url, rate, delay):
        parts = urllib.parse.urlsplit(url)
        ready = multiprocessing.Queue()
        self.process = multiprocessing.Process(target=run, args=(parts.hostname, parts.port, rate, delay, ready), daemon=True)
        self.process.start()
        self.url = parts._replace(netloc=f"127.0.0.1:{ready.get(timeout=30)}").geturl()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()
