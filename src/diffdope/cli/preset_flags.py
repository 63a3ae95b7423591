"""The numbers of a preset as command-line flags, with preset and YAML as their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import tyro

from diffdope.cli.flag_types import parse as parse_words
from diffdope.cli.help_text import HELP, long_help, parsed
from diffdope.cli.levels import REGISTRY
from diffdope.cli.overrides import read_settings
from diffdope.cli.renamed import current_flags
from diffdope.errors import expected
from diffdope.pipelines.settings import DEFAULT, CropSettings, DescentSettings, Preset, SearchSettings
from diffdope.pipelines.settings import preset as find_preset
from diffdope.terms.registry import ObjectiveSettings

T = TypeVar("T")


@dataclass(frozen=True)
class Numbers:
    """Every number of the preset; what is not given keeps the preset's value."""

    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    descent: DescentSettings = field(default_factory=DescentSettings)
    crop: CropSettings = field(default_factory=CropSettings)
    search: SearchSettings = field(default_factory=SearchSettings)

    def preset(self, name: str) -> Preset:
        """The preset of that name with these numbers.

        Raises:
            DiffDopeError: if one was changed that its solver does not use: nobody would notice.
        """
        base = find_preset(name)
        unused, given = ("descent", self.descent) if base.solver == "newton" else ("search", self.search)
        if given != getattr(base, unused):
            cure = "give --preset paper" if unused == "descent" else "choose another preset"
            raise expected(unused, f"no numbers for preset {name!r}, whose solver is {base.solver}", "some", cure)
        if base.solver == "newton" and self.crop.size != base.crop.size:
            raise expected("crop.size", "none", self.crop.size, "each level has its own: see search.near.sizes")
        return replace(base, objective=self.objective, crop=self.crop, descent=self.descent, search=self.search)


def default_numbers(arguments: list[str]) -> Numbers:
    """Preset and YAML are looked up before all other flags, since they are the defaults of these."""
    base = find_preset(early(arguments, "--preset") or DEFAULT)
    settings = early(arguments, "--settings")
    if settings is not None:
        base = read_settings(Path(settings), base)
    return Numbers(base.objective, base.descent, base.crop, base.search)


def parse_flags(kind: type[T], arguments: list[str], *, prog: str, default: T | None = None, about: str = "") -> T:
    """Reads the flags of a command that has numbers of a preset among them.

    Args:
        kind: a frozen dataclass.
        arguments: words of the command line; old names of settings will do.
        prog: the command, for messages.
        default: what is not given.
        about: heads the help, in place of the docstring of `kind`.
    """

    def parse(words: list[str]) -> T:
        return parse_words(  # type: ignore[no-any-return]
            kind, current_flags(words), prog=prog, description=about or None, registry=REGISTRY,
            default=tyro.MISSING_NONPROP if default is None else default,
        )  # fmt: skip

    if about:  # a study, whose options are all its own
        with long_help(["--help-all"] if any(word in HELP for word in arguments) else arguments) as words:
            return parse(words)
    return parsed(kind, arguments, prog, parse)  # type: ignore[no-any-return]


def early(arguments: list[str], flag: str) -> str | None:
    """The word given for a flag."""
    for k, word in enumerate(arguments):
        if word == flag and k + 1 < len(arguments):
            return arguments[k + 1]
        if word.startswith(flag + "="):
            return word.split("=", 1)[1]
    return None
