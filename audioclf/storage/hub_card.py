"""README files with front matter as the Hugging Face Hub reads it."""

import re
from typing import Any

LICENSES = frozenset(
    {"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "gpl-3.0", "lgpl-3.0", "agpl-3.0"}
    | {"mpl-2.0", "isc", "unlicense", "odbl", "pddl", "odc-by", "openrail", "cc", "cc0-1.0"}
    | {f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")}
    | {f"cc-by-sa-{version}" for version in ("3.0", "4.0")}
    | {f"cc-by-nc-{version}" for version in ("2.0", "3.0", "4.0")}
    | {"cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"}
    | {f"cc-by-nc-sa-{version}" for version in ("2.0", "3.0", "4.0")}
)


def license_fields(name: str | None) -> dict[str, Any]:
    """A licence by the Hub's id: “CC BY 4.0” is cc-by-4.0, an unknown one `other`.

    The ids are those of the Hub's documentation of model cards.
    """
    identifier = re.sub(r"[^a-z0-9.]+", "-", (name or "").lower()).strip("-")
    if identifier in LICENSES:
        return {"license": identifier}
    return {"license": "other"} | ({"license_name": identifier} if identifier else {})


def model_card(body: str, licence: str | None, **fields: Any) -> str:
    """A model's README: front matter of these fields, and the body in Markdown."""
    from huggingface_hub import ModelCard, ModelCardData

    data = ModelCardData(**license_fields(licence), **fields)
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}"))


def dataset_card(body: str, **fields: Any) -> str:
    """A data set's README: front matter of these fields, and the body in Markdown."""
    from huggingface_hub import DatasetCard, DatasetCardData

    data = DatasetCardData(**fields)
    return str(DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{body}"))
