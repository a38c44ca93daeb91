"""What the app keeps of visitors: its memory after 10, 100, 1,000, 3,000 and 10,000.

Every visitor is new: opens the page's configuration, asks what a network hears in the same sound,
reads the answer, and is never seen again. Run it as `python -m benchmarks.visitors [N]`.
"""

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SOUND = ROOT / "audioclf" / "ui" / "assets" / "examples" / "rain.ogg"
N_AT_ONCE = 4
HOST = "127.0.0.1"


def main() -> None:
    """Start the app, let visitors come, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n_visitors", type=int, nargs="?", default=10_000)
    n_visitors = parser.parse_args().n_visitors
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    usual = {k: v for k, v in os.environ.items() if k != "AUDIOCLF_LOCAL"}
    with tempfile.TemporaryDirectory() as folder:  # another app that ends would delete ours
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT,
            env=usual | {"GRADIO_TEMP_DIR": folder},
        )
        try:
            measure(port, process.pid, n_visitors)
        finally:
            process.terminate()
            process.wait(20)


def measure(port: int, pid: int, n_visitors: int) -> None:
    """Memory after 10, 100, ... visitors."""
    for _ in range(240):
        try:
            config = call(port, "/config")
            break
        except OSError:
            time.sleep(0.5)
    predict = next(d["id"] for d in config["dependencies"] if d["api_name"] == "predict_clip")
    path = uploaded(port)
    print("| visitors | memory (MB) | visitors a second |\n|---|---|---|")
    print(f"| 0 | {rss_mb(pid):.0f} | |")
    n_so_far, steps = 0, [10, 100, 1_000, 3_000, 10_000]
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        for step in [one for one in steps if one < n_visitors] + [n_visitors]:
            n_more = step - n_so_far
            began = time.perf_counter()
            list(pool.map(lambda _: visit(port, predict, path), range(n_more)))
            per_s = n_more / (time.perf_counter() - began)
            n_so_far = step
            print(f"| {n_so_far:,} | {rss_mb(pid):.0f} | {per_s:.1f} |", flush=True)


def visit(port: int, predict: int, path: str) -> None:
    """One visitor, who never comes back."""
    call(port, "/config")
    session = uuid.uuid4().hex
    sound = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [sound, "cldnn-mel", "as_is"], "fn_index": predict, "session_hash": session}
    call(port, "/gradio_api/queue/join", body)
    answer = text(port, f"/gradio_api/queue/data?session_hash={session}")
    if '"ranking"' not in answer:
        raise RuntimeError(answer[-500:])


def call(port: int, path: str, body: Any = None) -> Any:
    """The JSON that the app answers."""
    return json.loads(text(port, path, body))


def text(port: int, path: str, body: Any = None) -> str:
    """What the app answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        sent = None if body is None else json.dumps(body)
        method = "GET" if body is None else "POST"
        connection.request(method, path, sent, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read().decode()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:300]}")
        return answer
    finally:
        connection.close()


def uploaded(port: int) -> str:
    """Where the sound lies, once it is uploaded."""
    edge = uuid.uuid4().hex
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{SOUND.name}"\r\n\r\n'
    )
    form = head.encode() + SOUND.read_bytes() + f"\r\n--{edge}--\r\n".encode()
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    connection.request("POST", "/gradio_api/upload", form, kind)
    return str(json.loads(connection.getresponse().read())[0])


def rss_mb(pid: int) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1e3


if __name__ == "__main__":
    main()
