"""Disks to be copied: random data, laid out as real ones are."""
import os
import random

MIB = 1 << 20
KINDS = ("dense", "sparse", "fragmented")


def make_disk(path, size, kind):
    """dense: nothing to leave out; sparse: a quarter, in runs of 16 MiB; fragmented: every other 64 KiB."""
    randoms = random.Random(1)
    step, data = {"dense": (MIB, MIB), "sparse": (64 * MIB, 16 * MIB), "fragmented": (128 << 10, 64 << 10)}[kind]
    with open(path, "wb") as file:
        file.truncate(size)
        for at in range(0, size, step):
            file.seek(at)
            for piece in range(at, min(at + data, size), MIB):  # small pieces: who measures others must be small
                file.write(randoms.randbytes(min(MIB, data, size - piece)))
        file.flush()
        os.fsync(file.fileno())
