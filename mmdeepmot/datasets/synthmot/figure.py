"""One person in one pose: a small skeleton in three dimensions, drawn as shaded limbs.

Body coordinates are (lateral, forward, up) in body heights, the origin on the ground. Screen
coordinates are x to the right and y up, in body heights. ``heading`` is the walking direction on
the ground: 0 away from the camera, pi/2 to the right, pi towards the camera.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.looks import Look
from mmdeepmot.datasets.synthmot.paint import Colour, Image, Point, Sheet, mix_colours, shade
from mmdeepmot.datasets.synthmot.sprite import Sprite, make_sprite

Gait = Literal["stand", "walk", "run"]
HEADINGS = 16  # directions that are drawn
PHASES = 12  # moments of a step cycle that are drawn
LEFT, RIGHT, BOTTOM, TOP = -0.42, 0.42, -0.08, 1.1  # of a figure's sheet, body heights

_SWING: dict[Gait, float] = {"stand": 0.05, "walk": 0.36, "run": 0.55}
_AWAY = 0.45  # cosine of the heading above which a face is not seen
_FAR_SIDE = 0.82  # brightness of the limbs on the far side
_TILT = 0.14  # how far a point one body height further away is drawn higher


def _leg(phase: float, gait: Gait, side: int, pelvis: float) -> NDArray[np.float64]:
    """``(4, 3)`` hip, knee, ankle, toe in body coordinates."""
    swing = _SWING[gait]
    thigh = swing * np.sin(phase) + (0.12 if gait == "run" else 0.0)
    bend = swing * (1.9 if gait == "run" else 1.25) * max(0.0, float(np.cos(phase)))
    shank = thigh - bend
    hip = np.array([side * 0.052, 0.0, pelvis])
    knee = hip + 0.245 * np.array([0.0, np.sin(thigh), -np.cos(thigh)])
    ankle = knee + 0.235 * np.array([0.0, np.sin(shank), -np.cos(shank)])
    foot = shank * 0.7
    toe = ankle + 0.085 * np.array([side * 0.12, np.cos(foot), np.sin(foot) - 0.12])
    return np.stack([hip, knee, ankle, toe])


def _arm(phase: float, gait: Gait, side: int, lean: float, build: float) -> NDArray[np.float64]:
    """``(3, 3)`` shoulder, elbow, hand in body coordinates."""
    angle = -0.85 * _SWING[gait] * np.sin(phase)
    bend = angle + (1.5 if gait == "run" else 0.28)
    shoulder = np.array([side * 0.112 * build, lean, 0.805])
    elbow = shoulder + 0.165 * np.array([side * 0.16, np.sin(angle), -np.cos(angle)])
    hand = elbow + 0.15 * np.array([side * 0.05, np.sin(bend), -np.cos(bend)])
    return np.stack([shoulder, elbow, hand])


class _Figure:
    """The drawing of one pose; parts are painted from far to near."""

    def __init__(self, look: Look, heading: float, phase: float, gait: Gait, scale: float) -> None:
        self.look = look
        self.sin, self.cos = float(np.sin(heading)), float(np.cos(heading))
        self.gait = gait
        self.sheet = Sheet(LEFT, RIGHT, BOTTOM, TOP, scale)
        self.lean = {"stand": 0.0, "walk": 0.012, "run": 0.06}[gait]
        legs = {side: _leg(phase + (side < 0) * np.pi, gait, side, 0.53) for side in (-1, 1)}
        lift = 0.035 - min(leg[2, 2] for leg in legs.values())
        if gait == "run":
            lift += 0.025 * abs(float(np.sin(phase)))
        self.up = lift
        for leg in legs.values():
            leg[:, 2] += lift
        self.legs = legs
        self.arms = {
            side: _arm(phase + (side < 0) * np.pi, gait, side, self.lean, look.build)
            + np.array([0, 0, lift])
            for side in (-1, 1)
        }

    def depth(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far behind the body's middle points lie."""
        return points[..., 1] * self.cos - points[..., 0] * self.sin

    def screen(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(..., 3)`` body coordinates to ``(..., 2)`` screen coordinates."""
        x = points[..., 1] * self.sin + points[..., 0] * self.cos
        return np.stack([x, points[..., 2] + _TILT * self.depth(points)], axis=-1)

    def spot(self, lateral: float, forward: float, up: float) -> Point:
        """One point of the upper body on the screen."""
        x, y = self.screen(np.array([lateral, forward, up + self.up]))
        return float(x), float(y)

    def limb(self, points: NDArray[np.float64], radii: list[float], colours: list[Colour]) -> None:
        """A chain of capsules; those of the far side are darker, each has a lit edge."""
        joints = self.screen(points)
        dim = _FAR_SIDE if float(self.depth(points).mean()) > 0.02 else 1.0
        for i, colour in enumerate(colours):
            a, b = (
                (float(joints[i, 0]), float(joints[i, 1])),
                (
                    float(joints[i + 1, 0]),
                    float(joints[i + 1, 1]),
                ),
            )
            self.sheet.capsule(a, b, radii[i], radii[i + 1], shade(colour, dim))

    def draw_leg(self, side: int) -> None:
        look = self.look
        bare = look.bottom != "trousers"
        shank = look.skin if bare else look.bottom_colour
        thigh = look.skin if look.bottom == "skirt" else look.bottom_colour
        build = 0.5 + 0.5 * look.build
        points = self.legs[side]
        lower = 0.030 if bare else 0.036
        ankle, toe = self.screen(points[2:])
        sole = np.array([0, 0.012])
        dim = _FAR_SIDE if float(self.depth(points).mean()) > 0.02 else 1.0
        self.limb(points[:3], [0.062 * build, 0.044 * build, lower], [thigh, shank])
        heel, tip = ankle - sole, toe - sole
        self.sheet.capsule(
            (float(heel[0]), float(heel[1])),
            (float(tip[0]), float(tip[1])),
            0.03,
            0.022,
            shade(look.shoe_colour, dim),
        )

    def draw_arm(self, side: int) -> None:
        look = self.look
        points = self.arms[side]
        forearm = look.skin if look.top == "tee" else look.top_colour
        thick = 1.15 if look.top in ("jacket", "coat") else 1.0
        upper = look.top_colour
        if look.pattern == "halves" and look.top != "tee":
            forearm = look.second_colour
        self.limb(points, [0.036 * thick, 0.031 * thick, 0.022 * thick], [upper, forearm])
        hand = self.screen(points[2])
        dim = _FAR_SIDE if float(self.depth(points).mean()) > 0.02 else 1.0
        self.sheet.disc(float(hand[0]), float(hand[1]), 0.022, shade(look.skin, dim))
        if look.bag == "hand" and side > 0:
            x, y = float(hand[0]), float(hand[1])
            self.sheet.line((x, y), (x, y - 0.05), 0.012, shade(look.bag_colour, 0.7))
            self.sheet.polygon(
                [
                    (x - 0.05, y - 0.05),
                    (x + 0.05, y - 0.05),
                    (x + 0.06, y - 0.17),
                    (x - 0.06, y - 0.17),
                ],
                look.bag_colour,
            )
            self.sheet.rect(x - 0.055, y - 0.1, x + 0.055, y - 0.085, shade(look.bag_colour, 1.3))

    def width(self, front: float, side: float) -> float:
        """Half width of an elliptic body that is ``front`` wide and ``side`` deep (halves)."""
        return float(np.hypot(front * self.cos, side * self.sin)) * self.look.build

    def draw_torso(self) -> None:
        look, sheet = self.look, self.sheet
        shoulder, waist = self.width(0.122, 0.082), self.width(0.094, 0.078)
        hip = self.width(0.104, 0.088)
        hem, hem_width = 0.5, hip
        if look.top == "coat":
            hem, hem_width = 0.36, hip * 1.22
        neck = self.spot(0, self.lean, 0.845)
        top = self.spot(0, self.lean, 0.8)
        middle = self.spot(0, self.lean * 0.5, 0.66)
        low = self.spot(0, 0, hem)
        if look.bottom == "skirt":
            edge = self.spot(0, 0, 0.31)
            fold = 0.02 if self.gait != "stand" else 0.0
            half = hip * 1.35 + abs(self.sin) * fold
            sheet.polygon(
                [
                    (low[0] - hip * 0.95, self.up + 0.56),
                    (low[0] + hip * 0.95, self.up + 0.56),
                    (edge[0] + half, edge[1]),
                    (edge[0] - half, edge[1]),
                ],
                look.bottom_colour,
            )
        else:
            pelvis = self.spot(0, 0, 0.53)
            sheet.ellipse(pelvis[0], pelvis[1], hip * 0.98, 0.06, look.bottom_colour)
        outline = np.array(
            [
                (neck[0] - shoulder * 0.45, neck[1]),
                (neck[0] + shoulder * 0.45, neck[1]),
                (top[0] + shoulder * 0.86, top[1] + 0.03),
                (top[0] + shoulder, top[1]),
                (middle[0] + waist, middle[1]),
                (low[0] + hem_width, low[1]),
                (low[0] - hem_width, low[1]),
                (middle[0] - waist, middle[1]),
                (top[0] - shoulder, top[1]),
                (top[0] - shoulder * 0.86, top[1] + 0.03),
            ]
        )
        self._fill_pattern(outline, top[0], top[1])
        if look.top in ("jacket", "coat") and self.cos < -0.35:
            shirt = look.second_colour
            x = self.spot(0, 0.08, 0.8)[0]
            sheet.polygon(
                [
                    (x - 0.042, neck[1]),
                    (x + 0.042, neck[1]),
                    (x + 0.014, hem + self.up),
                    (x - 0.014, hem + self.up),
                ],
                shirt,
            )
        if look.top != "tee":
            belt = shade(look.top_colour, 0.72)
            sheet.line((low[0] - hem_width, low[1]), (low[0] + hem_width, low[1]), 0.012, belt)
        if look.bag == "shoulder":
            start = self.spot(-0.07, 0.02, 0.84)
            end = self.spot(0.12, 0.02, 0.54)
            sheet.line(start, end, 0.014, shade(look.bag_colour, 0.8))

    def _fill_pattern(self, outline: NDArray[np.float64], x: float, y: float) -> None:
        """The garment: its outline filled with the pattern, fixed to the body's turn."""
        look, sheet = self.look, self.sheet
        if look.pattern == "plain":
            sheet.polygon(outline, look.top_colour)
            return
        cloth = Sheet(LEFT, RIGHT, BOTTOM, TOP, sheet.scale)
        cloth.polygon(outline, (255.0, 255.0, 255.0))
        height, width = sheet.pixels.shape[:2]
        u = ((np.arange(width) + 0.5) / sheet.scale + LEFT - x)[None, :] + 0.11 * self.sin
        v = (TOP - (np.arange(height) + 0.5) / sheet.scale - y)[:, None]
        mask = cloth.pixels[..., 3].astype(np.float32)[..., None] / 255
        weight = np.broadcast_to(_pattern(look, u, v), (height, width))[..., None]
        first = np.array((*look.top_colour, 255.0), np.float32)
        second = np.array((*look.second_colour, 255.0), np.float32)
        colour = first + (second - first) * weight.astype(np.float32)
        mixed = sheet.pixels * (1 - mask) + colour * mask
        sheet.pixels[...] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)

    def draw_backpack(self) -> None:
        look = self.look
        half = self.width(0.085, 0.055) / look.build
        x, y = self.spot(0, -0.11, 0.71)
        for grow, colour in ((0.0, look.bag_colour), (-0.022, shade(look.bag_colour, 1.14))):
            w, h = half + grow, 0.115 + grow
            self.sheet.capsule((x, y + h * 0.45), (x, y - h * 0.5), w, w, colour)
        self.sheet.capsule(
            (x, y - 0.05), (x, y - 0.06), half * 0.55, half * 0.55, shade(look.bag_colour, 0.75)
        )

    def draw_shoulder_bag(self) -> None:
        x, y = self.spot(0.13, 0.0, 0.5)
        half = 0.035 + 0.035 * abs(self.sin)
        self.sheet.polygon(
            [
                (x - half, y + 0.06),
                (x + half, y + 0.06),
                (x + half * 1.1, y - 0.05),
                (x - half * 1.1, y - 0.05),
            ],
            self.look.bag_colour,
        )
        self.sheet.rect(x - half, y + 0.02, x + half, y + 0.035, shade(self.look.bag_colour, 0.7))

    def draw_hair_behind(self) -> None:
        """Long hair of somebody who does not walk away: it falls behind the shoulders."""
        if self.look.hair_style != "long" or self.cos > _AWAY:
            return
        x, y = self.spot(0, self.lean * 1.4 + 0.008, 0.925)
        low = (x - 0.045 * self.sin, y - 0.11)
        self.sheet.capsule((x - 0.02 * self.sin, y), low, 0.068, 0.06, shade(self.look.hair, 0.85))

    def draw_head(self) -> None:
        look, sheet = self.look, self.sheet
        lean = self.lean * 1.4
        neck = self.spot(0, lean, 0.85)
        x, y = self.spot(0, lean + 0.008, 0.925)
        away = self.cos > _AWAY
        turned = abs(self.sin)
        long_hair = look.hair_style == "long"
        sheet.capsule((neck[0], neck[1] - 0.01), (x, y - 0.02), 0.03, 0.032, shade(look.skin, 0.88))
        rx, ry = 0.055 + 0.006 * turned, 0.07
        hair = look.skin if look.hair_style == "bald" else look.hair
        sheet.ellipse(x - 0.008 * self.sin, y + 0.01, rx + 0.005, ry, hair)
        if away:
            if long_hair:
                sheet.capsule((x, y), (x - 0.02 * self.sin, y - 0.12), 0.064, 0.05, look.hair)
            elif look.hair_style != "bald":
                sheet.ellipse(x + 0.01 * self.sin, y - 0.045, 0.036, 0.022, shade(look.skin, 0.88))
        else:
            sheet.ellipse(
                x + 0.02 * self.sin, y - 0.013, rx * (0.92 - 0.2 * turned), 0.055, look.skin
            )
            gap = 0.02 * abs(self.cos)
            eye = mix_colours(look.skin, (20, 20, 20), 0.85)
            for side in (-1, 1) if turned < 0.9 else (1,):
                sheet.disc(x + 0.034 * self.sin + side * gap, y - 0.002, 0.0065, eye)
            sheet.disc(x + 0.058 * self.sin, y - 0.018, 0.009, shade(look.skin, 0.92))
        if look.hair_style == "bun" and look.hat == "none":
            sheet.disc(x - 0.035 * self.sin, y + 0.082, 0.03, shade(look.hair, 0.9))
        self._draw_hat(x, y, rx)

    def _draw_hat(self, x: float, y: float, rx: float) -> None:
        look, sheet = self.look, self.sheet
        if look.hat == "none":
            return
        angle = np.linspace(0, np.pi, 14)
        low = y + (0.026 if look.hat != "beanie" else 0.018)
        dome = np.stack([x + (rx + 0.012) * np.cos(angle), low + 0.065 * np.sin(angle)], axis=1)
        sheet.polygon(dome, look.hat_colour)
        dark = shade(look.hat_colour, 0.78)
        if look.hat == "cap":
            front = 0.05 * self.sin
            if self.cos < _AWAY:
                sheet.ellipse(x + front * 1.25, low, 0.05 + 0.012 * abs(self.sin), 0.012, dark)
        elif look.hat == "sunhat":
            sheet.ellipse(x, low, 0.115, 0.02, dark)
        else:
            sheet.capsule((x - rx, low), (x + rx, low), 0.016, 0.016, dark)
            sheet.disc(x, low + 0.072, 0.018, shade(look.hat_colour, 1.25))

    def draw(self) -> Image:
        order = sorted(self.legs, key=lambda side: -float(self.depth(self.legs[side]).mean()))
        arms = {side: float(self.depth(self.arms[side]).mean()) for side in self.arms}
        pack_in_front = self.cos > 0.1
        if self.look.bag == "backpack" and not pack_in_front:
            self.draw_backpack()
        bag_depth = float(self.depth(np.array([0.13, 0.0, 0.5])))
        if self.look.bag == "shoulder" and bag_depth > 0:
            self.draw_shoulder_bag()
        for side in sorted(arms, key=lambda s: -arms[s]):
            if arms[side] > 0.02:
                self.draw_arm(side)
        for side in order:
            self.draw_leg(side)
        self.draw_hair_behind()
        self.draw_torso()
        if self.look.bag == "backpack" and pack_in_front:
            self.draw_backpack()
        self.draw_head()
        if self.look.bag == "shoulder" and bag_depth <= 0:
            self.draw_shoulder_bag()
        for side in sorted(arms, key=lambda s: -arms[s]):
            if arms[side] <= 0.02:
                self.draw_arm(side)
        return _light(self.sheet.pixels, self.sheet.scale)


def _pattern(look: Look, u: NDArray[np.floating], v: NDArray[np.floating]) -> NDArray[np.floating]:
    """Weight of the second colour at ``u`` (1, W) across and ``v`` (H, 1) up the garment."""
    period = look.pattern_scale
    wave_u = 0.5 + 0.5 * np.clip(3 * np.sin(2 * np.pi * u / period), -1, 1)
    wave_v = 0.5 + 0.5 * np.clip(3 * np.sin(2 * np.pi * v / period), -1, 1)
    if look.pattern == "rows":
        return wave_v
    if look.pattern == "columns":
        return wave_u
    if look.pattern == "checks":
        return 0.5 * (wave_u + wave_v)
    if look.pattern == "dots":
        near = np.sin(2 * np.pi * u / period) + np.sin(2 * np.pi * v / period)
        return np.asarray(np.clip(4 * (near - 0.9), 0, 1))
    if look.pattern == "gradient":
        return np.asarray(np.clip(-v / 0.32, 0, 1))
    if look.pattern == "halves":
        return np.asarray(np.clip((-v - 0.12) * 60, 0, 1))
    return np.asarray(np.clip((0.045 - np.abs(v + 0.13 + 1.1 * u)) * 60, 0, 1))  # sash


def _light(pixels: Image, scale: float) -> Image:
    """Round the figure: darker towards its edges, lit from the upper left."""
    alpha = pixels[..., 3]
    soft = cv2.GaussianBlur(alpha, (0, 0), max(0.6, 0.03 * scale)).astype(np.float32) / 255
    step = max(1, round(0.03 * scale))
    side = np.zeros_like(soft)
    side[:, step:-step] = soft[:, 2 * step :] - soft[:, : -2 * step]
    factor = np.clip(0.68 + 0.38 * soft + 0.22 * side, 0.5, 1.18)
    lit = pixels.astype(np.float32)
    lit[..., :3] *= factor[..., None]
    limit = pixels[..., 3:].astype(np.float32)
    lit[..., :3] = np.minimum(lit[..., :3], limit)
    return np.round(lit).astype(np.uint8)


def draw_figure(look: Look, heading: int, phase: int, gait: Gait, scale: float) -> Sprite:
    """A person at one of ``HEADINGS`` directions and ``PHASES`` moments, ``scale`` px a height."""
    figure = _Figure(look, 2 * np.pi * heading / HEADINGS, 2 * np.pi * phase / PHASES, gait, scale)
    return make_sprite(figure.draw(), scale, (-LEFT * scale, TOP * scale))
