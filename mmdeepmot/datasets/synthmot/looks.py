"""What people wear: one look an identity, drawn independently of where and when they walk."""

from dataclasses import dataclass, replace

import numpy as np

from mmdeepmot.datasets.synthmot.paint import Colour, vary


def _bgr(red: int, green: int, blue: int) -> Colour:
    return (float(blue), float(green), float(red))


SKIN = [
    _bgr(255, 219, 189),
    _bgr(236, 188, 150),
    _bgr(213, 158, 117),
    _bgr(172, 117, 80),
    _bgr(124, 80, 54),
    _bgr(86, 56, 40),
]
HAIR = [
    _bgr(34, 26, 22),
    _bgr(70, 44, 28),
    _bgr(112, 72, 40),
    _bgr(164, 104, 48),
    _bgr(222, 186, 110),
    _bgr(150, 52, 28),
    _bgr(176, 176, 178),
]
TOPS = [
    _bgr(214, 40, 44),
    _bgr(240, 128, 28),
    _bgr(248, 208, 56),
    _bgr(66, 160, 72),
    _bgr(30, 104, 84),
    _bgr(40, 176, 190),
    _bgr(48, 108, 204),
    _bgr(32, 48, 108),
    _bgr(128, 72, 168),
    _bgr(234, 122, 168),
    _bgr(126, 30, 48),
    _bgr(240, 240, 236),
    _bgr(150, 152, 156),
    _bgr(44, 44, 48),
    _bgr(186, 146, 98),
    _bgr(106, 112, 64),
]
BOTTOMS = [
    _bgr(44, 62, 110),
    _bgr(84, 116, 164),
    _bgr(36, 36, 42),
    _bgr(96, 96, 100),
    _bgr(190, 168, 128),
    _bgr(92, 64, 44),
    _bgr(74, 84, 56),
    _bgr(226, 222, 212),
    _bgr(132, 36, 48),
]
SHOES = [_bgr(30, 28, 28), _bgr(240, 240, 240), _bgr(110, 66, 36), _bgr(196, 44, 44)]
BAGS = [_bgr(70, 44, 30), _bgr(28, 28, 32), _bgr(184, 40, 60), _bgr(44, 92, 152), _bgr(90, 120, 60)]

PATTERNS = ("plain", "rows", "columns", "checks", "dots", "gradient", "halves", "sash")
_PATTERN_SHARES = (0.3, 0.14, 0.08, 0.1, 0.08, 0.1, 0.12, 0.08)


@dataclass(frozen=True)
class Look:
    """Everything that makes one person look different from another.

    ``body`` is the height in m, ``build`` a factor of the widths, ``pattern_scale`` the period of
    the pattern in body heights. ``top``: tee, shirt, jacket or coat; ``bottom``: trousers, shorts
    or skirt; ``hair_style``: short, long, bun or bald; ``hat``: none, cap, beanie or sunhat;
    ``bag``: none, backpack, shoulder or hand.
    """

    body: float
    build: float
    skin: Colour
    hair: Colour
    hair_style: str
    hat: str
    hat_colour: Colour
    top: str
    top_colour: Colour
    second_colour: Colour
    pattern: str
    pattern_scale: float
    bottom: str
    bottom_colour: Colour
    shoe_colour: Colour
    bag: str
    bag_colour: Colour


def _pick(rng: np.random.Generator, colours: list[Colour], amount: float = 6) -> Colour:
    return vary(rng, colours[int(rng.integers(len(colours)))], amount)


def sample_look(rng: np.random.Generator) -> Look:
    """A look from the whole wardrobe."""
    first, second = rng.choice(len(TOPS), 2, replace=False)
    return Look(
        body=float(np.clip(rng.normal(1.72, 0.08), 1.5, 1.95)),
        build=float(np.clip(rng.normal(1.0, 0.09), 0.82, 1.25)),
        skin=_pick(rng, SKIN, 4),
        hair=_pick(rng, HAIR),
        hair_style=str(rng.choice(["short", "long", "bun", "bald"], p=[0.46, 0.34, 0.12, 0.08])),
        hat=str(rng.choice(["none", "cap", "beanie", "sunhat"], p=[0.72, 0.12, 0.1, 0.06])),
        hat_colour=_pick(rng, TOPS),
        top=str(rng.choice(["tee", "shirt", "jacket", "coat"], p=[0.3, 0.3, 0.25, 0.15])),
        top_colour=vary(rng, TOPS[int(first)], 8),
        second_colour=vary(rng, TOPS[int(second)], 8),
        pattern=str(rng.choice(PATTERNS, p=_PATTERN_SHARES)),
        pattern_scale=float(rng.uniform(0.045, 0.085)),
        bottom=str(rng.choice(["trousers", "shorts", "skirt"], p=[0.66, 0.14, 0.2])),
        bottom_colour=_pick(rng, BOTTOMS, 8),
        shoe_colour=_pick(rng, SHOES),
        bag=str(rng.choice(["none", "backpack", "shoulder", "hand"], p=[0.5, 0.22, 0.16, 0.12])),
        bag_colour=_pick(rng, BAGS),
    )


def sample_looks(rng: np.random.Generator, count: int, lookalike: float) -> list[Look]:
    """Looks of a sequence's people.

    With probability ``lookalike`` a person wears one of the sequence's three uniforms (the same
    clothes, pattern and build; only skin, hair, bag and body height are their own), so that some
    pairs look nearly the same.
    """
    uniforms = [sample_look(rng) for _ in range(3)]
    looks = []
    for _ in range(count):
        look = sample_look(rng)
        uniform = uniforms[int(rng.integers(len(uniforms)))]
        if rng.uniform() < lookalike:
            look = replace(
                uniform,
                body=look.body,
                skin=look.skin,
                hair=look.hair,
                hair_style=look.hair_style,
                bag=look.bag,
                top_colour=vary(rng, uniform.top_colour, 4),
                bottom_colour=vary(rng, uniform.bottom_colour, 4),
            )
        looks.append(look)
    return looks
