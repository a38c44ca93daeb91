"""The page: the only place that imports gradio. `build_app` lists its tabs, `launch` serves it."""

import contextlib
import io
import os
import threading
import time
from typing import Any

import gradio as gr
import numpy as np

from audioclf import checkpoint, clean, pictures, plots, predict
from audioclf.ui import (
    classify_tab,
    fetch_view,
    label_tab,
    mine,
    network_lists,
    networks_tab,
    shared,
    static_files,
    teach_tab,
)
from audioclf.ui.lanes import CSS
from audioclf.ui.theme import theme
from audioclf.ui.where import is_local

HOUR_S, TIDY_EVERY_S = 3_600, 900


def build_app() -> gr.Blocks:
    """The page with its tabs; what users leave behind is deleted after an hour."""
    with gr.Blocks(title="audioclf", delete_cache=(900, HOUR_S), analytics_enabled=False) as app:
        gr.Markdown(
            "# audioclf\nSee a sound, and what a network hears in it, window by window.",
            elem_id="title",
        )
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Classify", id=shared.CLASSIFY) as classify:
                page = classify_tab.build(app, tabs, classify)
            with gr.Tab("Label", id=shared.LABEL) as label:
                label_tab.build(app, page, label)
            with gr.Tab("Teach", id=shared.TEACH) as teach:
                teach_tab.build(app, page, teach)
            with gr.Tab("Networks", id="networks") as networks:
                networks_tab.build(page, networks)
    app.queue(max_size=32, default_concurrency_limit=2, api_open=None)
    return app


def launch(app: gr.Blocks, **settings: Any) -> None:
    """Serve the page; limits hold unless `local`. Blocks until it is stopped."""
    options = {
        "theme": theme(),
        "css": CSS,
        "head": static_files.head(),
        "app_kwargs": {"routes": static_files.routes()},
        "max_file_size": None if is_local() else mine.HOSTED.max_archive_bytes,
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "footer_links": ["api"],
    }
    app.launch(**{**options, **settings, "prevent_thread_lock": True})
    threading.Thread(target=_warm, daemon=True).start()
    threading.Thread(target=fetch_view.fetch_at_start, daemon=True).start()
    threading.Thread(target=_tidy, daemon=True).start()
    app.block_thread()


def start(
    *, local: bool = False, host: str | None = None, port: int | None = None, **settings: Any
) -> None:
    """Build and serve the page; `local` lifts the limits, except on a Space."""
    if local:
        os.environ["AUDIOCLF_LOCAL"] = "1"
    launch(build_app(), server_name=host, server_port=port, **settings)


def _tidy() -> None:
    """What is too old goes, every quarter of an hour."""
    while True:
        with contextlib.suppress(OSError):
            mine.tidy()
        time.sleep(TIDY_EVERY_S)


def _warm() -> None:
    """What a first visitor would otherwise wait for: a session, a picture, a gate."""
    for _, name in network_lists.network_choices()[:1]:
        with contextlib.suppress(ValueError):
            predict.warm(checkpoint.find(name))
    rate_hz = 22_050
    noise = np.random.default_rng(0).normal(0, 0.1, rate_hz).astype(np.float32)
    drawn = pictures.pictures([noise], rate_hz, 1.0, pictures.View())
    plots.png_url(drawn[0])
    plots.spectrogram_figure(drawn).savefig(io.BytesIO(), format="png")
    clean.denoise(noise, rate_hz)
