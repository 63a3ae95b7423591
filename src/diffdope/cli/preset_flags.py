"""The numbers of a preset as command-line flags, with preset and YAML as their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from diffdope.cli.overrides import read_settings
from diffdope.objective.settings import ObjectiveSettings
from diffdope.refine.settings import CropSettings, DescentSettings, Preset
from diffdope.refine.settings import preset as find_preset


@dataclass(frozen=True)
class Numbers:
    """Every number of the preset; what is not given keeps the preset's value."""

    hypotheses: int = 8
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    descent: DescentSettings = field(default_factory=DescentSettings)
    crop: CropSettings = field(default_factory=CropSettings)

    def preset(self, name: str) -> Preset:
        """The preset of that name with these numbers."""
        return replace(
            find_preset(name),
            hypotheses=self.hypotheses,
            objective=self.objective,
            descent=self.descent,
            crop=self.crop,
        )


def default_numbers(arguments: list[str]) -> Numbers:
    """Preset and YAML are looked up before all other flags, since they are the defaults of these."""
    base = find_preset(early(arguments, "--preset") or "paper")
    settings = early(arguments, "--settings")
    if settings is not None:
        base = read_settings(Path(settings), base)
    return Numbers(base.hypotheses, base.objective, base.descent, base.crop)


def early(arguments: list[str], flag: str) -> str | None:
    """The word given for a flag."""
    for k, word in enumerate(arguments):
        if word == flag and k + 1 < len(arguments):
            return arguments[k + 1]
        if word.startswith(flag + "="):
            return word.split("=", 1)[1]
    return None
