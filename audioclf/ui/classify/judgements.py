"""Whether a sound is unlike anything that a model was trained on, as the page asks it."""

from collections.abc import Callable

from audioclf.audio.io import Samples
from audioclf.inference.unfamiliar import Judgement, unfamiliar, unfamiliar_file
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.page.cache import cached
from audioclf.ui.page.limits import limits
from audioclf.ui.page.state import Sound, find_model, levels_of, model_key

CACHE_BYTES, BYTES_PER_JUDGEMENT = 1_000_000, 1_000


def judge_sound(
    sound: Sound, model: Checkpoint, on_block: Callable[[Samples], None] = lambda samples: None
) -> Judgement | None:
    """How unlike its training clips a model finds a sound, cached; None without statistics.

    `on_block` is called with every block of a long sound; what it raises ends the judging.
    """
    key = (sound.key, model_key(model))
    known: Judgement | None = _judgement.known(*key)
    if known is not None or sound.is_short:
        return known or _judgement(*key)
    judgement = unfamiliar_file(sound.path, model, levels_of(sound), limits().sound, on_block)
    _judgement.put(judgement, *key)
    return judgement


@cached(CACHE_BYTES, lambda judgement: BYTES_PER_JUDGEMENT)
def _judgement(sound_key: tuple[str, int, int], about: tuple[str, str, int]) -> Judgement | None:
    """That of a short sound."""
    audio = Sound(sound_key[0])
    return unfamiliar(audio.samples(), audio.rate_hz, find_model(about[0]), levels_of(audio))
