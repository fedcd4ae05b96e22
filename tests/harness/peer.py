"""A peer's process comes to its end."""
import subprocess


def end(process):
    """Asks, and after a while insists."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    process.stdout.close()
