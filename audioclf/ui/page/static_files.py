"""The page's scripts: ES modules, served as files beside Gradio's own.

Their address holds a hash of all of them, so a browser's cache may keep them for good and never
gives an old one to a new page. It is relative, so it also holds below a proxy's path.
"""

import hashlib
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from audioclf.ui.page.lanes import ASSETS

SCRIPTS = ASSETS / "js"
MAIN = "main.js"
YEAR_S = 31_536_000


def version(folder: Path) -> str:
    """A hash of the names and contents of all scripts in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.js")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class VersionedFiles(StaticFiles):
    """Files that never change at their address."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file; a browser need not ask for it again."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        return response


def routes() -> list[BaseRoute]:
    """What serves the scripts; given to `launch` as `app_kwargs["routes"]`."""
    return [Mount(f"/{_folder()}", VersionedFiles(directory=SCRIPTS))]


def head() -> str:
    """What starts the scripts: `window.audioclf` is a promise of what `main.js` exports."""
    # All of them are asked for at once, but the regions' editor: it comes when it is opened.
    names = [path.relative_to(SCRIPTS).as_posix() for path in sorted(SCRIPTS.rglob("*.js"))]
    preloaded = "".join(
        f'<link rel="modulepreload" href="./{_folder()}/{name}">'
        for name in names
        if not name.startswith("vendor/")
    )
    return f'{preloaded}<script>window.audioclf = import("./{_folder()}/{MAIN}");</script>'


def _folder() -> str:
    return f"audioclf-scripts/{version(SCRIPTS)}"
