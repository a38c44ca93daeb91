"""From a waveform to the windows that a network sees, as its Recipe says."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.audio import io, silence
from audioclf.audio.denoise import denoise
from audioclf.audio.io import Limits, Samples
from audioclf.features import compute, stream, with_deltas
from audioclf.features.config import FrontendConfig

Features = NDArray[np.float32]  # (frames, bins, channels)
Starts = NDArray[np.int64]  # (windows,) in frames

LONG_S = 120.0  # from here on a file is read in blocks
DIGITAL_SILENCE = 1e-4  # -80 dB: what lossy codecs make of zeros stays below


class Windows(NamedTuple):
    """What a network sees, and from when to when in the original sound."""

    inputs: Features  # (windows, frames, bins, channels)
    starts_s: NDArray[np.floating]  # (windows,)
    ends_s: NDArray[np.floating]  # (windows,)


class Clip(NamedTuple):
    """A clip ready for its features."""

    samples: Samples  # cleaned, and at least one window long
    content_s: float  # how much of it is not repetition
    segments: NDArray[np.floating]  # (stretches, 2): where the content lies in the original, in s


def windows(recipe: FrontendConfig, samples: Samples) -> Windows:
    """A clip at the recipe's rate as windows, (samples,) -> (windows, frames, bins, channels).

    Digital silence at both ends is left out, a clip shorter than a window is repeated until it
    fills one, and the last window is aligned to the end: there is at least one, and nothing else
    is dropped. Raises ValueError for zero samples.
    """
    clip = prepare(recipe, samples)
    features = clip_features(recipe, clip)
    starts = window_starts(recipe, len(features))
    starts_s = starts * recipe.hop_s
    ends_s = np.minimum(starts_s + recipe.window_s, clip.content_s)
    return Windows(
        finish(recipe, cut_windows(recipe, features, starts)),
        silence.original_time(starts_s, clip.segments),
        silence.original_time(ends_s, clip.segments, ends=True),
    )


def prepare(recipe: FrontendConfig, samples: Samples) -> Clip:
    """Clean and strip a clip, and repeat it until it fills a window, (samples,) -> Clip."""
    if len(samples) == 0:
        raise ValueError("There is no sound here (zero samples): record or choose another.")
    rate_hz = recipe.analysis.sample_rate_hz
    samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    if recipe.cleaning == "denoised":
        samples = denoise(samples, rate_hz)
    if recipe.cleaning == "silence_removed":
        segments = silence.split(samples, rate_hz)
    else:
        heard = loud_part(samples)
        ends = [[heard.start, heard.stop]] if heard.stop else []
        segments = np.array(ends, float).reshape(-1, 2) / rate_hz
    if len(segments) == 0:  # silence from end to end is a sound like another
        segments = np.array([[0.0, len(samples) / rate_hz]])
    content = silence.join(samples, rate_hz, segments)
    n_samples = max(len(content), recipe.window_samples)
    repeated = content if len(content) == n_samples else np.resize(content, n_samples)
    return Clip(repeated, len(content) / rate_hz, segments)


def loud_part(samples: Samples) -> slice:
    """From the first to the last sample that is not digital silence; empty where all are."""
    loud = np.flatnonzero(np.abs(samples) > DIGITAL_SILENCE)
    return slice(int(loud[0]), int(loud[-1]) + 1) if len(loud) else slice(0, 0)


def stripped(samples: Samples) -> Samples:
    """Without digital silence at both ends; silence from end to end stays as it is."""
    return samples[loud_part(samples)] if loud_part(samples).stop else samples


def clip_features(recipe: FrontendConfig, clip: Clip) -> Features:
    """The features of a prepared clip, not normalised, (samples,) -> (frames, bins, channels)."""
    return compute(recipe.feature, clip.samples, recipe.analysis)


def window_starts(recipe: FrontendConfig, n_frames: int) -> Starts:
    """First frames of the windows over a clip, (windows,); the last window ends with it."""
    last = n_frames - recipe.window_frames
    starts = np.arange(0, last + 1, recipe.step_frames)
    return starts if starts[-1] == last else np.append(starts, last)


def cut_windows(recipe: FrontendConfig, features: Features, starts: Starts) -> Features:
    """(frames, bins, channels) -> (windows, frames, bins, channels), one window per start."""
    views = np.lib.stride_tricks.sliding_window_view(features, recipe.window_frames, axis=0)
    return np.ascontiguousarray(np.moveaxis(views[starts], -1, 1))


def finish(recipe: FrontendConfig, inputs: Features) -> Features:
    """What a network sees of windows: summarised or with deltas, and normalised.

    (windows, frames, bins, channels) -> (windows, *recipe.input_shape).
    """
    return normalise(recipe, expand(recipe, inputs))


def expand(recipe: FrontendConfig, inputs: Features) -> Features:
    """Windows as their statistics, or with deltas as further channels, where the recipe says so."""
    summarise = recipe.definition.summarise
    return summarise(inputs) if summarise else with_deltas(inputs, recipe.deltas)


def normalise(recipe: FrontendConfig, features: Features) -> Features:
    """Each bin and channel to mean 0 and deviation 1 over the training clips, same shape."""
    if recipe.normalisation is None:
        return features
    mean, std = (
        np.asarray(x, np.float32) for x in (recipe.normalisation.mean, recipe.normalisation.std)
    )
    normal: Features = (features - mean) / std
    return normal


def windows_of_file(
    recipe: FrontendConfig,
    path: str | Path,
    limits: Limits = io.ANY,
    hear: Callable[[Samples], None] = lambda samples: None,
) -> Iterator[Windows]:
    """The windows of a sound file; of a long one in parts, in memory that does not grow.

    `hear` is shown every block of sound. Cleaning needs the whole sound at once, and then memory
    grows with it. Raises AudioError.
    """
    rate_hz = recipe.analysis.sample_rate_hz
    duration_s = io.read_header(path, limits).duration_s
    if recipe.cleaning != "as_is" or (duration_s is not None and duration_s <= LONG_S):
        samples, _ = io.load(path, rate_hz, limits)
        hear(samples)
        yield windows(recipe, samples)
        return

    def heard() -> Iterator[Samples]:
        for block in io.read_blocks(path, rate_hz, limits=limits):
            hear(block)
            yield block

    yield from windows_of_blocks(recipe, heard())


def windows_of_blocks(recipe: FrontendConfig, blocks: Iterable[Samples]) -> Iterator[Windows]:
    """`windows` for a long sound that comes in blocks, in memory that does not grow.

    The same frames and windows as from the whole sound, except that digital silence at its ends
    is not left out. Cleaning needs the whole sound: raises ValueError for recipes that do.
    """
    if recipe.cleaning != "as_is":
        raise ValueError("Cleaning needs the whole sound at once: choose to predict it as it is.")
    blocks = iter(blocks)
    head = _first_window(recipe, blocks)
    if len(head) < recipe.window_samples:
        yield windows(recipe, head)
        return
    n_samples = 0

    def counted() -> Iterator[Samples]:
        nonlocal n_samples
        for block in chain([head], blocks):
            n_samples += len(block)
            yield block

    for starts, inputs in _cut_stream(recipe, stream(recipe.feature, counted(), recipe.analysis)):
        starts_s = starts * recipe.hop_s
        heard_s = n_samples / recipe.analysis.sample_rate_hz
        yield Windows(inputs, starts_s, np.minimum(starts_s + recipe.window_s, heard_s))


def _first_window(recipe: FrontendConfig, blocks: Iterator[Samples]) -> Samples:
    """Blocks joined until they fill a window, or to the end."""
    head = np.zeros(0, np.float32)
    for block in blocks:
        head = np.concatenate([head, block])
        if len(head) >= recipe.window_samples:
            break
    return head


def _cut_stream(
    recipe: FrontendConfig, parts: Iterator[Features]
) -> Iterator[tuple[Starts, Features]]:
    """Starts in frames and normalised windows, as many at a time as the stream completes."""
    rows: Features | None = None  # what coming windows still need
    first_row = next_start = 0
    for features in parts:
        rows = features if rows is None else np.concatenate([rows, features])
        end = first_row + len(rows)
        starts = np.arange(next_start, end - recipe.window_frames + 1, recipe.step_frames)
        if len(starts):
            yield starts, finish(recipe, cut_windows(recipe, rows, starts - first_row))
            next_start = int(starts[-1]) + recipe.step_frames
        keep_from = max(first_row, min(next_start, end - recipe.window_frames))
        rows, first_row = rows[keep_from - first_row :], keep_from
    last = first_row + (0 if rows is None else len(rows)) - recipe.window_frames
    if rows is not None and last > next_start - recipe.step_frames:
        starts = np.array([last])
        yield starts, finish(recipe, cut_windows(recipe, rows, starts - first_row))
