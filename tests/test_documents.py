"""The Markdown of the project: narrow lines, links that lead somewhere, commands and names that exist.

Dated pages (docs/studies/2026-11-28-...) record what was measured then: their commands and names may be gone.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import pytest

import diffdope
from diffdope.cli.commands import COMMANDS
from diffdope.experiments.registry import MODULES
from diffdope.pipelines.settings import PRESETS
from diffdope.search.levels import LISTS, PyramidSettings
from tests.conftest import PROJECT

WIDEST = 100
NARROW_CELL = 40
"""A row of a table cannot be broken. Where all of its cells are as short as this, it is the number of columns that
makes it long, and it may be; a longer cell belongs into the text."""
MACHINE_PATHS = re.compile(r"(?<![\w.])(/work/|/home/|/root/|/tmp/|/Users/|[A-Z]:\\)")

FOLDERS = ("docs", "src", "tests", "benchmarks", "tools", "examples")
PAGES = sorted({*PROJECT.glob("*.md"), *(page for folder in FOLDERS for page in (PROJECT / folder).rglob("*.md"))})
NAMES = [str(page.relative_to(PROJECT)) for page in PAGES]
PRESENT = [name for name in NAMES if not re.match(r"docs/studies/\d{4}-", name)]
each_page = pytest.mark.parametrize("name", NAMES)
each_present_page = pytest.mark.parametrize("name", PRESENT)


def lines_of(name: str) -> list[str]:
    return (PROJECT / name).read_text(encoding="utf-8").splitlines()


def code_of(lines: list[str]) -> list[str]:
    """Lines of code blocks, fenced (math excepted) or indented; a command that goes on after a backslash is joined."""
    found, fence, before = [], "", ""
    for line in lines:
        if line.lstrip().startswith("```"):
            fence = "" if fence else line.strip()[3:] or "text"
        elif (fence and fence != "math") or (not fence and line.startswith("    ") and not before.strip()):
            found.append(line.strip())
            continue  # a block that is indented goes on
        before = line
    return re.sub(r"\\\n\s*", "", "\n".join(found)).splitlines()


def prose_of(lines: list[str]) -> str:
    """All but code blocks."""
    kept, inside = [], False
    for line in lines:
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside and not line.startswith("    "):
            kept.append(line)
    return "\n".join(kept)


def is_too_long(line: str) -> bool:
    cells = line.strip().strip("|").split("|")
    row = line.lstrip().startswith("|") and max(len(cell.strip()) for cell in cells) <= NARROW_CELL
    return len(line) > WIDEST and not row


def test_there_are_pages() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/cost.md", "docs/glossary.md", "docs/api.md"} <= set(NAMES)


@each_page
def test_lines_are_narrow(name: str) -> None:
    wide = [f"{k}: {line[:60]}..." for k, line in enumerate(lines_of(name), 1) if is_too_long(line)]
    assert not wide, f"{name}: lines of more than {WIDEST} characters:\n" + "\n".join(wide)


def test_a_wide_line_and_a_wide_cell_are_found() -> None:
    assert is_too_long("x" * 101)
    assert is_too_long(f"| {'x' * 41} | {'x' * 70} |")
    assert not is_too_long("x" * 100)
    assert not is_too_long("|" + " 0.57 / 1.90 |" * 12)


@each_page
def test_no_page_names_a_path_of_a_machine(name: str) -> None:
    found = [line for line in lines_of(name) if MACHINE_PATHS.search(line)]
    assert not found, f"{name}: {found}"


@each_page
def test_rows_of_a_table_have_equal_numbers_of_cells(name: str) -> None:
    """A bar inside a cell splits it, in code and formulas too, unless it is escaped."""
    count, lines = 0, lines_of(name)
    for number, line in enumerate(lines, 1):
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.lstrip().startswith("|") else 0
        assert not cells or not count or cells == count, f"{name}: line {number} has {cells - 1} cells, not {count - 1}"
        count = cells


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)
    return set(kept)


@each_page
def test_links_lead_to_files_and_headings(name: str) -> None:
    page = PROJECT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(lines_of(name))):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name}: the link {target} leads to no file"
        assert not anchor or anchor in anchors(file), f"{name}: {target}: no such heading"


def test_every_page_of_the_documents_is_linked() -> None:
    linked = set()
    for name in NAMES:
        for target in re.findall(r"\]\(([^)\s#]+)", prose_of(lines_of(name))):
            if "://" not in target:
                linked.add((PROJECT / name).parent.joinpath(target).resolve())
    docs = {page for page in PAGES if page.is_relative_to(PROJECT / "docs")}
    missing = {str(page.relative_to(PROJECT)) for page in docs - linked if page.name != "README.md"}
    assert not missing, f"no page links to {sorted(missing)}"


def test_pictures_are_small() -> None:
    pictures = [file for file in (PROJECT / "docs").rglob("*") if file.suffix in (".png", ".jpg", ".gif", ".svg")]
    assert (PROJECT / "docs" / "pictures" / "before_after.png") in pictures
    assert not [file.name for file in pictures if file.stat().st_size > 200_000]


@cache
def words_of(*folders: str) -> frozenset[str]:
    """Words of the code."""
    files = (file for folder in folders for file in (PROJECT / folder).rglob("*.py"))
    return frozenset(word for file in files for word in re.findall(r"\w+", file.read_text(encoding="utf-8")))


def module_exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def check_command(command: str) -> None:
    """Fails if a command line names a module, a command, a study, a file or a flag that does not exist."""
    for line in re.split(r"&&|\|(?!\|)|;", command):
        words = line.split()
        if words[:2] == ["python", "-m"]:
            assert module_exists(words[2]), f"no module {words[2]}"
        elif words[:1] == ["python"] and len(words) > 1 and words[1].endswith(".py"):
            assert (PROJECT / words[1]).exists(), f"no file {words[1]}"
        elif words[:1] == ["pytest"]:
            for path in (word for word in words[1:] if "/" in word):
                assert (PROJECT / path.partition("::")[0]).exists(), f"no tests {path}"
            continue
        elif words[:1] == ["diffdope"] and len(words) > 1:
            assert words[1] in COMMANDS or words[1].startswith("-"), f"no command {words[1]}"
            if words[1] == "experiment" and len(words) > 2 and words[2] != "NAME":
                assert words[2] in MODULES, f"no study {words[2]}"
        else:
            continue
        for flag in re.findall(r"--([a-z][\w.-]*)", line):
            last = flag.rpartition(".")[2].replace("-", "_")
            known = words_of("src", "benchmarks", "tools")
            assert last in known or set(last.split("_")) <= known, f"no flag --{flag}"


@each_present_page
def test_commands_name_what_exists(name: str) -> None:
    for command in code_of(lines_of(name)):
        check_command(command)


@pytest.mark.parametrize(
    "command",
    [
        "python -m benchmarks.nothing",
        "python tools/nothing.py",
        "diffdope nothing",
        "diffdope experiment nothing",
        "pytest tests/nothing",
        "python -m benchmarks.accuracy --zyxqwv 3",
    ],
)
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    with pytest.raises(AssertionError, match="no "):
        check_command(command)


@each_present_page
def test_python_in_pages_parses_and_uses_public_names(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        tree = ast.parse(block)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "dd":
                assert node.attr in diffdope.__all__, f"{name}: dd.{node.attr} is not public"


@each_present_page
def test_names_in_pages_exist_in_the_code(name: str) -> None:
    """Of `an.identifier` or `call()`, the last part is a word of the code; file names and flags are not looked at."""
    if name == "CHANGELOG.md":  # it names what was renamed
        return
    known = words_of("src", "tests", "benchmarks", "tools", "examples")
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"\$`.*?`\$", "", prose_of(lines_of(name)), flags=re.DOTALL))
    found = [span for span in spans if re.fullmatch(r"[A-Za-z_][\w.]+\w(\(\))?", span) and "_" in span]
    unknown = [span for span in found if span.removesuffix("()").rpartition(".")[2] not in known]
    assert not unknown, f"{name}: {unknown}"


def settings_of(owner: object, above: str = "") -> Iterator[str]:
    """Names of settings, and of those within them, as commands and settings files have them."""
    for one in fields(owner):  # type: ignore[arg-type]
        value, name = getattr(owner, one.name), above + one.name
        yield name
        if isinstance(value, PyramidSettings):
            yield from (f"{name}.{part}" for part in LISTS)
        if is_dataclass(value):
            yield from settings_of(value, f"{name}.")


SETTINGS = frozenset(settings_of(PRESETS["default"]))
MEMBER = re.compile(r"`([A-Z][A-Za-z]*[a-z])\.(\w+)(?:\(\))?`")  # not A.csv


def unknown_settings(text: str) -> list[str]:
    """Of `search.near.first` and the like, those that are no settings."""
    named = re.findall(r"`(?:--)?((?:search|objective|tracking|crop|descent)\.[\w.-]+)`", text)
    return [name for name in named if name.rstrip(".").replace("-", "_") not in SETTINGS]


@cache
def words_beside(owner: str) -> frozenset[str]:
    """Words of the files that define a class."""
    texts = (file.read_text(encoding="utf-8") for file in (PROJECT / "src").rglob("*.py"))
    homes = (text for text in texts if re.search(rf"^class {owner}\b", text, re.MULTILINE))
    return frozenset(word for home in homes for word in re.findall(r"\w+", home))


def unknown_members(text: str) -> list[str]:
    """Of `Class.member`, those whose class or member the code does not have."""
    return [f"{owner}.{member}" for owner, member in MEMBER.findall(text) if member not in words_beside(owner)]


@each_present_page
def test_settings_and_members_in_pages_exist(name: str) -> None:
    if name != "CHANGELOG.md":  # it names what was renamed
        text = prose_of(lines_of(name))
        assert not unknown_settings(text) + unknown_members(text), name


def test_settings_and_members_that_do_not_exist_are_found() -> None:
    text = "`search.near.first` `--search.box.climb.drawn` `search.nearest` `Pose.retract` `Light.removed` `Pose.pull`"
    assert unknown_settings(text) == ["search.nearest"]
    assert unknown_members(text) == ["Light.removed", "Pose.pull"]


def test_the_architecture_has_a_row_for_each_folder_and_each_file_of_joint() -> None:
    page, source = "\n".join(lines_of("docs/architecture.md")), PROJECT / "src" / "diffdope"
    folders = [f"`{one.name}/`" for one in source.iterdir() if one.is_dir() and one.name != "__pycache__"]
    files = [f"`{one.name}`" for one in (source / "joint").glob("*.py") if one.name != "__init__.py"]
    assert [one for one in folders + files if one not in page] == []


def places() -> list[tuple[str, str]]:
    """(module, name) of the table at the end of docs/cost.md."""
    section = "\n".join(lines_of("docs/cost.md")).partition("## Where the code is")[2]
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", section, flags=re.MULTILINE)
    return [(module, name) for module, names in rows for name in re.findall(r"`(\w+)`", names)]


def test_the_cost_page_says_where_its_names_are() -> None:
    found = places()
    assert len(found) > 40
    for module, name in found:
        assert hasattr(importlib.import_module(module), name), f"docs/cost.md: no {name} in {module}"
