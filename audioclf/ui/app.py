"""The page: the only place that imports gradio. `build_app` lists its tabs, `launch` serves it."""

import contextlib
import io
import os
import threading
import time
from typing import Any

import gradio as gr
import numpy as np
from starlette.middleware import Middleware

from audioclf.audio.denoise import denoise
from audioclf.inference import predict
from audioclf.models import checkpoint
from audioclf.storage import paths
from audioclf.ui.annotate import tab as label_tab
from audioclf.ui.classify import tab as classify_tab
from audioclf.ui.finetune import tab as finetune_tab
from audioclf.ui.http import uploads
from audioclf.ui.http.guard import Guard
from audioclf.ui.models import download
from audioclf.ui.models import tab as models_tab
from audioclf.ui.page import model_lists, requests, session, state, static_files
from audioclf.ui.page.lanes import CSS
from audioclf.ui.page.limits import HOSTED
from audioclf.ui.page.mode import is_local
from audioclf.ui.page.theme import theme
from audioclf.ui.plotting import figures, spectrograms

HOUR_S, CLEANUP_EVERY_S = 3_600, 900
MOST_QUEUED = 4_096  # never what refuses: `http_pending` does, visitor by visitor
ENVIRONMENT = {
    "FORWARDED_ALLOW_IPS": "",  # no proxy is believed unless whoever serves the page names one
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",  # nobody sees them, and a table is made of them each time
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
}


def build_app() -> gr.Blocks:
    """The page with its tabs; what users leave behind is deleted after an hour."""
    with requests.Page(
        title="audioclf", delete_cache=(900, HOUR_S), analytics_enabled=False
    ) as app:
        gr.Markdown(
            "# audioclf\nView, classify and label audio.",
            elem_id="title",
        )
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Classify", id=state.CLASSIFY) as classify:
                page = classify_tab.build(app, tabs, classify)
            with gr.Tab("Label", id=state.LABEL) as label:
                label_tab.build(app, page, label)
            with gr.Tab("Fine-tune", id=state.FINE_TUNE) as fine_tune:
                finetune_tab.build(app, page, fine_tune)
            with gr.Tab("Models", id="models") as models:
                models_tab.build(page, models)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    app.queue(max_size=MOST_QUEUED, default_concurrency_limit=2, api_open=False)
    return app


def launch(app: gr.Blocks, **settings: Any) -> None:
    """Serve the page; limits hold unless `local`. Blocks until it is stopped."""
    os.environ[paths.PUBLIC] = "" if is_local() else "1"
    options = {
        "theme": theme(),
        "css": CSS,
        "head": static_files.head(),
        "max_file_size": None if is_local() else HOSTED.upload.max_archive_bytes,
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "footer_links": ["api"],
        "app_kwargs": {
            "middleware": [Middleware(Guard, blocks=app)],
            "exception_handlers": requests.HANDLERS,
            "routes": static_files.routes(),
        },
    }
    app.launch(**{**options, **settings, "prevent_thread_lock": True})
    threading.Thread(target=_warm_up, daemon=True).start()
    threading.Thread(target=download.download_at_start, daemon=True).start()
    threading.Thread(target=_cleanup, args=[app], daemon=True).start()
    app.block_thread()


def start(
    *, local: bool = False, host: str | None = None, port: int | None = None, **settings: Any
) -> None:
    """Build and serve the page; `local` lifts the limits, except on a Space."""
    if local:
        os.environ["AUDIOCLF_LOCAL"] = "1"
    uploads.use_own_folders()
    launch(build_app(), server_name=host, server_port=port, **settings)


def _cleanup(app: gr.Blocks) -> None:
    """Delete what is too old, every quarter of an hour."""
    while True:
        for one in (session.cleanup, lambda: uploads.cleanup(app)):
            with contextlib.suppress(OSError):
                one()
        time.sleep(CLEANUP_EVERY_S)


def _warm_up() -> None:
    """Load what the first visitor would otherwise wait for: a session, a picture, a gate."""
    for _, name in model_lists.model_choices()[:1]:
        with contextlib.suppress(ValueError):
            predict.warm_up(checkpoint.find(name))
    rate_hz = 22_050
    noise = np.random.default_rng(0).normal(0, 0.1, rate_hz).astype(np.float32)
    drawn = spectrograms.pictures([noise], rate_hz, 1.0, spectrograms.View())
    figures.png_url(drawn[0])
    figures.spectrogram_figure(drawn).savefig(io.BytesIO(), format="png")
    denoise(noise, rate_hz)
