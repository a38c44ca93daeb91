"""What a client sends and no page does: answered with a sentence, and no trace in the log."""

import json
import logging
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import Response

from audioclf.ui.page.state import readable

UNUSABLE = "A value is missing here, or is none that the page sends: load the page again."


class Page(gr.Blocks):
    """Blocks whose inputs, where they cannot be read, are refused with a sentence."""

    async def preprocess_data(self, *args: Any, **kwargs: Any) -> Any:
        """The values for a handler. Raises gr.Error, which is shown and not logged."""
        try:
            return await super().preprocess_data(*args, **kwargs)
        except Exception as error:  # components raise what they like
            told = str(error.message) if isinstance(error, gr.Error) else UNUSABLE
            raise gr.Error(readable(told), print_exception=False) from error


def refuse(request: Request, error: Exception) -> Response:
    """A request that Gradio's own routes trip over, such as a function that does not exist."""
    kind, where = type(error).__name__, request.url.path.encode("ascii", "replace").decode()
    logging.getLogger("audioclf").info("refused: %s at %s", kind, where[:200])
    content = json.dumps({"detail": UNUSABLE, "error": UNUSABLE})
    return Response(content, status_code=422, media_type="application/json")


# By error; what a handler of ours raises is told on the page and never reaches this.
HANDLERS: dict[Any, Any] = dict.fromkeys(
    (LookupError, TypeError, ValueError, AttributeError), refuse
)
