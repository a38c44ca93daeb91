"""The components of what comes out of a training, and their wiring."""

from typing import Any, NamedTuple

import gradio as gr

from audioclf.ui.finetune import results
from audioclf.ui.models import details
from audioclf.ui.page.lanes import join_playback
from audioclf.ui.page.state import QUEUED, QUIET, Shared
from audioclf.ui.page.tables import table


class Outcome(NamedTuple):
    """Those of what comes afterwards."""

    place: gr.Column
    confusion: gr.Plot
    per_class: gr.Dataframe
    measured: gr.Markdown
    words: gr.Markdown
    clips: gr.Dataframe
    beside: gr.Markdown
    player: gr.Audio
    use: gr.Button
    formats: gr.CheckboxGroup
    make: gr.Button
    download: gr.DownloadButton
    made: gr.Markdown
    repo: gr.Textbox
    token: gr.Textbox
    is_public: gr.Checkbox
    push: gr.Button
    pushed: gr.Markdown


def outcome() -> Outcome:
    """What came out of a training, and taking it away."""
    with gr.Column(visible=False, elem_id="teach-outcome") as place:
        gr.Markdown("### What it learnt")
        use = gr.Button("Use it in Classify", variant="primary", elem_id="teach-use")
        confusion, per_class, measured = details.results("teach-")
        beside = gr.Markdown(elem_id="teach-beside", elem_classes="ac-note")
        words = gr.Markdown(elem_id="teach-misjudged")
        clips = table(results.CLIPS, max_height=300, show_label=False, elem_id="teach-clips")
        player = gr.Audio(
            label="The clip that was chosen",
            interactive=False,
            autoplay=True,
            elem_id="teach-player",
        )
        with gr.Accordion("Take it away", open=False, elem_id="teach-take"):
            formats = gr.CheckboxGroup(
                results.FORMATS,
                label="Put into it besides Keras and ONNX",
                elem_id="teach-formats",
            )
            make = gr.Button("Make the ZIP", elem_id="teach-make")
            made = gr.Markdown(elem_id="teach-made", elem_classes="ac-message")
            download = gr.DownloadButton("Download", visible=False, elem_id="teach-download")
        with gr.Accordion("Put it on the Hugging Face Hub", open=False, elem_id="teach-hub"):
            with gr.Row():
                repo = gr.Textbox(label="Repository", placeholder="user/name", max_length=200)
                token = gr.Textbox(
                    label="Your token with write access; it is kept nowhere",
                    type="password",
                    max_length=200,
                )
            is_public = gr.Checkbox(label="For everybody to see", value=False)
            push = gr.Button("Put it there", elem_id="teach-push")
            pushed = gr.Markdown(elem_id="teach-pushed", elem_classes="ac-message")
    shown = (place, confusion, per_class, measured, words, clips, beside, player, use)
    taken = (formats, make, download, made, repo, token, is_public, push, pushed)
    return Outcome(*shown, *taken)


def wire(shared: Shared, trainings: gr.Dropdown, outcome: Outcome) -> None:
    """What a click on them does."""
    join_playback(outcome.player)
    outcome.clips.select(results.hear_clip, trainings, outcome.player, **QUEUED)
    outcome.use.click(
        results.use_taught,
        [trainings, shared.mine],
        [shared.network, shared.tabs],
        **QUIET,
    )
    slow: dict[str, Any] = {
        "api_visibility": "private",
        "show_progress": "minimal",
        "concurrency_id": "export",
        "concurrency_limit": 1,
    }
    made = [outcome.download, outcome.made]
    outcome.make.click(results.tell_making, None, made, **QUIET).then(
        results.make_bundle, [trainings, outcome.formats], made, **slow
    )
    outcome.push.click(results.tell_pushing, None, outcome.pushed, **QUIET).then(
        results.push_network,
        [trainings, outcome.repo, outcome.token, outcome.is_public],
        outcome.pushed,
        **slow,
    )
