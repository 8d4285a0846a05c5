"""Code blocks of the project's Markdown pages, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:<!-- test: (?P<how>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
PLACEHOLDERS = {"N": "1", "T": "1", "FRAME:ID": "1:1", "WIDTH": "64", "HEIGHT": "64"}
"""What stands for a number in a synopsis."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: Path of the page.
        line: Of its fence, from 1.
        language: As the fence names it; empty: a drawing.
        text: What is in it.
        how: The words of a comment ``<!-- test: ... -->`` in the line before, which readers of the
            page do not see.
    """

    page: Path
    line: int
    language: str
    text: str
    how: tuple[str, ...]

    @property
    def file(self) -> str | None:
        """Name of the file that a block says it is, in its first line."""
        named = re.match(r"# (\w+\.py)\b", self.text)
        return named[1] if named else None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start("language")) + 1,
            found["language"],
            found["text"],
            tuple((found["how"] or "").split()),
        )
        for found in FENCE.finditer(text)
    ]


def commands(text: str) -> list[list[str]]:
    """The words of each command of a shell block, without variables set before it."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        for part in " ".join(shlex.quote(word) for word in words).split("'&&'"):
            one = shlex.split(part)
            while one and ASSIGNMENT.fullmatch(one[0]):
                one.pop(0)
            if one:
                found.append(one)
    return found


def arguments(words: list[str]) -> list[str]:
    """Arguments of a tool, those of a synopsis (``[--jobs N]``, ``a|b``, ``...``) filled in."""
    filled = []
    for word in words:
        if "=" not in word:
            word = word.replace("[", "").replace("]", "").split("|")[0]
        word = word.removesuffix("]") if word.count("]") > word.count("[") else word
        if word not in ("", "..."):
            filled.append(PLACEHOLDERS.get(word, word))
    return filled
