"""Two sides of a comparison: each is run in turn, and the medians are compared."""
import os
import statistics
import subprocess
import sys
import time


def take_precedence():
    """What else runs on this machine gets what is left over, where the kernel groups processes by session and we may say so."""
    try:
        os.setsid()
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-20")
    except OSError as problem:
        print(f"  other work on this machine counts, too: {problem}", file=sys.stderr)


def run(argv, stdout=subprocess.DEVNULL):
    """Runs it; gives wall seconds, CPU seconds and peak memory in MB, its children's with it."""
    begun = time.monotonic()
    process = subprocess.Popen([str(word) for word in argv], stdout=stdout, stderr=subprocess.PIPE, text=True)
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    if process.returncode:
        raise SystemExit(f"{argv[0]} failed with {process.returncode}: {err}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss * 1024 / 1e6}


def measure(ways, rounds):
    """Each way in turn, so many times; the median of each figure."""
    seen = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            seen[name].append(way())
            print(f"  round {number + 1}: {name} {seen[name][-1]['seconds']:.2f} s", file=sys.stderr)
    return {name: {figure: statistics.median(one[figure] for one in runs) for figure in runs[0]} for name, runs in seen.items()}


def line(name, ours, rival, ratio, target, met):
    print(f"bench: {name} ours={ours} rival={rival} ratio={ratio:.2f} target={target} {'met' if met else 'short'}", flush=True)


def table(results, size):
    print(f"{'':28} {'seconds':>8} {'MB/s':>7} {'CPU s':>7} {'peak MB':>8}")
    for name, one in results.items():
        print(f"{name:28} {one['seconds']:8.2f} {size / 1e6 / one['seconds']:7.0f} {one['cpu']:7.2f} {one['memory']:8.1f}")
