"""Noise reduction by spectral gating, on mono (samples,) float32.

Safe on silence, on a single sample and on NaN. Loudness is not normalised, so before and after can
be compared by ear.
"""

import numpy as np

from audioclf.audio.io import Samples
from audioclf.audio.silence import finite_mono, is_silent

# Of the noise, what prediction takes away: with all of it models lose half of clean clips
# (`benchmarks/preprocessing.md`).
PREDICTION_STRENGTH = 0.3
PREDICTION_NOTE = (
    "Denoising helps some models in strong noise and changes nothing else for the better: compare "
    "with the prediction without it."
)
GATE_N_FFT = 1024
GATE_CHUNK = 350_000  # samples that one core takes at a time
MIN_GATE_RATE_HZ = 8_000


def denoise(
    samples: Samples,
    sample_rate_hz: int,
    *,
    stationary: bool = False,
    noise: Samples | None = None,
    strength: float = 1.0,
) -> Samples:
    """Reduce noise by spectral gating.

    What is silent, or shorter than two of the gate's windows (2,048 samples), comes back as it is.

    Parameters
    ----------
    samples : ndarray of float32, shape (samples,)
        Mono samples; NaN and infinity count as 0.
    sample_rate_hz : int
        Their rate in Hz.
    stationary : bool, optional
        Whether one threshold per frequency holds for the whole clip; otherwise the threshold
        follows a running mean.
    noise : ndarray of float32, shape (samples,), optional
        A segment without signal, from which a stationary threshold is computed; None, or one that
        is silent or too short, stands for the whole clip. Not used unless `stationary`.
    strength : float, optional
        The share of the noise that is removed, in [0, 1].

    Returns
    -------
    ndarray of float32, shape (samples,)
        As many samples, finite; the loudness is not normalised.

    Raises
    ------
    ValueError
        For more than one channel, a strength outside of [0, 1], and a rate below 8 kHz, where the
        gate's smoothing filter does not exist.

    References
    ----------
    Sainburg, T. (2019), "noisereduce", https://doi.org/10.5281/zenodo.3243139
    """
    samples = finite_mono(samples)
    if not 0 <= strength <= 1:
        raise ValueError(f"The strength must lie between 0 and 1 and is {strength}: change it.")
    if sample_rate_hz < MIN_GATE_RATE_HZ:
        raise ValueError(
            f"Denoising needs a sample rate of {MIN_GATE_RATE_HZ} Hz or more, and this sound has "
            f"{sample_rate_hz} Hz: use it as it is."
        )
    if len(samples) < 2 * GATE_N_FFT or is_silent(samples):
        return samples.copy()
    import joblib
    from noisereduce import reduce_noise  # with SciPy's filters: a second and 50 MB

    usable = noise is not None and len(noise) >= 2 * GATE_N_FFT and not is_silent(noise)
    with joblib.parallel_config(backend="threading"):  # the transforms leave the interpreter
        gated = reduce_noise(
            y=samples,
            sr=sample_rate_hz,
            stationary=stationary,
            y_noise=noise if stationary and usable else None,
            prop_decrease=strength,
            n_fft=GATE_N_FFT,
            chunk_size=GATE_CHUNK,
            n_jobs=-1,
        )
    return np.nan_to_num(gated).astype(np.float32, copy=False)
