"""The page under load: 1, 8 and 32 visitors at once, beside the same work in one process.

Run it as `python benchmarks/load.py [--visitors 1 8 32] [--visits 24] [--flood] [--minutes 10]`;
it serves the page as a Space does, on this machine alone, and prints Markdown tables. A visit
uploads a clip of five seconds that nobody sent before, predicts, asks for the spectrogram and
chooses another model, as a browser does: over the queue and its stream. Every visitor has an
address of their own, which counts where the server trusts the one that is forwarded.
"""

import argparse
import asyncio
import contextlib
import io
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

ROOT = Path(__file__).parent.parent
RATE_HZ, SECONDS = 22_050, 5
PATIENCE_S = 120.0
FLOOD_AT_ONCE = 24  # requests that a flooding visitor keeps waiting
MEL = ["mel", 0, 0, 80, "magma"]  # the spectrogram as the page asks for it first


class RefusedError(Exception):
    """The server did not do what it was asked for."""


@dataclass
class Seen:
    """What visitors saw: seconds that each kind of request took, and what was refused."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    took_s: float = 0.0
    cpu_s: float = 0.0  # of the server

    def add(self, kind: str, seconds: float) -> None:
        """One request that was answered."""
        self.seconds.setdefault(kind, []).append(seconds)

    def all_of(self, *kinds: str) -> list[float]:
        """The seconds of these kinds, or of all."""
        return [s for kind in kinds or self.seconds for s in self.seconds.get(kind, [])]


class Visitor:
    """One browser: a session, an address, and the stream on which the answers come."""

    def __init__(self, client: httpx.AsyncClient, functions: dict[str, int], number: int) -> None:
        self.client, self.functions = client, functions
        self.session = uuid.uuid4().hex[:11]
        self.headers = {
            "x-forwarded-for": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        }

    async def upload(self, clip: bytes) -> dict[str, Any]:
        """The clip, as the value of the page's player."""
        name = f"{uuid.uuid4().hex}.wav"
        files = {"files": (name, clip, "audio/wav")}
        answer = await self.client.post("/gradio_api/upload", files=files, headers=self.headers)
        _check(answer)
        return {"path": answer.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    async def ask(self, function: str, *values: Any) -> list[Any]:
        """What the function answers, over the queue. Raises RefusedError."""
        await self.join(function, *values)
        query = {"session_hash": self.session}
        stream = self.client.stream(
            "GET", "/gradio_api/queue/data", params=query, headers=self.headers
        )
        async with stream as lines:
            async for line in lines.aiter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    return _checked(message)
        raise RefusedError("the stream ended")

    async def join(self, function: str, *values: Any) -> None:
        """Stand in the queue."""
        body = {
            "data": list(values),
            "fn_index": self.functions[function],
            "session_hash": self.session,
        }
        _check(await self.client.post("/gradio_api/queue/join", json=body, headers=self.headers))


def _check(answer: httpx.Response) -> None:
    if answer.status_code != 200:
        raise RefusedError(f"{answer.status_code} {answer.text[:60]}")


def _checked(message: dict[str, Any]) -> list[Any]:
    output = message["output"]
    if not message["success"]:
        raise RefusedError(str(output.get("error")))
    first = next(iter(output["data"]), None)  # some functions return nothing
    if isinstance(first, dict) and "error" in first:
        raise RefusedError(first["error"])
    return list(output["data"])


async def visit(visitor: Visitor, clip: bytes, models: list[str], seen: Seen) -> None:
    """Upload, predict, look at the spectrogram, choose another model."""
    started = time.perf_counter()
    sound = await visitor.upload(clip)
    started = _noted(seen, "upload", started)
    for kind, function, values in (
        ("predict", "predict_clip", [models[0], "as_is"]),
        ("spectrogram", "show_spectrogram", MEL),
        ("another model", "predict_clip", [models[1], "as_is"]),
    ):
        await visitor.ask(function, sound, *values)
        started = _noted(seen, kind, started)


async def predictions_only(visitor: Visitor, clip: bytes, models: list[str], seen: Seen) -> None:
    """Upload and predict, and nothing else."""
    sound = await visitor.upload(clip)
    started = time.perf_counter()
    await visitor.ask("predict_clip", sound, models[0], "as_is")
    _noted(seen, "predict", started)


def _noted(seen: Seen, kind: str, started: float) -> float:
    now = time.perf_counter()
    seen.add(kind, now - started)
    return now


def clip_bytes(number: int) -> bytes:
    """Five seconds that nobody sent before."""
    noise = np.random.default_rng(number).normal(0, 0.1, SECONDS * RATE_HZ)
    file = io.BytesIO()
    soundfile.write(file, noise, RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


@dataclass(frozen=True)
class Server:
    """The page in a process of its own."""

    url: str
    pid: int
    functions: dict[str, int]
    models: list[str]  # the first two of its list
    log: Path

    def cpu_s(self) -> float:
        """Seconds that all its threads have computed so far; the fair measure on a busy machine."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, what: str = "VmRSS") -> float:
        """What it holds now, or with VmHWM at most so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        match = re.search(rf"{what}:\s+(\d+) kB", status)
        return int(match[1]) / 1e3 if match else 0.0


@contextlib.contextmanager
def served() -> Iterator[Server]:
    """The page as a Space serves it, with folders of its own; on this machine alone."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        names = ("GRADIO_TEMP_DIR", "AUDIOCLF_CACHE", "AUDIOCLF_DATA", "AUDIOCLF_JOBS")
        places = {name: str(Path(folder, name.lower())) for name in names}
        environment = {**os.environ, **places, "SPACE_ID": "somebody/audioclf"}
        command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
        log = Path(folder, "log")
        with log.open("w") as file:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        try:
            url = f"http://127.0.0.1:{port}"
            yield Server(url, process.pid, *_page(url, process), log)
        finally:
            process.terminate()
            process.wait(20)


def _page(url: str, process: "subprocess.Popen[bytes]") -> tuple[dict[str, int], list[str]]:
    """The numbers of the page's functions and the models that it offers, when it answers."""
    for _ in range(240):
        if process.poll() is not None:
            raise SystemExit(f"The page ended with status {process.returncode}.")
        try:
            config = httpx.get(f"{url}/config", timeout=10).json()
        except httpx.TransportError:
            time.sleep(0.5)
            continue
        ids: dict[str, int] = {}
        for one in config["dependencies"]:
            ids.setdefault(str(one["api_name"]), one["id"])
        props = (one["props"] for one in config["components"])
        choices = next(one["choices"] for one in props if one.get("elem_id") == "network")
        return ids, [name for _, name in choices[:2]]
    raise SystemExit("The page did not start.")


@contextlib.asynccontextmanager
async def browsers(server: Server) -> Any:
    """A client with room for any number of visitors."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=PATIENCE_S) as client:
        yield client


_n_clips = iter(range(1 << 30))


async def together(
    server: Server, what: Any, n_visitors: int, n_visits: int, models: list[str]
) -> Seen:
    """So many visitors at once, each with so many visits; what they saw."""
    seen = Seen()
    clips = [[clip_bytes(next(_n_clips)) for _ in range(n_visits)] for _ in range(n_visitors)]
    async with browsers(server) as client:

        async def come(number: int) -> None:
            visitor = Visitor(client, server.functions, number + 1)
            for clip in clips[number]:
                try:
                    await what(visitor, clip, models, seen)
                except (RefusedError, httpx.HTTPError) as error:
                    seen.failures.append(f"{type(error).__name__}: {error}")

        started, cpu_s = time.perf_counter(), server.cpu_s()
        await asyncio.gather(*(come(number) for number in range(n_visitors)))
        seen.took_s, seen.cpu_s = time.perf_counter() - started, server.cpu_s() - cpu_s
        return seen


async def flooded(server: Server, n_visitors: int, models: list[str]) -> tuple[Seen, int, int]:
    """What visitors see while another floods; how much of the flood was taken, and refused."""
    accepted = refused = 0
    async with browsers(server) as client:
        flooder = Visitor(client, server.functions, 65_000)
        sound = await flooder.upload(clip_bytes(next(_n_clips)))

        async def post(number: int) -> None:
            nonlocal accepted, refused
            while True:
                name = models[number % 2]
                try:
                    cleaning = ("as_is", "denoised", "silence_removed")[number % 3]
                    await flooder.join("predict_clip", sound, name, cleaning)
                    accepted += 1
                except (RefusedError, httpx.HTTPError):
                    refused += 1
                await asyncio.sleep(0.05)

        posts = [asyncio.create_task(post(number)) for number in range(FLOOD_AT_ONCE)]
        await asyncio.sleep(1)
        seen = await together(server, visit, n_visitors, 6, models)
        for one in posts:
            one.cancel()
        await asyncio.gather(*posts, return_exceptions=True)
    return seen, accepted, refused


ALONE = """
import io, sys, time, tempfile, pathlib
from audioclf import threads
threads.single_threaded_blas()
sys.path.insert(0, "benchmarks")
import load
from audioclf.ui.classify import spectrogram, tab
n, only, *models = int(sys.argv[1]), sys.argv[2] == "only", *sys.argv[3:]
with tempfile.TemporaryDirectory() as folder:
    paths = [pathlib.Path(folder, f"{i}.wav") for i in range(n + 1)]
    for i, path in enumerate(paths):
        path.write_bytes(load.clip_bytes(10**6 + i))
    for i, path in enumerate(map(str, paths)):
        if i == 1:
            started, cpu = time.perf_counter(), time.process_time()
        tab.predict_clip(path, models[0], "as_is")
        if not only:
            _, figure, _ = spectrogram.show_spectrogram(path, *load.MEL)
            figure.savefig(io.BytesIO(), format="png")
            tab.predict_clip(path, models[1], "as_is")
print(n / (time.perf_counter() - started), (time.process_time() - cpu) / n)
"""


def alone(models: list[str], n: int, *, only_predictions: bool) -> tuple[float, float]:
    """The same work without a server, one after the other in one process: per second, CPU s."""
    arguments = [str(n), "only" if only_predictions else "all", *models]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    per_s, cpu_s = map(float, done.stdout.split()[-2:])
    return per_s, cpu_s


def main(args: argparse.Namespace) -> None:
    """The tables of predictions and of visits, and what else was asked for."""
    with served() as server:
        models = args.models or server.models
        asyncio.run(together(server, visit, 2, 2, models))  # the first are slower
        _print_table(server, "predictions", predictions_only, args, models)
        _print_table(server, "visits", visit, args, models)
        if args.flood:
            _print_flood(server, models)
        if args.minutes:
            _print_minutes(server, models, args.minutes)
        print(f"\nTraces in the log: {server.log.read_text().count('Traceback')}")


def _print_table(
    server: Server, title: str, what: Any, args: argparse.Namespace, models: list[str]
) -> None:
    """A row for so many at once, each beside one process that does the same alone at that time."""
    print(
        f"\n| visitors at once | {title} per s | one process alone | share | requests per s | "
        "median s | 95 % s | failures | CPU ms each | alone | MB now | MB at most |"
    )
    print("|---" * 12 + "|")
    kinds = ("predict", "spectrogram", "another model") if what is visit else ("predict",)
    for n_visitors in args.visitors:
        n_visits = max(2, args.visits // n_visitors)
        limit, cpu_s = alone(
            models, n_visitors * n_visits, only_predictions=what is predictions_only
        )
        seen = asyncio.run(together(server, what, n_visitors, n_visits, models))
        seconds = seen.all_of(*kinds) or [float("nan")]
        n_done = max(1, len(seen.seconds.get(kinds[-1], [])))
        per_s = n_done / seen.took_s
        print(
            f"| {n_visitors} | {per_s:.1f} | {limit:.1f} | {per_s / limit:.0%} | "
            f"{len(seen.all_of()) / seen.took_s:.1f} | {statistics.median(seconds):.2f} | "
            f"{np.percentile(seconds, 95):.2f} | {len(seen.failures)} | "
            f"{1e3 * seen.cpu_s / n_done:.0f} | {1e3 * cpu_s:.0f} | {server.memory_mb():.0f} | "
            f"{server.memory_mb('VmHWM'):.0f} |",
            flush=True,
        )
        for reason in sorted(set(seen.failures))[:3]:
            print(f"    {reason}")


def _print_flood(server: Server, models: list[str]) -> None:
    before = asyncio.run(together(server, visit, 4, 6, models))
    seen, accepted, refused = asyncio.run(flooded(server, 4, models))
    medians = [statistics.median(one.all_of() or [float("nan")]) for one in (before, seen)]
    print(
        f"\nFour visitors beside one who floods ({accepted} requests accepted, {refused} "
        f"refused): median {medians[0]:.2f} s before, {medians[1]:.2f} s beside it "
        f"({medians[1] / medians[0]:.1f} times), {len(seen.failures)} failures."
    )


def _print_minutes(server: Server, models: list[str], minutes: float) -> None:
    """Memory, ten times on the way."""
    print("\n| visits | MB |\n|---|---|")
    n_visits = n_failures = 0
    for _ in range(10):
        turn_ends = time.monotonic() + 60 * minutes / 10
        while time.monotonic() < turn_ends:
            seen = asyncio.run(together(server, visit, 4, 4, models))
            n_visits, n_failures = n_visits + 16, n_failures + len(seen.failures)
        print(f"| {n_visits} | {server.memory_mb():.0f} |", flush=True)
    print(f"\nFailures: {n_failures}")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--visits", type=int, default=64, help="in all, two per visitor at least")
    parser.add_argument("--models", nargs=2, help="predicted with; the page's first two by default")
    parser.add_argument("--flood", action="store_true", help="also beside a visitor who floods")
    parser.add_argument("--minutes", type=float, default=0, help="memory over so many minutes")
    return parser.parse_args()


if __name__ == "__main__":
    main(arguments())
