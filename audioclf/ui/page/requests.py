"""What a client sends and no page does: answered with a sentence, and no trace in the log."""

import json
import logging
from collections.abc import Callable
from inspect import signature
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.utils import get_type_hints
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
            message = str(error.message) if isinstance(error, gr.Error) else UNUSABLE
            raise gr.Error(readable(message), print_exception=False) from error

    async def call_function(
        self, block_fn: BlockFunction | int, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """What the handler returns. Raises gr.Error, not logged, where no page calls it so."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        called = signature(gr.Blocks.call_function).bind(self, function, *args, **kwargs)
        if not function.fn or not _has_event(function.fn, called.arguments.get("event_data")):
            raise gr.Error(UNUSABLE, print_exception=False)
        return await super().call_function(function, *args, **kwargs)


def _has_event(handler: Callable[..., Any], event: gr.EventData | None) -> bool:
    """Whether a handler that reads what was selected is told what."""
    kinds = [
        hint
        for hint in get_type_hints(handler).values()
        if isinstance(hint, type) and issubclass(hint, gr.EventData)
    ]
    try:
        for kind in kinds:
            kind(event.target if event else None, event._data if event else None)
    except (LookupError, TypeError, AttributeError):
        return False
    return True


def refuse(request: Request, error: Exception) -> Response:
    """A request that Gradio's own routes trip over, such as a function that does not exist."""
    kind, where = type(error).__name__, request.url.path.encode("ascii", "replace").decode()
    logging.getLogger("audioclf").info("refused: %s at %s", kind, where[:200])
    content = json.dumps({"detail": UNUSABLE, "error": UNUSABLE})
    return Response(content, status_code=422, media_type="application/json")


# By error; what a handler of ours raises is message on the page and never reaches this.
HANDLERS: dict[Any, Any] = dict.fromkeys(
    (LookupError, TypeError, ValueError, AttributeError), refuse
)
