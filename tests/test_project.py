"""What a Space and a new developer rely on: the header, the sizes, the folder of networks."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from audioclf.models import architectures, checkpoint
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def requirement(package: str) -> str:
    """The range of versions that requirements.txt asks for."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return next(line.split("#")[0][len(package) :] for line in lines if line.startswith(package))


def test_the_header_is_what_a_space_reads() -> None:
    header = yaml.safe_load(README.split("---")[1])
    assert header["sdk"] == "gradio"
    assert header["sdk_version"] in SpecifierSet(requirement("gradio"))
    assert header["python_version"] == "3.12"
    assert (ROOT / header["app_file"]).is_file()
    assert header["license"] == "apache-2.0"
    assert len(header["short_description"]) <= 60
    assert "audio-classification" in header["tags"]


def test_every_shipped_model_was_evaluated() -> None:
    assert all(model.evaluation for model in checkpoint.find_all())


def test_no_file_is_too_large_for_a_space() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert [path.name for path in files if path.is_file() and path.stat().st_size > 10**7] == []


def test_modules_stay_small() -> None:
    modules = [path for kind in ("*.py", "*.js") for path in (ROOT / "audioclf").rglob(kind)]
    own = [path for path in modules if path.parent.name != "vendor"]
    assert len({path.suffix for path in own}) == 2
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in own}
    assert [name for name, n_lines in lengths.items() if n_lines > 400] == []


def test_the_folder_is_the_registry() -> None:
    folder = Path(architectures.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert set(architectures.names()) == files


def test_the_lock_pins_what_is_required_by_hash_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = {
        canonicalize_name(match[1]): match[2]
        for match in re.finditer(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    }
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for line in filter(None, (line.split("#")[0].strip() for line in lines)):
        needed = Requirement(line)
        assert pins[canonicalize_name(needed.name)] in needed.specifier
    assert "://" not in text
    entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry.split("\n")[0])


def test_the_docker_image_is_given_what_it_is_built_from() -> None:
    included = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert all(list(ROOT.glob(name)) for name in included)
    assert {"audioclf", "checkpoints", "pyproject.toml", "README.md", "LICENSE"} <= included
