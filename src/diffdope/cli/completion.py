"""Tab completion: `diffdope --completion bash` (zsh, fish) prints a script that the shell reads."""

from __future__ import annotations

import importlib
import typing
from dataclasses import fields, is_dataclass
from typing import Any

from diffdope.errors import check_choice

_WITH_MORE = ("locate", "refine", "scene", "track", "bop refine")  # whose --help is short
SHELLS = ("bash", "zsh", "fish")
_BASH = """_diffdope() {
    local word="${COMP_WORDS[COMP_CWORD]}" words=""
    case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
CASES
        *) [ "$COMP_CWORD" -eq 1 ] && words="COMMANDS --help --version" ;;
    esac
    if [[ "$word" == -* || "$COMP_CWORD" -eq 1 || ( "${COMP_WORDS[1]}" == bop && "$COMP_CWORD" -eq 2 ) ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -o filenames -F _diffdope diffdope
"""


def script(shell: str) -> str:
    """The script for a shell.

    Raises:
        DiffDopeError: if it is none of those known.
    """
    check_choice("completion", shell, SHELLS)
    known = options()
    if shell == "fish":
        return _fish(known)
    cases = "\n".join(f'        "{name}"*) words="{" ".join(words)}" ;;' for name, words in _longest_first(known))
    tops = " ".join(dict.fromkeys(name.split()[0] for name in known))
    bash = _BASH.replace("CASES", cases).replace("COMMANDS", tops)
    return bash if shell == "bash" else "autoload -U +X bashcompinit && bashcompinit\n" + bash


def options() -> dict[str, list[str]]:
    """Of each command, such as "bop eval", its options and sub-commands."""
    from diffdope.cli import bop
    from diffdope.cli.main import COMMANDS

    found: dict[str, list[str]] = {}
    for name, (module, _) in COMMANDS.items():
        found[name] = [*bop.COMMANDS, "--help"] if name == "bop" else _options(name, module)
    return found | {f"bop {name}": _options(f"bop {name}", module) for name, (module, _) in bop.COMMANDS.items()}


def _options(name: str, module: str) -> list[str]:
    kind = getattr(importlib.import_module(module), "Arguments", None)
    names = _flags(kind) if kind is not None else []
    return [*names, "--help", *(["--help-all"] if name in _WITH_MORE else [])]


def _flags(kind: Any, prefix: str = "") -> list[str]:
    """All options of a dataclass, those of the preset's numbers among them."""
    hints, found = typing.get_type_hints(kind), []
    for field in fields(kind):
        hint, name = hints[field.name], field.name.replace("_", "-")
        if is_dataclass(hint):
            inner = "" if field.name == "numbers" else f"{prefix}{name}."
            found += _flags(hint, inner)
        elif hint is bool:
            found += [f"--{prefix}{name}", f"--{prefix}no-{name}"]
        else:
            found.append(f"--{prefix}{name}")
    return found


def _longest_first(known: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return sorted(known.items(), key=lambda item: -len(item[0]))


def _fish(known: dict[str, list[str]]) -> str:
    tops = " ".join(dict.fromkeys(name.split()[0] for name in known))
    lines = [f'complete -c diffdope -n "__fish_use_subcommand" -a "{tops}"']
    for name, words in known.items():
        seen = " and ".join(f"__fish_seen_subcommand_from {word}" for word in name.split()).replace(" and ", "; and ")
        plain = [word for word in words if not word.startswith("-")]
        if plain:
            lines.append(f'complete -c diffdope -n "{seen}" -a "{" ".join(plain)}"')
        lines += [f'complete -c diffdope -n "{seen}" -l {word[2:]}' for word in words if word.startswith("--")]
    return "\n".join(lines) + "\n"
