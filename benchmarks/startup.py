"""Time and memory from `python app.py` to the first page served, beside a bare `import gradio`.

Run it as `python benchmarks/startup.py [ROUNDS]`; it prints a Markdown table of medians.
"""

import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
IDLE_S = 8.0


def main(rounds: int) -> None:
    """Alternate the two, so that both see the same machine."""
    bare, served, memory_mb = [], [], []
    for _ in range(rounds):
        bare.append(_import_gradio_s())
        seconds, megabytes = _serve()
        served.append(seconds)
        memory_mb.append(megabytes)
    gradio_s, app_s = statistics.median(bare), statistics.median(served)
    print(f"| what ({rounds} rounds, medians) | seconds | ratio | idle memory |")
    print("|---|---|---|---|")
    print(f"| `import gradio` alone | {gradio_s:.1f} | 1 | |")
    print(
        f"| `python app.py` to the first page | {app_s:.1f} | {app_s / gradio_s:.2f} | "
        f"{statistics.median(memory_mb):.0f} MB |"
    )


def _import_gradio_s() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import gradio"], check=True, cwd=ROOT)
    return time.perf_counter() - started


def _serve() -> tuple[float, float]:
    """Seconds until the page answers, and resident megabytes once it idles."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
                break
            except OSError:
                time.sleep(0.02)
        seconds = time.perf_counter() - started
        time.sleep(IDLE_S)  # the first network's session is warmed in the background
        return seconds, _resident_mb(process.pid)
    finally:
        process.terminate()
        process.wait()


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
