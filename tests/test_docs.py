"""README and docs/ are true: commands, Python, links, pictures, variables, generated parts."""

import ast
import dataclasses
import inspect
import itertools
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from audioclf import __version__
from audioclf.audio import io as audio
from audioclf.cli import main as cli
from audioclf.cli import parser as arguments
from scripts import make_docs
from tests import sounds
from tests.conftest import ROOT

PAGES = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in make_docs.pages()}
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Commands of other programs that a page may name, as they stand there.
OTHERS = {
    "pip install .",
    "pip install --require-hashes --requirement requirements.lock",
    "pip install --no-deps .",
    "docker build --tag audioclf .",
    "docker run --publish 7860:7860 --volume audioclf:/data audioclf",
    "pip install pre-commit",
    "pre-commit install",
    'python -m pip install --editable ".[dev]"',
    'python -m pytest -m "not browser"',
}
RUN = {"predict", "features", "inspect", "labels", "checkpoints"}  # cheap enough to run for real
# What pages call by its new name already and the code does not yet: docs, code. Empty it.
FURTHER = "--extra-epochs"
# Those that train, with what makes them short; later arguments win.
SHORT: dict[str, dict[str, str]] = {
    "fine-tune": {"--epochs": "1"},
    "train": {"--epochs": "1", FURTHER: "1"},
    "cross-validate": {"--epochs": "1", "--folds": "1,2"},
    "ensemble": {},
    "evaluate": {},
    "export": {},
}
TRAIN = set(SHORT)
BACKBONE = "separable_cnn-mel"  # in place of YAMNet, which is no part of the project


def blocks(kind: str) -> list[tuple[str, str]]:
    """Page and contents of every fenced block of that kind."""
    return [
        (name, body) for name, text in PAGES.items() for one, body in FENCE.findall(text)
        if one == kind
    ]  # fmt: skip


def commands() -> list[tuple[str, str]]:
    """Page and command of every line of every shell block."""
    lines = [(name, line) for name, body in blocks("bash") for line in body.splitlines()]
    return [(name, line) for name, line in lines if line.strip()]


COMMANDS = commands()
SETTINGS = set(re.findall(r"^\| `([\w.]+)` \|", PAGES["docs/training.md"], re.MULTILINE))
OURS = [(name, line) for name, line in COMMANDS if line.startswith("audioclf ")]


def test_the_readme_is_short() -> None:
    lines = PAGES["README.md"].splitlines()
    assert 60 <= len(lines) <= 150
    assert max(map(len, lines)) <= 140
    early = "\n".join(lines[:30])
    assert "make run" in early and "make test" in early


def test_every_shell_block_says_that_it_is_one() -> None:
    kinds = {kind for text in PAGES.values() for kind, _ in FENCE.findall(text)}
    assert kinds == {"bash", "python", "text", "{toctree}"}
    assert len(OURS) > 20


@pytest.mark.parametrize(("page", "line"), OURS, ids=[line for _, line in OURS])
def test_the_parser_takes_every_command(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    args = arguments.build_parser(cli.RUNS).parse_args(words)
    assert callable(args.run)
    assert {name for name, _ in getattr(args, "set", None) or []} <= SETTINGS


def test_commands_in_a_sentence_are_there() -> None:
    parsers = {one.prog: one for one in make_docs._subparsers(arguments.build_parser(cli.RUNS))}
    named = set(re.findall(r"`(audioclf [^`]+)`", "\n".join(PAGES.values())))
    assert len(named - {"audioclf COMMAND"}) > 10
    changed = set(re.findall(r"--set\s+([\w.]+)=", "\n".join(PAGES.values())))
    assert changed - {"NAME"} <= SETTINGS
    for one in named - {"audioclf COMMAND"}:
        prog = max((prog for prog in parsers if f"{one} ".startswith(f"{prog} ")), key=len)
        options = {option for action in parsers[prog]._actions for option in action.option_strings}
        assert {word for word in one.split() if word.startswith("--")} <= options


def test_other_commands_are_known() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, line in COMMANDS:
        command = line.split("#")[0].strip()
        if command.startswith("make "):
            assert command.split()[1] in targets, page
        elif command.startswith("python app.py"):
            assert set(command.split()[2:]) <= {"--local"}, page
        elif not command.startswith("audioclf "):
            assert command in OTHERS, page
    named = {one for text in PAGES.values() for one in re.findall(r"`make ([a-z-]+)", text)}
    assert named <= targets


@pytest.fixture
def documented_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the documents name."""
    for name, seed in (("dog.ogg", 1), ("rain.ogg", 2)):
        audio.write(tmp_path / name, 0.3 * sounds.noise(4, seed=seed), sounds.RATE_HZ)
    for kind in ("dog", "rain"):
        (tmp_path / "my-sounds" / kind).mkdir(parents=True)
        for i in range(10):
            path = tmp_path / "my-sounds" / kind / f"{i}.wav"
            audio.write(path, 0.3 * sounds.noise(3, seed=i + 100 * (kind == "dog")), sounds.RATE_HZ)
    rows = [f"{kind}/{i}.wav,0.5,1.5,{kind}" for kind in ("dog", "rain") for i in range(10)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,start_s,end_s,label", *rows]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "data"))
    return tmp_path


def test_cheap_commands_do_what_pages_say(
    documented_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = set()
    for _, line in OURS:
        words = shlex.split(line, comments=True)[1:]
        if words[0] not in RUN or line in done:
            continue
        done.add(line)
        assert cli.main(shlex.split(line, comments=True)[1:]) == 0, line
        assert capsys.readouterr().out.strip(), line
    assert {line.split()[1] for line in done} == RUN
    assert {"dog.npy", "birds.zip", "birds-raven.zip"} <= {
        path.name for path in documented_files.iterdir()
    }


def without_shorter_ones(lines: Iterable[str]) -> list[str]:
    """The commands, but those whose options another one of the same kind has, too."""
    options = {line: (line.split()[1], set(re.findall(r" --[\w-]+", line))) for line in lines}
    return [
        line for line, (kind, own) in options.items()
        if not any(kind == other and own < more for other, more in options.values())
    ]  # fmt: skip


@pytest.mark.slow
def test_training_commands_do_what_pages_say(
    documented_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (BACKBONE, "cnn_attention-mel"):
        shutil.copytree(ROOT / "checkpoints" / name, documented_files / "checkpoints" / name)
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(documented_files / "checkpoints"))
    done = []
    for line in without_shorter_ones(dict.fromkeys(line for _, line in OURS)):
        words = shlex.split(line.replace("yamnet-audioset", BACKBONE), comments=True)[1:]
        if words[0] not in {f"audioclf {one}".split()[1] for one in TRAIN}:
            continue
        if "--push" in words:  # to the Hub: test_bundle has one of its own
            continue
        if "--name" in words:  # several lines make the same one
            new = words[words.index("--name") + 1]
            shutil.rmtree(documented_files / "checkpoints" / new, ignore_errors=True)
        for option, value in SHORT[line.split()[1]].items():
            words += [option, value] if option in words or option != FURTHER else []
        assert cli.main(words) == 0, line
        assert capsys.readouterr().out.strip(), line
        done.append(line.split()[1])
    assert set(done) == TRAIN
    names = {path.name for path in (documented_files / "checkpoints").iterdir()}
    assert {"my-model", "my-cnn", "my-cldnn", "my-ensemble"} <= names
    assert (documented_files / "my-model.zip").is_file()


def test_the_python_of_the_pages_runs(
    documented_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    n_run = 0
    for _, body in blocks("python"):
        ast.parse(body)
        if "gradio_client" in body:
            endpoint = re.findall(r'api_name="(/\w+)"', body)
            assert f"| `{endpoint[0]}` |" in PAGES["docs/api.md"]
            continue
        exec(compile(body, "page", "exec"), {})
        assert capsys.readouterr().out.strip()
        n_run += 1
    assert n_run == 2


def slugs(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", PAGES[name])):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists() and aim.is_relative_to(ROOT), target
        if anchor:
            assert anchor in slugs(aim.read_text("utf-8")), target


def test_every_page_is_reached_from_the_contents() -> None:
    contents = PAGES["docs/index.md"]
    for path in (ROOT / "benchmarks").glob("*.md"):
        assert re.search(rf"^/benchmarks/{path.stem}$", contents, re.MULTILINE), path.name
    for path in (ROOT / "docs").glob("*.md"):
        if path.name != "index.md":
            assert f"({path.name})" in contents
            assert re.search(rf"^{path.stem}$", contents, re.MULTILINE)
            assert f"(docs/{path.name})" in PAGES["README.md"] or path.name == "contributing.md"


def test_pictures_are_there_and_all_are_shown() -> None:
    shown = {
        (ROOT / name).parent.joinpath(target).resolve()
        for name, text in PAGES.items()
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    }
    assert shown == set((ROOT / "docs" / "images").iterdir())
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in shown)


def test_the_table_of_variables_is_complete() -> None:
    table = PAGES["docs/deployment.md"].split("## Variables")[1]
    documented = set(re.findall(r"^\| `(AUDIOCLF_\w+)`", table, re.MULTILINE))
    files = [*(ROOT / "audioclf").rglob("*.py"), ROOT / "app.py"]
    code = "\n".join(path.read_text("utf-8") for path in files)
    read = set(re.findall(r"\bAUDIOCLF_[A-Z_]+", code))
    prefixes = tuple(name for name in read if name.endswith("_"))  # of names put together
    assert read - set(prefixes) <= documented
    assert all(one in read or one.startswith(prefixes) for one in documented)
    pages = "\n".join(text for name, text in PAGES.items() if name != "CHANGELOG.md")
    assert set(re.findall(r"AUDIOCLF_[A-Z_]+", pages)) == documented


def test_generated_parts_are_known_and_used() -> None:
    used = [block[1] for text in PAGES.values() for block in make_docs.BLOCK.findall(text)]
    assert sorted(used) == sorted(make_docs.PARTS)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_quickly_generated_parts_are_up_to_date(name: str) -> None:
    assert make_docs.render(PAGES[name], make_docs.QUICK) == PAGES[name], "make docs-pages"


def test_docstrings_of_the_api_name_every_parameter_field_and_result() -> None:
    for function in itertools.chain.from_iterable(members for _, members in make_docs.API):
        name = f"{function.__module__}.{function.__name__}"
        sections = make_docs.sections(function)
        if dataclasses.is_dataclass(function):
            fields = [field.name for field in dataclasses.fields(function)]
            assert list(sections["Attributes"]) == fields, name
        else:
            signature = inspect.signature(function)
            assert list(sections.get("Parameters", {})) == list(signature.parameters), name
            has_result = "Returns" in sections or "Yields" in sections
            assert has_result == (signature.return_annotation is not None), name
        entries = [text for section in sections.values() for text in section.values()]
        assert all(text.endswith(".") for text in entries if text), name
        assert all(sections[title] for title in sections), name
        summary = (inspect.getdoc(function) or "").splitlines()[0]
        assert len(summary) <= 100 and summary.endswith(".") and "Raises" not in summary, name


@pytest.mark.slow
@pytest.mark.parametrize("part", sorted(make_docs.SLOW))
def test_slowly_generated_parts_are_up_to_date(part: str) -> None:
    parts = {part: make_docs.SLOW[part]}
    old = [name for name, text in PAGES.items() if make_docs.render(text, parts) != text]
    assert old == [], "make docs-pages"


def test_a_page_that_is_out_of_date_is_seen() -> None:
    page = "<!-- generated: formats -->\nold\n<!-- end -->\n"
    assert "audiofolder" in make_docs.render(page, make_docs.QUICK)
    assert make_docs.render(page, {}) == page


def test_the_walks_are_short_and_enter_no_package_twice() -> None:
    design = PAGES["docs/design.md"]
    walks = [body for _, name, body, _ in make_docs.BLOCK.findall(design) if name.endswith("walk")]
    assert len(walks) == 2
    for walk in walks:
        packages = re.findall(r"^\d+\. `\w+` in \[`audioclf\.(\w+)", walk, re.MULTILINE)
        assert 5 <= len(packages) <= 10
        entered = [package for package, _ in itertools.groupby(packages)]
        assert len(entered) == len(set(entered))


def test_citation_and_changes_know_the_project() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "license"} <= set(cited)
    assert f'license = "{cited["license"]}"' in (ROOT / "pyproject.toml").read_text()
    assert f"## {__version__}" in PAGES["CHANGELOG.md"]
    assert cited["references"][0]["doi"] in PAGES["docs/model-zoo.md"]


def test_the_hooks_are_the_first_part_of_the_checks() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    rule = (ROOT / "Makefile").read_text().split("\ncheck:")[1].split("\n\n")[0]
    checks = [line.strip().replace("$(BIN)", ".venv/bin") for line in rule.splitlines()[1:]]
    linters = [check for check in checks if "pytest" not in check and check.startswith(".venv/bin")]
    assert [hook["entry"] for hook in hooks] == linters


@pytest.mark.slow
def test_the_documents_are_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("furo", reason="requirements-docs.txt is not installed: make docs")
    build = [sys.executable, "-m", "sphinx", "-W", "-q", "-c", "docs", ".", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True)
    assert "predict_file" in (tmp_path / "docs" / "api.html").read_text("utf-8")
