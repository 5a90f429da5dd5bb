"""Read the table of mistakes in problems.txt; its format is described there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PROBLEMS = Path(__file__).with_name("problems.txt")


@dataclass(frozen=True)
class ProblemCase:
    """Edits of the valid configuration, and the problems that they cause. line: in problems.txt."""

    line: int
    edits: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def apply(self, config: Path) -> None:
        """Edit the files of a configuration directory."""
        for edit in self.edits:
            _apply(config, edit)


def read_cases() -> list[ProblemCase]:
    """All cases, in the order of the file."""
    cases: list[ProblemCase] = []
    ended = True
    for number, line in enumerate(PROBLEMS.read_text("utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            ended = True
        elif line.startswith("    "):
            cases[-1].problems.append(line.strip())
            ended = True
        else:
            if ended:
                cases.append(ProblemCase(number))
                ended = False
            cases[-1].edits.append(line)
    return cases


def _apply(config: Path, edit: str) -> None:
    name, operator, text = [*edit.split(" ", 2), ""][:3]
    general = name.split(".")[0] in ("monitor", "network", "networks", "alerts", "maintenance")
    path = config / name if general else config / "sites" / name
    text = text.replace("\\n", "\n")
    before = path.read_text("utf-8") if path.is_file() else ""
    match operator:
        case "=":
            path.write_text(text, "utf-8")
        case "+":
            path.write_text(f"{before}{text}\n", "utf-8")
        case "^":
            path.write_text(f"{text}\n{before}", "utf-8")
        case ":":
            old, _, new = text.partition(" =>")
            assert old in before, edit
            path.write_text(before.replace(old, new.removeprefix(" "), 1), "utf-8")
        case ">":
            path.rename(path.with_name(text))
        case "-":
            path.unlink()
        case _:
            raise AssertionError(edit)
