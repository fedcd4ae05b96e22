"""Waiting for something to become true. The limits are hang guards: how long a thing may take before the machine has certainly given up, not how fast it has to be."""
import time

LONG = 600
SHORT = 120


class Timeout(AssertionError):
    """What was waited for did not come."""


def until(what, look, seconds=SHORT, every=0.25):
    """Calls look() until it gives something true, which is returned. what says what was waited for; a callable is asked at the end for what is there instead."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Timeout(f"after {seconds} s there is still no {what() if callable(what) else what}")
        time.sleep(every)
