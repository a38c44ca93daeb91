"""How Sphinx builds these pages: Markdown by MyST, docstrings by numpydoc, the theme furo.

The source is the repository's root, so that every link is the same here and on GitHub. There,
`api.md` is a table per module; here, each table becomes the docstrings of what it lists.
"""

import re

from sphinx.application import Sphinx

import audioclf

project = "audioclf"
author = "The audioclf contributors"
release = audioclf.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc"]
html_theme = "furo"
html_title = "audioclf"
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries, which are not linked
root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "benchmarks/*.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
]
exclude_patterns = [".*", "build", "checkpoints", "tests", "audioclf", "node_modules"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
numpydoc_show_class_members = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

MODULE = re.compile(r"### `(audioclf[\w.]*)`\n\n(.*?)\n\n\| name .*?\n\|---\|---\|\n((?:\|.*\n)+)")
AUTODOC = """### `{module}`

{words}

```{{eval-rst}}
.. currentmodule:: {module}

{members}
```
"""


def with_docstrings(app: Sphinx, name: str, source: list[str]) -> None:
    """Put autodoc's directives where the page has a table of functions."""
    if name == "docs/api":
        source[0] = MODULE.sub(_directives, source[0])


def _directives(found: re.Match[str]) -> str:
    module, words, rows = found.groups()
    members = []
    for signature in re.findall(r"^\| `(\w+\(?)", rows, re.MULTILINE):
        kind = "autofunction" if signature.endswith("(") else "autoclass"
        members.append(f".. {kind}:: {signature.rstrip('(')}")
        if kind == "autoclass":
            members.append("   :members:")
    return AUTODOC.format(module=module, words=words, members="\n".join(members))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", with_docstrings)
