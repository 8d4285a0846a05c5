"""The line of houses behind a street: walls, shops, windows, alleys; a strip of sky above."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.camera import Camera
from mmdeepmot.datasets.synthmot.layout import Layout
from mmdeepmot.datasets.synthmot.paint import (
    Colour,
    Image,
    Sheet,
    mix_colours,
    noise_field,
    shade,
    vary,
)

_WALLS: list[Colour] = [
    (150, 176, 204),
    (128, 152, 190),
    (96, 118, 168),
    (176, 190, 196),
    (160, 172, 160),
    (186, 180, 170),
    (120, 160, 188),
    (150, 150, 184),
    (104, 112, 128),
]
_AWNINGS: list[Colour] = [
    (60, 60, 160),
    (96, 110, 50),
    (120, 84, 40),
    (40, 120, 180),
    (90, 60, 110),
    (70, 70, 70),
]
_SIGNS = [
    "BAKERY",
    "BOOKS",
    "CAFE",
    "FLOWERS",
    "BANK",
    "TOYS",
    "PHARMACY",
    "HOTEL",
    "MARKET",
    "OPTIC",
    "RECORDS",
    "BIKES",
    "PIZZA",
    "TAILOR",
    "TEA",
    "CINEMA",
]
_TOP = 9.0  # height of what is painted of a house, m


def _window(
    rng: np.random.Generator, sheet: Sheet, x: float, y: float, w: float, h: float, frame: Colour
) -> None:
    """A window with its lower left corner at (x, y)."""
    sheet.rect(x - 0.09, y - 0.09, x + w + 0.09, y + h + 0.09, frame)
    glass = vary(rng, (120, 104, 84), 10)
    sheet.rect(x, y, x + w, y + h, glass)
    sheet.polygon(
        [(x, y + h * 0.3), (x + w * 0.75, y + h), (x + w * 0.35, y + h), (x, y + h * 0.6)],
        shade(glass, 1.22),
    )
    if rng.uniform() < 0.55:
        curtain = vary(rng, (196, 204, 210), 12)
        sheet.rect(x, y, x + w * 0.2, y + h, curtain)
        sheet.rect(x + w * 0.8, y, x + w, y + h, curtain)
    sheet.line((x + w / 2, y), (x + w / 2, y + h), 0.06, frame)
    sheet.line((x, y + h * 0.6), (x + w, y + h * 0.6), 0.05, frame)
    sheet.rect(x - 0.16, y - 0.17, x + w + 0.16, y - 0.07, shade(frame, 0.82))
    if rng.uniform() < 0.3:
        sheet.rect(x - 0.05, y - 0.1, x + w + 0.05, y + 0.12, (50, 66, 96))
        for _ in range(int(w * 14)):
            bloom = [(60, 60, 200), (90, 120, 240), (180, 110, 210), (70, 150, 80)]
            colour = bloom[int(rng.integers(len(bloom)))]
            sheet.disc(x + rng.uniform(0, w), y + rng.uniform(0.1, 0.26), 0.06, colour)


def _shop(rng: np.random.Generator, sheet: Sheet, x0: float, x1: float, trim: Colour) -> None:
    """A shop window between x0 and x1 with goods, an awning and a sign."""
    sheet.rect(x0, 0.0, x1, 2.75, trim)
    sheet.rect(x0 + 0.1, 0.45, x1 - 0.1, 2.55, (70, 62, 54))
    lamp = mix_colours((70, 62, 54), (140, 190, 230), rng.uniform(0.15, 0.5))
    sheet.rect(x0 + 0.1, 1.2, x1 - 0.1, 2.55, lamp)
    for level in (0.45, 1.25):
        x = x0 + 0.2
        while x < x1 - 0.4:
            w, h = rng.uniform(0.12, 0.35), rng.uniform(0.15, 0.6)
            goods = vary(rng, _AWNINGS[int(rng.integers(len(_AWNINGS)))], 34)
            if rng.uniform() < 0.5:
                sheet.rect(x, level, x + w, level + h, goods)
            else:
                sheet.ellipse(x + w / 2, level + h / 2, w / 2, h / 2, goods)
            x += w + rng.uniform(0.05, 0.25)
        sheet.rect(x0 + 0.1, level - 0.05, x1 - 0.1, level, shade(trim, 0.6))
    gleam = (x1 - x0) * 0.3
    sheet.line((x0 + gleam, 0.5), (x0 + gleam * 1.9, 2.5), 0.05, (190, 184, 176))
    awning = vary(rng, _AWNINGS[int(rng.integers(len(_AWNINGS)))], 10)
    if rng.uniform() < 0.6:
        count = max(3, int((x1 - x0) / 0.36))
        edges = np.linspace(x0 - 0.1, x1 + 0.1, count + 1)
        for i in range(count):
            colour = awning if i % 2 else (222.0, 228.0, 230.0)
            left, right = float(edges[i]), float(edges[i + 1])
            sheet.polygon([(left, 2.95), (right, 2.95), (right, 2.35), (left, 2.35)], colour)
            sheet.ellipse((left + right) / 2, 2.35, (right - left) / 2, 0.1, shade(colour, 0.93))
        sheet.rect(x0 - 0.1, 2.9, x1 + 0.1, 2.98, shade(awning, 0.7))
    sheet.rect(x0, 3.0, x1, 3.48, awning)
    words = _SIGNS[int(rng.integers(len(_SIGNS)))]
    size = min(0.3, (x1 - x0 - 0.3) / (0.95 * len(words)))
    start = (x0 + x1) / 2 - 0.43 * size * len(words)
    sheet.text(start, 3.24 - size / 2, size, words, (226, 234, 238))


def _door(rng: np.random.Generator, sheet: Sheet, x: float) -> None:
    colour = vary(rng, _AWNINGS[int(rng.integers(len(_AWNINGS)))], 14)
    sheet.rect(x - 0.08, 0, x + 1.03, 2.4, shade(colour, 1.5))
    sheet.rect(x, 0, x + 0.95, 2.3, colour)
    for y0, y1 in ((0.2, 0.95), (1.1, 2.1)):
        sheet.rect(x + 0.15, y0, x + 0.8, y1, shade(colour, 0.75))
    sheet.disc(x + 0.85, 1.05, 0.05, (120, 200, 220))
    sheet.rect(x - 0.15, 0, x + 1.1, 0.12, (150, 150, 150))


def _house(rng: np.random.Generator, sheet: Sheet, x0: float, x1: float) -> None:
    """One house from x0 to x1."""
    wall = vary(rng, _WALLS[int(rng.integers(len(_WALLS)))], 10)
    frame = vary(rng, (222, 226, 228) if rng.uniform() < 0.7 else (70, 76, 84), 6)
    sheet.rect(x0, 0, x1, _TOP, wall)
    if rng.uniform() < 0.45:
        for i, y in enumerate(np.arange(0, _TOP, 0.24)):
            sheet.line((x0, y), (x1, y), 0.015, shade(wall, 0.88))
            for x in np.arange(x0 + 0.3 * (i % 2), x1, 0.6):
                sheet.line((x, y), (x, y + 0.24), 0.015, shade(wall, 0.9))
    sheet.rect(x0, 0, x1, 0.4, shade(wall, 0.7))
    sheet.rect(x0, 3.55, x1, 3.72, shade(wall, 1.18))
    trim = shade(wall, 0.62) if rng.uniform() < 0.6 else frame
    x = x0 + 0.35
    while x < x1 - 1.4:
        room = x1 - 0.3 - x
        if room > 2.4 and rng.uniform() < 0.66:
            width = float(min(room, rng.uniform(2.2, 3.6)))
            _shop(rng, sheet, x, x + width, trim)
            x += width + 0.25
        elif rng.uniform() < 0.5:
            _door(rng, sheet, x)
            x += 1.4
        else:
            _window(rng, sheet, x + 0.15, 1.0, 0.95, 1.4, frame)
            x += 1.5
    width, gap = rng.uniform(0.8, 1.1), rng.uniform(0.6, 1.0)
    count = int((x1 - x0 - gap) / (width + gap))
    pitch = (x1 - x0) / max(1, count)
    for level in (4.3, 7.0):
        for i in range(count):
            _window(rng, sheet, x0 + pitch * (i + 0.5) - width / 2, level, width, 1.6, frame)
    sheet.rect(x1 - 0.06, 0, x1, _TOP, shade(wall, 0.72))


def _alley(sheet: Sheet, x0: float, x1: float, facade: float, eye: float) -> None:
    """The view into a gap between houses: two receding walls, the ground of the passage."""
    back = facade / (facade + 4.0)  # scale of the passage's far end
    middle = (x0 + x1) / 2 * back
    half = (x1 - x0) / 2 * back
    low = eye - eye * back
    sheet.rect(x0, 0, x1, _TOP, (96, 96, 100))
    sheet.polygon([(x0, 0), (x0, _TOP), (middle - half, _TOP), (middle - half, low)], (84, 92, 104))
    sheet.polygon([(x1, 0), (x1, _TOP), (middle + half, _TOP), (middle + half, low)], (60, 66, 78))
    sheet.polygon([(x0, 0), (x1, 0), (middle + half, low), (middle - half, low)], (116, 120, 124))
    sheet.rect(middle - half, low, middle + half, _TOP, (150, 148, 140))
    for y in (1.6, 3.4):
        sheet.rect(middle - half * 0.4, y + low, middle + half * 0.3, y + low + 1.0, (90, 84, 76))


def paint_facade(
    rng: np.random.Generator, camera: Camera, layout: Layout, image: Image
) -> NDArray[np.bool_]:
    """Paint sky and houses on a panorama, in place.

    Returns:
        ``(H, W)`` bool: where walls stand (not sky, not alleys).
    """
    width, height = camera.panorama
    fall = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([232, 196, 150.0]) * (1 - fall) + np.array([238, 232, 222.0]) * fall
    clouds = np.clip(noise_field(rng, (height, width), (90.0, 200.0)), 0, 1)[..., None]
    image[...] = (sky + (244 - sky) * clouds).astype(np.uint8)

    over_sampling = 2
    scale = float(camera.scale(layout.facade)) * over_sampling
    left = -camera.centre * over_sampling / scale
    right = (width - camera.centre) * over_sampling / scale
    foot = float(camera.row(0, layout.facade))
    top = min(_TOP, foot * over_sampling / scale)
    sheet = Sheet(left, right, 0.0, top, scale)
    wall = Sheet(left, right, 0.0, top, scale / over_sampling)
    x = left - rng.uniform(0, 3)
    gaps = list(layout.alleys)
    while x < right:
        end = x + rng.uniform(5.5, 9.5)
        ahead = [gap for gap in gaps if gap[0] >= x - 1e-6]
        if ahead and end > ahead[0][0] - 2.5:
            end = ahead[0][0]
        if end - x > 0.3:
            _house(rng, sheet, x, end)
            wall.rect(x, 0, end, top, (255, 255, 255))
        if ahead and end == ahead[0][0]:
            _alley(sheet, *ahead[0], layout.facade, camera.height)
            end = ahead[0][1]
        x = end
    size = (width, max(1, round(sheet.pixels.shape[0] / over_sampling)))
    painted = cv2.resize(sheet.pixels, size, interpolation=cv2.INTER_AREA)
    grain = noise_field(rng, (size[1], size[0]), (2.0, 5.0, 40.0))[..., None]
    texture = np.clip(painted[..., :3] + 4.0 * grain, 0, 255).astype(np.uint8)
    bottom = round(foot)
    start = bottom - size[1]
    rows = slice(max(0, start), bottom)
    image[rows] = texture[rows.start - start :]
    solid = np.zeros((height, width), bool)
    mask = cv2.resize(wall.pixels[..., 3], size, interpolation=cv2.INTER_NEAREST) > 127
    solid[rows] = mask[rows.start - start :]
    return solid
