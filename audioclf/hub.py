"""A folder as a repository of the Hugging Face Hub, with the user's own token.

The token is handed to the Hub's own library for this one upload, and is kept nowhere.
"""

import os
import re
from pathlib import Path
from typing import Any

MARKS = {"model": "card.json", "dataset": "audioclf-marks.csv"}  # of what was made here
REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def push(folder: Path, repo: str, token: str, *, private: bool = True, kind: str = "model") -> str:
    """Upload the folder as one commit; the repository's address, which is made where it is missing.

    `repo`: user/name; `kind`: model or dataset. Raises ValueError.
    """
    from httpx import HTTPError
    from huggingface_hub import HfApi, errors

    check(repo, token)
    api = HfApi(token=token.strip(), library_name="audioclf")
    try:
        made = api.create_repo(repo, private=private, exist_ok=True, repo_type=kind)
        _check_ours(api, repo, private, kind)
        api.upload_folder(
            repo_id=repo, folder_path=os.fspath(folder), repo_type=kind,
            commit_message="Made with audioclf", delete_patterns="*",
        )  # fmt: skip
    except errors.HfHubHTTPError as error:
        raise ValueError(_why(error, repo)) from None
    except errors.HFValidationError:
        raise ValueError(f"The Hub does not take “{repo}”: choose another name.") from None
    except (OSError, HTTPError):
        raise ValueError("The Hub cannot be reached from here: try again later.") from None
    return str(made)


def _check_ours(api: Any, repo: str, private: bool, kind: str) -> None:
    """Raise ValueError where the repository is public against the wish, or holds other things."""
    info = api.repo_info(repo, repo_type=kind)
    names = {file.rfilename for file in info.siblings or ()}
    if private and not info.private:
        raise ValueError(f"“{repo}” is there already and public: choose another name, or say so.")
    if names - {".gitattributes", "README.md"} and MARKS[kind] not in names:
        raise ValueError(f"“{repo}” holds other things already: choose another name.")


def check(repo: str, token: str) -> None:
    """Raise ValueError for what can be no repository, and no token."""
    if not REPO.fullmatch(str(repo or "")):
        raise ValueError(f"“{repo}” is no repository: write your user name, a slash and a name.")
    own = str(token or "").strip()
    if not own or not own.isascii() or " " in own:
        raise ValueError("A token of yours is needed: make one with write access in your settings.")


def _why(error: Exception, repo: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return "The Hub does not know this token: copy it again from your settings."
    if status in (403, 404):
        return f"This token may not write to “{repo}”: use one with write access to it."
    return f"The Hub answered {status or 'something unexpected'}: try again later."
