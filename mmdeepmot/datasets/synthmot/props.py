"""Front views of what stands or drives in a street; each painter fills a sheet in metres."""

from collections.abc import Callable

import numpy as np

from mmdeepmot.datasets.synthmot.paint import Colour, Sheet, shade, vary

Painter = Callable[[np.random.Generator, Sheet, float], None]

# Area of each kind's sheet beyond its width, m: (sideways, height above the ground).
_ROOM: dict[str, tuple[float, float]] = {
    "pillar": (0.2, 6.0),
    "column": (0.3, 3.5),
    "tree": (1.6, 6.5),
    "lamp": (0.6, 5.2),
    "kiosk": (0.5, 3.0),
    "planter": (0.3, 1.4),
    "car": (0.3, 1.8),
    "van": (0.3, 2.7),
    "phone": (0.2, 2.7),
    "bench": (0.2, 1.1),
    "post": (0.3, 1.5),
}
_PAINTS: list[Colour] = [
    (44, 44, 180),
    (150, 90, 40),
    (226, 226, 224),
    (60, 58, 56),
    (90, 130, 70),
    (40, 170, 220),
    (150, 150, 156),
    (120, 60, 70),
]
_METAL: Colour = (62, 66, 62)


def _pillar(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    colour = vary(rng, (150, 160, 170), 12)
    half = width / 2
    sheet.rect(-half, 0, half, 6.0, colour)
    sheet.rect(-half, 0, -half * 0.55, 6.0, shade(colour, 1.15))
    sheet.rect(half * 0.5, 0, half, 6.0, shade(colour, 0.78))
    sheet.rect(-half - 0.06, 0, half + 0.06, 0.35, shade(colour, 0.7))
    poster = vary(rng, _PAINTS[int(rng.integers(len(_PAINTS)))], 20)
    sheet.rect(-half * 0.7, 1.2, half * 0.7, 1.9, poster)
    sheet.rect(-half * 0.5, 1.65, half * 0.5, 1.8, shade(poster, 1.6))


def _column(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    sheet.rect(-half, 0, half, 2.7, (120, 130, 126))
    y = 0.4
    while y < 2.3:
        height = rng.uniform(0.5, 0.85)
        x = -half
        while x < half - 0.1:
            w = float(min(rng.uniform(0.35, 0.6), half - x))
            poster = vary(rng, _PAINTS[int(rng.integers(len(_PAINTS)))], 30)
            sheet.rect(x + 0.02, y, x + w - 0.02, min(y + height - 0.04, 2.5), poster)
            sheet.disc(x + w / 2, min(y + height * 0.55, 2.35), w * 0.22, shade(poster, 1.5))
            sheet.rect(x + 0.06, y + 0.06, x + w - 0.06, y + 0.14, shade(poster, 0.5))
            x += w
        y += height
    sheet.rect(-half - 0.06, 0, half + 0.06, 0.32, (58, 74, 58))
    sheet.polygon(
        [(-half - 0.14, 2.65), (half + 0.14, 2.65), (half * 0.4, 3.1), (-half * 0.4, 3.1)],
        (58, 82, 60),
    )
    sheet.disc(0, 3.18, 0.12, (70, 96, 72))


def _tree(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    bark = vary(rng, (52, 72, 96), 8)
    half = width / 2
    sheet.ellipse(0, 0.0, half * 2.2, 0.12, (50, 62, 74))
    sheet.polygon([(-half * 1.2, 0), (half * 1.2, 0), (half * 0.8, 3.4), (-half * 0.8, 3.4)], bark)
    sheet.polygon(
        [(half * 0.2, 0), (half * 1.2, 0), (half * 0.8, 3.4), (half * 0.2, 3.4)], shade(bark, 0.75)
    )
    sheet.capsule((0, 3.0), (-0.9, 4.0), 0.12, 0.06, bark)
    sheet.capsule((0, 3.0), (0.8, 4.1), 0.12, 0.06, shade(bark, 0.8))
    leaf = vary(rng, (60, 130, 90), 14)
    for factor, count, spread in ((0.62, 26, 1.3), (0.85, 30, 1.25), (1.08, 26, 1.1)):
        for _ in range(count):
            angle, distance = rng.uniform(0, 2 * np.pi), spread * np.sqrt(rng.uniform())
            x, y = distance * np.cos(angle), 4.4 + 1.05 * distance * np.sin(angle)
            lift = 0.12 * (factor - 0.8)
            sheet.disc(
                x - lift, y + lift, rng.uniform(0.16, 0.42), shade(vary(rng, leaf, 7), factor)
            )


def _lamp(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    sheet.capsule((0, 0.1), (0, 4.4), half * 0.8, half * 0.5, _METAL)
    sheet.rect(-half * 1.6, 0, half * 1.6, 0.5, shade(_METAL, 0.8))
    sheet.rect(-half, 0.5, half, 0.75, shade(_METAL, 1.2))
    sheet.polygon([(-0.2, 4.4), (0.2, 4.4), (0.28, 4.85), (-0.28, 4.85)], (196, 224, 236))
    sheet.polygon([(-0.32, 4.83), (0.32, 4.83), (0.08, 5.05), (-0.08, 5.05)], _METAL)
    if rng.uniform() < 0.4:
        flag = vary(rng, _PAINTS[int(rng.integers(len(_PAINTS)))], 14)
        sheet.rect(half, 2.7, half + 0.5, 3.8, flag)
        sheet.disc(half + 0.25, 3.3, 0.14, shade(flag, 1.6))


def _kiosk(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    body = vary(rng, [(70, 100, 52), (96, 60, 46), (60, 60, 150)][int(rng.integers(3))], 10)
    sheet.rect(-half, 0, half, 2.3, body)
    sheet.rect(-half, 0, half, 0.12, shade(body, 0.6))
    sheet.rect(-half + 0.1, 1.0, half - 0.1, 1.95, (56, 60, 64))
    for i in range(int(width / 0.2) - 1):
        x = -half + 0.14 + 0.2 * i
        goods = vary(rng, _PAINTS[int(rng.integers(len(_PAINTS)))], 26)
        sheet.rect(x, 1.05, x + 0.15, 1.05 + rng.uniform(0.2, 0.32), goods)
        goods = vary(rng, _PAINTS[int(rng.integers(len(_PAINTS)))], 26)
        sheet.rect(x, 1.5, x + 0.15, 1.5 + rng.uniform(0.2, 0.32), goods)
        paper = vary(rng, (200, 206, 210), 18)
        sheet.rect(x, 0.3, x + 0.15, 0.6, paper)
        sheet.rect(x, 0.5, x + 0.15, 0.6, shade(goods, 1.0))
    sheet.rect(-half - 0.05, 0.9, half + 0.05, 1.0, shade(body, 1.4))
    edges = np.linspace(-half - 0.25, half + 0.25, 9)
    for i in range(8):
        colour = body if i % 2 else (228.0, 232.0, 234.0)
        left, right = float(edges[i]), float(edges[i + 1])
        sheet.polygon(
            [(left * 0.86, 2.45), (right * 0.86, 2.45), (right, 2.0), (left, 2.0)],
            shade(colour, 1.1),
        )
    sheet.polygon(
        [(-half, 2.4), (half, 2.4), (half * 0.8, 2.75), (-half * 0.8, 2.75)], shade(body, 0.75)
    )


def _planter(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    box = vary(rng, (110, 124, 138), 12)
    leaf = vary(rng, (56, 116, 80), 14)
    for factor in (0.7, 0.9, 1.1):
        for _ in range(int(width * 14)):
            x, y = rng.uniform(-half * 0.9, half * 0.9), rng.uniform(0.5, 0.95)
            sheet.disc(x, y, rng.uniform(0.06, 0.15), shade(vary(rng, leaf, 8), factor))
    for _ in range(int(width * 7)):
        bloom = [(70, 70, 214), (200, 120, 220), (80, 200, 240), (236, 236, 240)]
        x, y = rng.uniform(-half * 0.85, half * 0.85), rng.uniform(0.6, 1.0)
        sheet.disc(x, y, 0.05, bloom[int(rng.integers(len(bloom)))])
    sheet.polygon([(-half * 0.94, 0), (half * 0.94, 0), (half, 0.55), (-half, 0.55)], box)
    sheet.rect(-half, 0.47, half, 0.56, shade(box, 1.2))


def _wheel(sheet: Sheet, x: float, radius: float) -> None:
    sheet.disc(x, radius, radius, (32, 32, 34))
    sheet.disc(x, radius, radius * 0.58, (150, 150, 154))
    sheet.disc(x, radius, radius * 0.18, (70, 70, 74))


def _car(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    body = vary(rng, _PAINTS[int(rng.integers(len(_PAINTS)))], 10)
    sheet.polygon(
        [
            (-half * 0.62, 0.8),
            (-half * 0.38, 1.36),
            (half * 0.3, 1.38),
            (half * 0.62, 0.85),
        ],
        shade(body, 0.92),
    )
    sheet.polygon(
        [(-half * 0.52, 0.84), (-half * 0.34, 1.28), (-half * 0.03, 1.3), (-half * 0.03, 0.84)],
        (110, 96, 80),
    )
    sheet.polygon(
        [(half * 0.02, 0.84), (half * 0.02, 1.3), (half * 0.26, 1.29), (half * 0.5, 0.84)],
        (120, 106, 88),
    )
    sheet.polygon(
        [
            (-half, 0.3),
            (-half, 0.72),
            (-half * 0.9, 0.84),
            (half * 0.66, 0.88),
            (half * 0.96, 0.72),
            (half, 0.3),
        ],
        body,
    )
    sheet.rect(-half * 0.98, 0.62, half * 0.97, 0.67, shade(body, 1.25))
    sheet.rect(-half, 0.26, half, 0.38, shade(body, 0.6))
    sheet.line((0, 0.4), (0, 0.82), 0.03, shade(body, 0.7))
    sheet.rect(half * 0.9, 0.58, half, 0.7, (190, 230, 244))
    sheet.rect(-half, 0.58, -half * 0.93, 0.72, (40, 40, 190))
    for x in (-half * 0.6, half * 0.6):
        _wheel(sheet, x, 0.32)


def _van(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    body = vary(rng, _PAINTS[int(rng.integers(len(_PAINTS)))], 10)
    sheet.polygon(
        [
            (-half, 0.35),
            (-half, 2.3),
            (-half * 0.94, 2.42),
            (half * 0.52, 2.42),
            (half * 0.86, 1.35),
            (half, 1.1),
            (half, 0.35),
        ],
        body,
    )
    sheet.polygon(
        [(half * 0.48, 1.35), (half * 0.48, 2.2), (half * 0.56, 2.2), (half * 0.8, 1.35)],
        (116, 100, 82),
    )
    sheet.rect(-half * 0.92, 1.05, half * 0.4, 1.25, shade(body, 0.7))
    sheet.rect(-half, 0.3, half, 0.45, shade(body, 0.55))
    sheet.rect(half * 0.94, 0.75, half, 0.95, (190, 230, 244))
    sheet.rect(-half, 0.8, -half * 0.95, 1.2, (40, 40, 190))
    for x in (-half * 0.62, half * 0.64):
        _wheel(sheet, x, 0.36)


_VAN_WORDS = ["EXPRESS", "FRESH", "MILK", "PARCELS", "MUSIC", "GARDEN"]


def _phone(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    body = vary(rng, (46, 40, 176), 10) if rng.uniform() < 0.6 else vary(rng, (130, 90, 40), 10)
    sheet.rect(-half, 0, half, 2.45, body)
    sheet.rect(-half, 2.42, half, 2.55, shade(body, 0.7))
    for row in range(5):
        for column in range(3):
            w = width * 0.22
            x = -half + width * 0.13 + column * width * 0.26
            sheet.rect(x, 0.35 + row * 0.36, x + w, 0.63 + row * 0.36, (128, 116, 100))
    sheet.rect(-half * 0.8, 2.2, half * 0.8, 2.38, (220, 232, 236))


def _bench(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    wood = vary(rng, (62, 98, 140), 10)
    for x in (-half * 0.8, half * 0.8):
        sheet.rect(x - 0.04, 0, x + 0.04, 0.9, _METAL)
    for y in (0.42, 0.58, 0.72, 0.86):
        sheet.rect(-half, y, half, y + 0.09, shade(wood, 0.8 + 0.3 * y))


def _post(rng: np.random.Generator, sheet: Sheet, width: float) -> None:
    half = width / 2
    box = vary(rng, (40, 190, 236) if rng.uniform() < 0.5 else (70, 110, 60), 8)
    sheet.rect(-0.04, 0, 0.04, 0.6, _METAL)
    sheet.rect(-half, 0.5, half, 1.2, box)
    sheet.rect(-half * 0.7, 1.0, half * 0.7, 1.06, shade(box, 0.4))


_PAINTERS: dict[str, Painter] = {
    "pillar": _pillar,
    "column": _column,
    "tree": _tree,
    "lamp": _lamp,
    "kiosk": _kiosk,
    "planter": _planter,
    "car": _car,
    "van": _van,
    "phone": _phone,
    "bench": _bench,
    "post": _post,
}


def draw_prop(kind: str, width: float, variant: int, scale: float, mirrored: bool = False) -> Sheet:
    """A thing on a sheet whose origin is the middle of its foot, ``scale`` px a metre.

    Args:
        kind: A key of the painters.
        width: Of its foot, m.
        variant: Seed of its colours and details.
        scale: Pixels a metre.
        mirrored: Vehicles look to the right; with this to the left (lettering stays readable).
    """
    side, height = _ROOM[kind]
    half = width / 2 + side
    sheet = Sheet(-half, half, -0.2, height, scale)
    rng = np.random.default_rng(variant)
    _PAINTERS[kind](rng, sheet, width)
    if mirrored:
        sheet.pixels = np.ascontiguousarray(sheet.pixels[:, ::-1])
    if kind == "van":
        words = _VAN_WORDS[int(rng.integers(len(_VAN_WORDS)))]
        row, column = int((sheet.top - 1.8) * scale), sheet.pixels.shape[1] // 2
        ink = 238.0 if sheet.pixels[row, column, :3].mean() < 140 else 60.0
        sheet.text(width * (-0.13 if mirrored else -0.4), 1.58, 0.36, words, (ink, ink, ink))
    return sheet
