"""From a waveform to the windows that are a model's input, by its front end."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audioclf.audio import io, silence
from audioclf.audio.denoise import PREDICTION_STRENGTH, denoise
from audioclf.audio.io import Limits, Samples
from audioclf.features import compute, stream, with_deltas
from audioclf.features.config import FrontendConfig, Preprocessing

Features = NDArray[np.float32]  # (frames, bins, channels)
Starts = NDArray[np.int64]  # (windows,) in frames

LONG_S = 120.0  # from here on a file is read in blocks
DIGITAL_SILENCE = 1e-4  # -80 dB: what lossy codecs make of zeros stays below


class Windows(NamedTuple):
    """A model's input, and from when to when its windows are in the original sound."""

    inputs: Features  # (windows, frames, bins, channels)
    starts_s: NDArray[np.floating]  # (windows,)
    ends_s: NDArray[np.floating]  # (windows,)


class Cut(NamedTuple):
    """Which segments of a sound become windows: their length and distance in seconds.

    A segment shorter than a window is repeated until it fills one, as a short clip is.
    """

    length_s: float
    hop_s: float

    def n_frames(self, frontend: FrontendConfig) -> int:
        """Frames of a segment: at least one, at most a window."""
        return min(frontend.window_frames, max(1, round(self.length_s / frontend.hop_s)))

    def step_frames(self, frontend: FrontendConfig) -> int:
        """Frames from one segment to the next: at least one, at most the front end's step."""
        return min(frontend.step_frames, max(1, round(self.hop_s / frontend.hop_s)))


class Clip(NamedTuple):
    """A clip ready for its features."""

    samples: Samples  # preprocessed, and at least one window long
    content_s: float  # how much of it is not repetition
    segments: NDArray[np.floating]  # (segments, 2): where the content lies in the original, in s


def windows(frontend: FrontendConfig, samples: Samples, cut: Cut | None = None) -> Windows:
    """Turn a clip into the windows that are a model's input.

    Digital silence at both ends is left out, a clip shorter than a window is repeated until it
    fills one, and the last window is aligned to the end: there is at least one, and nothing else
    is dropped.

    Parameters
    ----------
    frontend : FrontendConfig
        The model's front end.
    samples : ndarray of float32, shape (samples,)
        Mono samples at the sample rate of the front end; NaN and infinity count as 0.
    cut : Cut, optional
        Shorter segments, each repeated until it fills a window; None for the front end's windows.

    Returns
    -------
    Windows
        The inputs, (windows, frames, bins, channels), and the windows' starts and ends in seconds
        of the original clip, (windows,) each.

    Raises
    ------
    ValueError
        For zero samples.
    """
    clip = preprocess(frontend, samples)
    features = clip_features(frontend, clip)
    if cut:  # the repetitions of a short clip are no further segments
        n_content = max(cut.n_frames(frontend), int(np.ceil(clip.content_s / frontend.hop_s)))
        features = features[:n_content]
    starts = window_starts(frontend, len(features), cut)
    starts_s = starts * frontend.hop_s
    length_s = cut.n_frames(frontend) * frontend.hop_s if cut else frontend.window_s
    ends_s = np.minimum(starts_s + length_s, clip.content_s)
    return Windows(
        to_model_input(frontend, cut_windows(frontend, features, starts, cut)),
        silence.original_time(starts_s, clip.segments),
        silence.original_time(ends_s, clip.segments, ends=True),
    )


def preprocess(frontend: FrontendConfig, samples: Samples) -> Clip:
    """Clean and strip a clip, and repeat it until it fills a window, (samples,) -> Clip."""
    if len(samples) == 0:
        raise ValueError("There is no sound here (zero samples): record or choose another.")
    rate_hz = frontend.spectrogram.sample_rate_hz
    samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    if frontend.preprocessing == Preprocessing.DENOISED:
        samples = denoise(samples, rate_hz, strength=PREDICTION_STRENGTH)
    if frontend.preprocessing == Preprocessing.SILENCE_REMOVED:
        segments = silence.split(samples, rate_hz)
    else:
        loud = loud_part(samples)
        ends = [[loud.start, loud.stop]] if loud.stop else []
        segments = np.array(ends, float).reshape(-1, 2) / rate_hz
    if len(segments) == 0:  # silence from end to end is a sound like another
        segments = np.array([[0.0, len(samples) / rate_hz]])
    content = silence.join(samples, rate_hz, segments)
    n_samples = max(len(content), frontend.window_samples)
    repeated = content if len(content) == n_samples else np.resize(content, n_samples)
    return Clip(repeated, len(content) / rate_hz, segments)


def loud_part(samples: Samples) -> slice:
    """From the first to the last sample that is not digital silence; empty where all are."""
    loud = np.flatnonzero(np.abs(samples) > DIGITAL_SILENCE)
    return slice(int(loud[0]), int(loud[-1]) + 1) if len(loud) else slice(0, 0)


def stripped(samples: Samples) -> Samples:
    """Without digital silence at both ends; silence from end to end stays as it is."""
    return samples[loud_part(samples)] if loud_part(samples).stop else samples


def clip_features(frontend: FrontendConfig, clip: Clip) -> Features:
    """The features of a prepared clip, not normalised, (samples,) -> (frames, bins, channels)."""
    return compute(frontend.feature, clip.samples, frontend.spectrogram)


def window_starts(frontend: FrontendConfig, n_frames: int, cut: Cut | None = None) -> Starts:
    """First frames of the windows over a clip, (windows,); the last window ends with it."""
    last = n_frames - (cut.n_frames(frontend) if cut else frontend.window_frames)
    step_frames = cut.step_frames(frontend) if cut else frontend.step_frames
    starts = np.arange(0, last + 1, step_frames)
    return starts if starts[-1] == last else np.append(starts, last)


def cut_windows(
    frontend: FrontendConfig, features: Features, starts: Starts, cut: Cut | None = None
) -> Features:
    """(frames, bins, channels) -> (windows, frames, bins, channels), one window per start."""
    n_frames = cut.n_frames(frontend) if cut else frontend.window_frames
    views = np.lib.stride_tricks.sliding_window_view(features, n_frames, axis=0)
    segments = np.moveaxis(views[starts], -1, 1)
    if n_frames < frontend.window_frames:
        return segments[:, np.arange(frontend.window_frames) % n_frames]
    return np.ascontiguousarray(segments)


def to_model_input(frontend: FrontendConfig, inputs: Features) -> Features:
    """The model's input from windows: summarised or with deltas, and normalised.

    (windows, frames, bins, channels) -> (windows, *frontend.input_shape).
    """
    return normalise(frontend, add_deltas_or_summarize(frontend, inputs))


def add_deltas_or_summarize(frontend: FrontendConfig, inputs: Features) -> Features:
    """Windows as their statistics, or with deltas as further channels, as the front end says."""
    summarise = frontend.definition.summarise
    return summarise(inputs) if summarise else with_deltas(inputs, frontend.deltas)


def normalise(frontend: FrontendConfig, features: Features) -> Features:
    """Each bin and channel to mean 0 and deviation 1 over the training clips, same shape."""
    if frontend.normalisation is None:
        return features
    mean, std = (
        np.asarray(x, np.float32) for x in (frontend.normalisation.mean, frontend.normalisation.std)
    )
    normal: Features = (features - mean) / std
    return normal


def windows_of_file(
    frontend: FrontendConfig,
    path: str | Path,
    limits: Limits = io.ANY,
    on_block: Callable[[Samples], None] = lambda samples: None,
    cut: Cut | None = None,
) -> Iterator[Windows]:
    """Turn a sound file into a model's windows; a long one in parts, in memory that does not grow.

    Preprocessing needs all samples at once: then memory grows with the file.

    Parameters
    ----------
    frontend : FrontendConfig
        The model's front end.
    path : str or Path
        A sound file of any format that `audioclf.audio.io.load` reads.
    limits : Limits, optional
        What is accepted; nothing is refused by default.
    on_block : callable, optional
        Called with every block of samples, (samples,) at the rate of the front end, as it is read.
    cut : Cut, optional
        Shorter segments, each repeated until it fills a window; None for the front end's windows.

    Yields
    ------
    Windows
        The next windows: those of the whole file at once where it is at most 120 seconds long. A
        longer file keeps the digital silence at its ends.

    Raises
    ------
    AudioError
        For a file that is missing, empty, damaged or beyond the limits.
    """
    rate_hz = frontend.spectrogram.sample_rate_hz
    duration_s = io.read_header(path, limits).duration_s
    if frontend.preprocessing != Preprocessing.AS_IS or (
        duration_s is not None and duration_s <= LONG_S
    ):
        samples, _ = io.load(path, rate_hz, limits)
        on_block(samples)
        yield windows(frontend, samples, cut)
        return

    def read_blocks() -> Iterator[Samples]:
        for block in io.read_blocks(path, rate_hz, limits=limits):
            on_block(block)
            yield block

    yield from windows_of_blocks(frontend, read_blocks(), cut)


def windows_of_blocks(
    frontend: FrontendConfig, blocks: Iterable[Samples], cut: Cut | None = None
) -> Iterator[Windows]:
    """`windows` for a long sound that comes in blocks, in memory that does not grow.

    The same frames and windows as from the whole sound, except that digital silence at its ends
    is not left out. Raises ValueError for front ends with preprocessing, which needs all.
    """
    if frontend.preprocessing != Preprocessing.AS_IS:
        raise ValueError(
            "Preprocessing needs the whole sound at once: choose to predict without it."
        )
    blocks = iter(blocks)
    head = _first_window(frontend, blocks)
    if len(head) < frontend.window_samples:
        yield windows(frontend, head, cut)
        return
    n_samples = 0

    def counted_blocks() -> Iterator[Samples]:
        nonlocal n_samples
        for block in chain([head], blocks):
            n_samples += len(block)
            yield block

    length_s = cut.n_frames(frontend) * frontend.hop_s if cut else frontend.window_s
    for starts, inputs in _cut_stream(
        frontend, stream(frontend.feature, counted_blocks(), frontend.spectrogram), cut
    ):
        starts_s = starts * frontend.hop_s
        duration_s = n_samples / frontend.spectrogram.sample_rate_hz
        yield Windows(inputs, starts_s, np.minimum(starts_s + length_s, duration_s))


def _first_window(frontend: FrontendConfig, blocks: Iterator[Samples]) -> Samples:
    """Blocks joined until they fill a window, or to the end."""
    head = np.zeros(0, np.float32)
    for block in blocks:
        head = np.concatenate([head, block])
        if len(head) >= frontend.window_samples:
            break
    return head


def _cut_stream(
    frontend: FrontendConfig, parts: Iterator[Features], cut: Cut | None
) -> Iterator[tuple[Starts, Features]]:
    """Starts in frames and normalised windows, as many at a time as the stream completes."""
    n_frames = cut.n_frames(frontend) if cut else frontend.window_frames
    step_frames = cut.step_frames(frontend) if cut else frontend.step_frames
    rows: Features | None = None  # what coming windows still need
    first_row = next_start = 0

    def inputs(starts: Starts, rows: Features) -> Features:
        return to_model_input(frontend, cut_windows(frontend, rows, starts - first_row, cut))

    for features in parts:
        rows = features if rows is None else np.concatenate([rows, features])
        end = first_row + len(rows)
        starts = np.arange(next_start, end - n_frames + 1, step_frames)
        if len(starts):
            yield starts, inputs(starts, rows)
            next_start = int(starts[-1]) + step_frames
        keep_from = max(first_row, min(next_start, end - n_frames))
        rows, first_row = rows[keep_from - first_row :], keep_from
    last = first_row + (0 if rows is None else len(rows)) - n_frames
    if rows is not None and last > next_start - step_frames:
        starts = np.array([last])
        yield starts, inputs(starts, rows)
