"""Tab completion: `diffdope --completion bash` (zsh, fish) prints a script that the shell reads."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import tyro

from diffdope.cli.commands import BOP_COMMANDS, COMMANDS, Command
from diffdope.cli.levels import PyramidLists
from diffdope.cli.lists import flag_of
from diffdope.errors import check_choice
from diffdope.search.levels import PyramidSettings

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
    found: dict[str, list[str]] = {}
    for name, command in COMMANDS.items():
        found[name] = [*BOP_COMMANDS, "--help"] if name == "bop" else _options(command)
    return found | {f"bop {name}": _options(command) for name, command in BOP_COMMANDS.items()}


def _options(command: Command) -> list[str]:
    names = flags_of(getattr(command.load(), command.arguments)) if command.arguments else []
    return [*names, "--help", "--help-all"]


def flags_of_command(words: Sequence[str]) -> list[str]:
    """The options of the command that these words begin with; none where they begin with none.

    Args:
        words: of a command line, without the program.
    """
    table = BOP_COMMANDS if words[:1] == ["bop"] else COMMANDS
    command = table.get(words[1] if table is BOP_COMMANDS and len(words) > 1 else words[0]) if words else None
    return [] if command is None else _options(command)


def flags_of(kind: Any, prefix: str = "") -> list[str]:
    """All options of a dataclass, those of the preset's numbers among them."""
    kind = PyramidLists if kind is PyramidSettings else kind  # whose levels are lists on the command line
    hints, found = typing.get_type_hints(kind, include_extras=True), []
    for field in fields(kind):
        hint, name = hints[field.name], flag_of(field.name)
        if typing.get_origin(hint) is typing.Annotated:
            if tyro.conf.Positional in hint.__metadata__:
                continue
            hint = typing.get_args(hint)[0]
        if is_dataclass(hint):
            inner = "" if field.name == "numbers" else f"{prefix}{name}."
            found += flags_of(hint, inner)
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
