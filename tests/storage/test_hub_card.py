"""The front matter of what is pushed or exported is what the Hub reads."""

import pytest
from huggingface_hub import DatasetCard, ModelCard

from audioclf.storage import hub_card


@pytest.mark.parametrize(
    ("name", "identifier", "expected"),
    [
        ("CC BY 4.0", "cc-by-4.0", None),
        ("CC BY-NC 3.0", "cc-by-nc-3.0", None),
        ("Apache-2.0", "apache-2.0", None),
        ("Ours: no copies", "other", "ours-no-copies"),
        (None, "other", None),
    ],
)
def test_a_licence_is_an_id_of_the_hub(
    name: str | None, identifier: str, expected: str | None
) -> None:
    card = ModelCard(hub_card.model_card("# A\n", name, tags=["audio"]))
    assert (card.data.license, card.data.license_name) == (identifier, expected)
    assert card.data.tags == ["audio"] and card.text.strip() == "# A"


def test_a_data_set_says_what_it_is_for() -> None:
    card = DatasetCard(hub_card.dataset_card("# B: c\n", task_categories=["audio-classification"]))
    assert card.data.task_categories == ["audio-classification"] and card.text.strip() == "# B: c"
