"""The numbers of a preset as command-line flags, with preset and YAML as their defaults."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro
from tyro.constructors import StructConstructorSpec, StructTypeInfo

from diffdope.cli.completion import flags_of
from diffdope.cli.flag_types import parse as parse_words
from diffdope.cli.help_text import HELP, long_help, parsed
from diffdope.cli.levels import REGISTRY
from diffdope.cli.lists import flag_of
from diffdope.cli.overrides import read_settings
from diffdope.cli.renamed import current_flags
from diffdope.errors import expected
from diffdope.pipelines.confidence_file import with_confidence_file
from diffdope.pipelines.settings import DEFAULT, PRESETS, CropSettings, DescentSettings, Preset, SearchSettings
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

    def preset(self, base: Preset) -> Preset:
        """A preset with these numbers.

        Args:
            base: what else it has, solver and tracking.

        Raises:
            DiffDopeError: if a number was changed that the solver does not use: nobody would notice.
        """
        usual, solver = PRESETS.get(base.name, base), base.solver
        unused, given = ("descent", self.descent) if solver == "newton" else ("search", self.search)
        if given != getattr(usual, unused):
            cure = "give --preset paper" if unused == "descent" else "choose another preset"
            raise expected(unused, f"no numbers for preset {base.name!r}, whose solver is {solver}", "some", cure)
        if solver == "newton" and self.crop.size != usual.crop.size:
            raise expected("crop.size", "none", self.crop.size, "each level has its own: see search.near.sizes")
        return replace(base, objective=self.objective, crop=self.crop, descent=self.descent, search=self.search)


@dataclass(frozen=True, kw_only=True)
class PresetFlags:
    """Which numbers a command works with; its arguments are a subclass."""

    preset: str = DEFAULT
    """Complete set of numbers to start from."""
    settings: Path | None = None
    """YAML that changes numbers of the preset, or the result.json of a run, whose numbers are taken; flags win over
    it."""
    confidence_file: Path | None = None
    """File of `bop calibrate`: the confidence as results on data with truth ask for."""
    seed: int = 0
    """Same seed, same result."""
    threads: int | None = None
    """Default: all cores."""


@dataclass(frozen=True, kw_only=True)
class NumbersFlags(PresetFlags):
    """The same, and each number of the preset as a flag."""

    numbers: Annotated[Numbers, tyro.conf.arg(name="", help="")] = field(default_factory=Numbers)

    @property
    def chosen_preset(self) -> Preset:
        """The preset as all these flags have it."""
        base = find_preset(self.preset)
        if self.settings is not None:
            with redirect_stderr(io.StringIO()):  # what is said of old names was said when the flags were read
                base = read_settings(self.settings, base)
        return with_confidence_file(self.numbers.preset(base), self.confidence_file)


def default_numbers(arguments: list[str]) -> Numbers:
    """Preset and YAML are looked up before all other flags, since they are the defaults of these."""
    base = find_preset(early(arguments, "--preset") or DEFAULT)
    settings = early(arguments, "--settings")
    if settings is not None:
        base = read_settings(Path(settings), base)
    return Numbers(base.objective, base.descent, base.crop, base.search)


def parse_flags(kind: type[T], arguments: list[str], *, prog: str, about: str = "") -> T:
    """Reads the flags of a command that has numbers of a preset among them.

    Args:
        kind: a frozen dataclass.
        arguments: words of the command line; old names of settings will do.
        prog: the command, for messages.
        about: heads the help, in place of the docstring of `kind`.
    """
    default: Any = tyro.MISSING_NONPROP
    if issubclass(kind, NumbersFlags):
        needed = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]
        default = kind(**dict.fromkeys(needed, tyro.MISSING), numbers=default_numbers(arguments))

    def parse(words: list[str]) -> T:
        words = current_flags(words)
        found = _without_numbers(kind, words, default)
        if found is not None:
            return found
        return parse_words(  # type: ignore[no-any-return]
            kind, words, prog=prog, description=about or None, registry=REGISTRY,
            default=default,
        )  # fmt: skip

    if about:  # a study, whose options are all its own
        with long_help(["--help-all"] if any(word in HELP for word in arguments) else arguments) as words:
            return parse(words)
    return parsed(kind, arguments, prog, parse)  # type: ignore[no-any-return]


class _Kept(Numbers):
    """Numbers that no word of a command line changes."""


def _kept_as_they_are(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Makes no flags of such numbers."""
    if not isinstance(info.default, _Kept):
        return None
    numbers = Numbers(**{one.name: getattr(info.default, one.name) for one in fields(Numbers)})
    return StructConstructorSpec(instantiate=lambda: numbers, fields=())


REGISTRY.struct_rule(_kept_as_they_are)


def _without_numbers(kind: type[T], words: list[str], default: Any) -> T | None:
    """What the parser makes of words of which none names a number of the preset, in a third of the time.

    None where one does, and for words that it would complain about: of what else there is, it names all options.
    """
    if not issubclass(kind, NumbersFlags) or any(word in HELP for word in words):
        return None
    own = set(flags_of(kind)) - set(flags_of(Numbers))
    if any(word.startswith("-") and flag_of(word.split("=")[0]) not in own for word in words):
        return None
    kept = _Kept(**{one.name: getattr(default.numbers, one.name) for one in fields(Numbers)})
    unheard = io.StringIO()
    try:
        with redirect_stdout(unheard), redirect_stderr(unheard):
            return parse_words(kind, words, registry=REGISTRY, default=replace(default, numbers=kept))  # type: ignore[no-any-return]
    except SystemExit:
        return None


def early(arguments: list[str], flag: str) -> str | None:
    """The word given for a flag."""
    for k, word in enumerate(arguments):
        if word == flag and k + 1 < len(arguments):
            return arguments[k + 1]
        if word.startswith(flag + "="):
            return word.split("=", 1)[1]
    return None
