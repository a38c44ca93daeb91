"""The headers with which every answer goes out: what a browser may do with it."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import MutableHeaders

Send = Callable[[Any], Awaitable[None]]

# Gradio's page holds scripts, styles and a <base> in its HTML, and makes functions of templates;
# players fetch sounds that are data or blobs. A Space is shown in a frame of the Hub.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self'",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",
}
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"  # what visitors brought
FILES = "/gradio_api/file"


def with_headers(send: Send, path: str) -> Send:
    """The same, with the headers that protect a page."""
    policy = "; ".join(f"{name} {sources}" for name, sources in POLICY.items())

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "same-origin"
            headers["Content-Security-Policy"] = FILE_POLICY if FILES in path else policy
        await send(message)

    return sending
