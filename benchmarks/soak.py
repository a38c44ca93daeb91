"""Random visitors with good and bad files, for ten minutes: nothing may grow, and no trace appear.

Run it as `python benchmarks/soak.py [SECONDS]`; it serves the page on this machine alone, prints
memory, disk, threads and open files as they were over the time, and ends with status 1 where one
of them grew or the log holds a trace.
"""

import argparse
import asyncio
import io
import json
import random
import re
import statistics
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
from load import MEL, RefusedError, Server, Visitor, browsers, clip_bytes, served

N_VISITORS = 4  # at once; each leaves after a few requests, and another one comes
N_TURNS = 24
# From the last quarter to the second one: what may be more at the end.
ROOM = {"memory MB": 150.0, "disk MB": 250.0, "threads": 8.0, "open files": 16.0}


def main(seconds: float) -> int:
    """Visit, watch, and judge; the exit status."""
    rng = random.Random(0)
    rows: list[dict[str, float]] = []
    answers: Counter[str] = Counter()
    with served() as server:
        print("| s | requests | " + " | ".join(ROOM) + " |\n|---" + "|---" * (1 + len(ROOM)) + "|")
        started = time.monotonic()
        for turn in range(N_TURNS):
            ends = started + seconds * (turn + 1) / N_TURNS
            asyncio.run(_until(server, ends, rng, answers))
            rows.append(measured(server))
            shown = " | ".join(f"{value:.0f}" for value in rows[-1].values())
            print(f"| {ends - started:.0f} | {answers.total()} | {shown} |", flush=True)
        log = server.log.read_text()
        is_alive = httpx.get(server.url, timeout=30).status_code == 200
    print("\nAnswers: " + ", ".join(f"{n} {what}" for what, n in answers.most_common()))
    failures = grown(rows)
    if "Traceback" in log:
        failures.append(f"{log.count('Traceback')} traces in the log, which end in:\n{traces(log)}")
    if not is_alive:
        failures.append("the page does not answer")
    print("\n".join(failures) or "Nothing grew, and no trace.")
    return 1 if failures else 0


def measured(server: Server) -> dict[str, float]:
    """What the server holds now."""
    process = Path(f"/proc/{server.pid}")
    files = (path for path in server.log.parent.rglob("*") if path.is_file())
    return {
        "memory MB": server.memory_mb(),
        "disk MB": sum(_size(path) for path in files) / 1e6,
        "threads": len(list((process / "task").iterdir())),
        "open files": len(list((process / "fd").iterdir())),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile
        return 0


def grown(rows: list[dict[str, float]]) -> list[str]:
    """What is more at the end than at the beginning, by more than its room: medians of quarters."""
    quarter = len(rows) // 4
    failures = []
    for name, room in ROOM.items():
        values = [row[name] for row in rows]
        before = statistics.median(values[quarter : 2 * quarter])
        after = statistics.median(values[-quarter:])
        if after - before > room:
            failures.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return failures


def traces(log: str) -> str:
    """How often the log's traces ended in which error."""
    errors = re.findall(r"^Traceback.*\n(?:[ ].*\n|\n)*(\S.*)", log, re.MULTILINE)
    return "\n".join(f"{n} times {error[:150]}" for error, n in Counter(errors).most_common())


async def _until(server: Server, ends: float, rng: random.Random, answers: Counter[str]) -> None:
    async with browsers(server) as client:

        async def come() -> None:
            while time.monotonic() < ends:
                visitor = Visitor(client, server.functions, rng.randrange(1, 60_000))
                for _ in range(rng.randint(1, 5)):
                    answers[await _one(visitor, server.models, rng)] += 1

        await asyncio.gather(*(come() for _ in range(N_VISITORS)))


async def _one(visitor: Visitor, models: list[str], rng: random.Random) -> str:
    """One thing that a visitor does, and how it was answered."""
    try:
        if rng.random() < 0.3:
            return await _junk(visitor, rng)
        make = rng.choice(GOOD if rng.random() < 0.5 else BAD)
        sound = await visitor.upload(make(rng.randrange(1 << 30)))
        function, values = rng.choice(VIEWS)
        arguments_drawn = [rng.choice(models) if value is MODEL else value for value in values]
        await visitor.ask(function, sound, *arguments_drawn)
        return "answered"
    except RefusedError as error:
        return "refused" if str(error)[:3] in ("429", "503", "413") else "told in a sentence"
    except httpx.HTTPError as error:
        return type(error).__name__


async def _junk(visitor: Visitor, rng: random.Random) -> str:
    """Values that no page sends, to any function."""
    function = rng.choice(list(visitor.functions))
    values = [rng.choice(JUNK) for _ in range(rng.randint(0, 7))]
    body = {
        "data": values,
        "fn_index": rng.choice([visitor.functions[function], -1, 10**6]),
        "session_hash": visitor.session,
    }
    path = rng.choice(["/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/queue/x"])
    answer = await visitor.client.post(
        path,
        content=json.dumps(body),
        headers={**visitor.headers, "content-type": "application/json"},
    )
    return f"junk {answer.status_code // 100}xx"


def _noise(number: int, n_channels: int, **settings: Any) -> bytes:
    noise = np.random.default_rng(number).normal(0, 0.1, (22_050, n_channels))
    file = io.BytesIO()
    soundfile.write(file, noise, 22_050, **settings)
    return file.getvalue()


def _ogg(number: int) -> bytes:
    return _noise(number, 1, format="OGG", subtype="VORBIS")


def _wav(number: int) -> bytes:
    return _noise(number, 1, format="WAV", subtype="PCM_16")


def _not_numbers(number: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.full(9_000, np.nan), 22_050, format="WAV", subtype="FLOAT")
    return file.getvalue()


def _huge_claims(number: int) -> bytes:
    """A header that promises four gigabytes at the highest rate that fits."""
    wav = bytearray(_wav(number))
    wav[24:28] = wav[40:44] = (0xFFFFFFF0).to_bytes(4, "little")
    return bytes(wav)


def _archive(number: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", str(number) * 1_000)
    return file.getvalue()


Maker = Callable[[int], bytes]
GOOD: list[Maker] = [
    clip_bytes,
    _ogg,
    lambda n: _noise(n, 1, format="FLAC"),
    lambda n: _noise(n, 2, format="MP3"),
    lambda n: _noise(n, 8, format="WAV", subtype="PCM_24"),
]
BAD: list[Maker] = [
    lambda n: b"",
    lambda n: f"no sound at all {n}".encode() * 50,
    lambda n: _ogg(n)[:3_000],
    lambda n: _wav(n)[:40],
    _not_numbers,
    _huge_claims,
    _archive,
    lambda n: random.Random(n).randbytes(5_000),
]
MODEL = object()
VIEWS: list[tuple[str, list[Any]]] = [
    ("predict_clip", [MODEL, "as_is"]),
    ("predict_clip", [MODEL, "denoised"]),
    ("predict_clip", ["nonesuch", "as_is"]),
    ("show_waveform", []),
    ("show_spectrogram", MEL),
    ("denoise_clip", ["stationary", 1, 0, 0]),
    ("split_clip", [40, 0.1, 0.1]),
]
JUNK: list[Any] = [
    None, True, 10**30, -1, 1e308, "x" * 5_000, "\ud800", "../../etc/passwd", [], {}, [[[]]],
    {"path": "/etc/passwd"}, {"path": 1, "meta": {"_type": "gradio.FileData"}},
]  # fmt: skip


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=600)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(arguments().seconds))
