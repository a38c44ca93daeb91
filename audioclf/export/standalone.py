"""A model's prediction without audioclf: its front end as NumPy code, and a script.

The front end is this package's own code, `audioclf.features`, copied under another name, so that it
computes what it computes here; in place of decoding and resampling stand few lines with soundfile
and SciPy. What a bundle needs is ONNX Runtime, NumPy, SciPy and soundfile.
"""

from pathlib import Path

import audioclf

PACKAGE = "frontend"
REQUIREMENTS = "onnxruntime>=1.17\nnumpy>=1.26\nscipy>=1.11\nsoundfile>=0.12\n"
SCRIPT = '''"""What this model predicts: python predict.py AUDIO [AUDIO ...]"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from frontend.audio import io
from frontend.features import config, windowing

FOLDER = Path(__file__).parent
TINY = 1e-12


def predict(path):
    """The probability of every class in an audio file, by class."""
    card = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
    front_end = config.from_dict(card["frontend"])
    samples = io.load(path, front_end.spectrogram.sample_rate_hz)
    inputs = windowing.windows(front_end, samples).inputs
    session = onnxruntime.InferenceSession(
        str(FOLDER / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    (windows,) = session.run(["label"], {session.get_inputs()[0].name: inputs})
    temperature = (card.get("calibration") or {}).get("temperature", 1.0)
    if temperature != 1:
        logits = np.log(np.maximum(windows, TINY)) / temperature
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        windows = powers / powers.sum(axis=-1, keepdims=True)
    return dict(zip(card["classes"], windows.mean(axis=0).tolist()))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        probabilities = predict(name)
        best = sorted(probabilities, key=probabilities.get, reverse=True)[:3]
        print(name, ", ".join(f"{one} {100 * probabilities[one]:.1f} %" for one in best))
'''
AUDIO_IO = '''"""Audio files as mono samples: soundfile decodes, SciPy resamples."""

from math import gcd

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

Samples = NDArray[np.float32]
Limits, ANY = object, None


def load(path, sample_rate_hz):
    """A sound file as mono samples at that rate, (samples,)."""
    channels, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    samples = np.nan_to_num(channels.mean(axis=1), posinf=0.0, neginf=0.0)
    if rate_hz == sample_rate_hz:
        return samples
    divisor = gcd(rate_hz, sample_rate_hz)
    resampled = resample_poly(samples, sample_rate_hz // divisor, rate_hz // divisor)
    return resampled.astype(np.float32)
'''
DENOISE = '''"""Spectral gating is not part of a bundle."""

PREDICTION_STRENGTH = {strength!r}


def denoise(samples, rate_hz, strength):
    """Refuse: this model's sounds are denoised before, which needs audioclf."""
    raise ValueError("This model denoises first: predict with audioclf instead.")
'''


def write(folder: Path) -> None:
    """Write the script, its requirements and the front end into a bundle's folder."""
    from audioclf.audio.denoise import PREDICTION_STRENGTH

    source, package = Path(audioclf.__file__).parent, folder / PACKAGE
    texts = {f"features/{path.name}": path for path in sorted((source / "features").glob("*.py"))}
    texts["audio/silence.py"] = source / "audio" / "silence.py"
    files = {
        name: path.read_text(encoding="utf-8").replace("audioclf.", f"{PACKAGE}.")
        for name, path in texts.items()
    }
    files |= {
        "__init__.py": '"""The front end of this model, as NumPy code of audioclf."""\n',
        "audio/__init__.py": '"""Decoding, resampling, silences."""\n',
        "audio/io.py": AUDIO_IO,
        "audio/denoise.py": DENOISE.format(strength=PREDICTION_STRENGTH),
    }
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "predict.py").write_text(SCRIPT, encoding="utf-8")
    (folder / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
