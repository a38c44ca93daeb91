"""A folder as a repository of the Hugging Face Hub, with the user's own token.

The token is handed to the Hub's own library for this one upload, and is kept nowhere.
"""

import logging
import os
import re
from pathlib import Path
from typing import Any

from audioclf.storage.names import shown

MARKS = {"model": "card.json", "dataset": "audioclf-marks.csv"}  # of what was made here
TOKEN = re.compile(r"[!-~]{1,500}")
TIMEOUT_S = 60.0  # without a byte of an answer
REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


class HubError(ValueError):
    """A sentence about what the Hub did."""


def push(folder: Path, repo: str, token: str, *, private: bool = True, kind: str = "model") -> str:
    """Upload the folder as one commit; the repository's address, which is made where it is missing.

    `repo`: user/name; `kind`: model or dataset. Raises ValueError.
    """
    from huggingface_hub import HfApi, errors, get_session

    check(repo, token)
    get_session().timeout = TIMEOUT_S  # there is none else
    api = HfApi(token=token.strip(), library_name="audioclf")
    # The library's errors are those of the HTTP client that it is built on, one or another one.
    unreachable: tuple[type[BaseException], ...] = (OSError, *errors.HfHubHTTPError.__bases__)
    try:
        made = api.create_repo(repo, private=private, exist_ok=True, repo_type=kind)
        _check_ours(api, repo, private, kind)
        api.upload_folder(
            repo_id=repo, folder_path=os.fspath(folder), repo_type=kind,
            commit_message="Made with audioclf", delete_patterns="*",
        )  # fmt: skip
    except HubError:
        raise
    except errors.HfHubHTTPError as error:
        raise HubError(_why(error, repo)) from None
    except errors.HFValidationError:
        raise HubError(f"The Hub does not take “{repo}”: choose another name.") from None
    except unreachable:
        raise HubError("The Hub cannot be reached from here: try again later.") from None
    except Exception as error:  # an answer that its library cannot read; its words may hold a token
        logging.getLogger("audioclf").warning("The Hub: %s", type(error).__name__)
        raise HubError("The Hub answered something unexpected: try again later.") from None
    return str(made)


def _check_ours(api: Any, repo: str, private: bool, kind: str) -> None:
    """Raise ValueError where the repository is public against the wish, or holds other things."""
    info = api.repo_info(repo, repo_type=kind)
    names = {file.rfilename for file in info.siblings or ()}
    if private and not info.private:
        raise HubError(f"“{repo}” is there already and public: choose another name, or say so.")
    if names - {".gitattributes", "README.md"} and MARKS[kind] not in names:
        raise HubError(f"“{repo}” holds other things already: choose another name.")


def check(repo: str, token: str) -> None:
    """Raise ValueError for what can be no repository, and no token."""
    if not REPO.fullmatch(str(repo or "")):
        raise ValueError(
            f"“{shown(repo)}” is no repository: write your user name, a slash and a name."
        )
    if not TOKEN.fullmatch(str(token or "").strip()):
        raise ValueError("A token of yours is needed: make one with write access in your settings.")


def _why(error: Exception, repo: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return "The Hub does not know this token: copy it again from your settings."
    if status in (403, 404):
        return f"This token may not write to “{repo}”: use one with write access to it."
    if status == 429:
        return "The Hub is asked too often just now: try again in some minutes."
    return f"The Hub answered {status or 'something unexpected'}: try again later."
