"""Models, deletion: a model that was trained here, after its name was typed."""

from typing import Any, NamedTuple

import gradio as gr

from audioclf.models import deletion
from audioclf.text import escape_markdown
from audioclf.ui.page import session as sessions
from audioclf.ui.page.state import find_model, show_errors


class DeleteControls(NamedTuple):
    """The components."""

    box: gr.Accordion
    typed: gr.Textbox
    button: gr.Button
    message: gr.Markdown


def show_delete(model: str | None, session: Any) -> Any:
    """Offer the deletion of a model that was trained here, and of no other."""
    return gr.update(visible=model in sessions.names_of_trained(session))


@show_errors(lambda sentence: (gr.skip(), escape_markdown(sentence)))
def delete_model(model: str | None, typed: str, session: Any) -> tuple[Any, str]:
    """Delete a model that was trained here, once its name is typed."""
    if model not in sessions.names_of_trained(session):
        raise ValueError("Only models that were trained here can be deleted: choose one of them.")
    classifier = find_model(model)
    if str(typed or "").strip() != classifier.name:
        raise ValueError(f"Type “{classifier.name}” to delete it.")
    deletion.delete(classifier)
    return "", f"**{escape_markdown(classifier.name)}** is deleted."


def build() -> DeleteControls:
    """The field for the name, and the button."""
    with gr.Accordion(
        "Delete this model", open=False, visible=False, elem_id="delete-network"
    ) as box:
        typed = gr.Textbox(
            label="Type its name to delete it, here and in every list; its training stays",
            max_length=200, elem_id="delete-name",
        )  # fmt: skip
        button = gr.Button("Delete", variant="stop", elem_id="delete-it")
    message = gr.Markdown(elem_classes="ac-message", elem_id="delete-said")
    return DeleteControls(box, typed, button, message)
