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

    column: gr.Column
    confusion: gr.Plot
    per_class: gr.Dataframe
    evaluation: gr.Markdown
    errors: gr.Markdown
    clips: gr.Dataframe
    comparison: gr.Markdown
    player: gr.Audio
    use: gr.Button
    formats: gr.CheckboxGroup
    export: gr.Button
    download: gr.DownloadButton
    export_status: gr.Markdown
    repo: gr.Textbox
    token: gr.Textbox
    is_public: gr.Checkbox
    push: gr.Button
    push_status: gr.Markdown


def outcome() -> Outcome:
    """What came out of a training, and taking it away."""
    with gr.Column(visible=False, elem_id="teach-outcome") as column:
        gr.Markdown("### Results")
        use = gr.Button("Use it in Classify", variant="primary", elem_id="teach-use")
        confusion, per_class, evaluation = details.results("teach-")
        comparison = gr.Markdown(elem_id="teach-comparison", elem_classes="ac-note")
        errors = gr.Markdown(elem_id="teach-misjudged")
        clips = table(results.CLIPS, max_height=300, show_label=False, elem_id="teach-clips")
        player = gr.Audio(
            label="Chosen clip",
            interactive=False,
            autoplay=True,
            elem_id="teach-player",
        )
        with gr.Accordion("Export", open=False, elem_id="teach-take"):
            formats = gr.CheckboxGroup(
                results.FORMATS,
                label="Formats besides Keras and ONNX",
                elem_id="teach-formats",
            )
            export = gr.Button("Export", elem_id="teach-make")
            export_status = gr.Markdown(elem_id="teach-made", elem_classes="ac-message")
            download = gr.DownloadButton("Download", visible=False, elem_id="teach-download")
        with gr.Accordion("Push to Hub", open=False, elem_id="teach-hub"):
            with gr.Row():
                repo = gr.Textbox(label="Repository", placeholder="user/name", max_length=200)
                token = gr.Textbox(
                    label="Your token with write access; it is not stored",
                    type="password",
                    max_length=200,
                )
            is_public = gr.Checkbox(label="Public", value=False)
            push = gr.Button("Push to Hub", elem_id="teach-push")
            push_status = gr.Markdown(elem_id="teach-pushed", elem_classes="ac-message")
    results_shown = (
        column,
        confusion,
        per_class,
        evaluation,
        errors,
        clips,
        comparison,
        player,
        use,
    )
    export_parts = (
        formats,
        export,
        download,
        export_status,
        repo,
        token,
        is_public,
        push,
        push_status,
    )
    return Outcome(*results_shown, *export_parts)


def wire(shared: Shared, trainings: gr.Dropdown, outcome: Outcome) -> None:
    """What a click on them does."""
    join_playback(outcome.player)
    outcome.clips.select(results.play_clip, trainings, outcome.player, **QUEUED)
    outcome.use.click(
        results.use_new_model,
        [trainings, shared.session],
        [shared.model, shared.tabs],
        **QUIET,
    )
    slow: dict[str, Any] = {
        "api_visibility": "private",
        "show_progress": "minimal",
        "concurrency_id": "export",
        "concurrency_limit": 1,
    }
    exported = [outcome.download, outcome.export_status]
    outcome.export.click(results.show_progress, None, exported, **QUIET).then(
        results.export_model, [trainings, outcome.formats], exported, **slow
    )
    outcome.push.click(results.show_upload_progress, None, outcome.push_status, **QUIET).then(
        results.push_model,
        [trainings, outcome.repo, outcome.token, outcome.is_public],
        outcome.push_status,
        **slow,
    )
