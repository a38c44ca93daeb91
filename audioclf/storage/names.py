"""Names that come from outside: what no file and no class may be called, and how they are shown.

A name that is harmless here may be a device on Windows, or may be read by people as another one.
"""

import re
import unicodedata

# Marks that turn the direction of the text around them: a name is read as another one.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, surrogates, line separators
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.I | re.S)
MAX_BYTES = 240  # of a name: file systems take 255, and a copy gets a number
SHOWN = 80  # characters


def fault(name: str) -> str | None:
    """Why this cannot be the name of a file or a folder, as the end of a sentence; None if it can.

    The same on every system, so that what is made on one can be read on the others.
    """
    if BIDI & set(name):
        return "has a mark in its name that turns the direction of text: rename it"
    if any(unicodedata.category(mark) in CONTROLS for mark in name):
        return "has a control character in its name: rename it"
    if DEVICE.fullmatch(name):
        return "is named like a device of Windows: rename it"
    if name.endswith((".", " ")):
        return "has a name that ends with a dot or a space: rename it"
    if len(name.encode()) > MAX_BYTES:
        return "is too long a path: shorten it"
    return None


def shown(name: object, longest: int = SHOWN) -> str:
    """A name from outside in a sentence: one line, in one direction, and not endless."""
    text = "".join(c if c.isprintable() else "?" for c in str(name)[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
