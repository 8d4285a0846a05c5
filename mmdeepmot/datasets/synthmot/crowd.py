"""Who walks where and when: routes on the ground plane, groups, pauses, passing vehicles.

A route is drawn at random and dropped when it runs through a prop, a vehicle or another person.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.camera import Camera
from mmdeepmot.datasets.synthmot.layout import Layout, Rectangle
from mmdeepmot.datasets.synthmot.recipe import Recipe

Floats = NDArray[np.float64]

_CLEARANCE = 0.28  # between a walker's middle and a prop, m
_DISTANCE = 0.45  # between two walkers, m
STANDING, RUNNING = 0.25, 2.2  # speeds below which a person stands, above which they run, m/s
_SMOOTHING = 0.7  # time over which corners and stops are rounded, s


@dataclass(frozen=True)
class Walk:
    """The course of one person, one row a frame from ``start`` on.

    Attributes:
        start: First frame of the sequence in which the person exists.
        position: ``(n, 2)`` X and Z, m.
        heading: ``(n,)`` direction, rad: 0 away from the camera, pi/2 to the right.
        speed: ``(n,)`` m/s.
        cycle: ``(n,)`` moment of the step cycle, rad.
    """

    start: int
    position: Floats
    heading: Floats
    speed: Floats
    cycle: Floats

    @property
    def stop(self) -> int:
        """The frame after the last."""
        return self.start + len(self.position)


@dataclass(frozen=True)
class Vehicle:
    """A passing vehicle: X of its middle is ``x0 + speed * frame / fps``, at depth ``z``."""

    kind: str
    width: float
    variant: int
    z: float
    x0: float
    speed: float
    fps: int

    def x(self, frame: int | NDArray[np.integer]) -> Floats:
        """X of the middle in a frame, m."""
        return np.asarray(self.x0 + self.speed * np.asarray(frame) / self.fps)


def sample_traffic(
    rng: np.random.Generator, recipe: Recipe, layout: Layout, frames: int, fps: int
) -> list[Vehicle]:
    """Vehicles that pass one after another in one direction."""
    if recipe.traffic <= 0:
        return []
    direction = 1 if rng.uniform() < 0.5 else -1
    speed = rng.uniform(5.0, 8.0) * direction
    z = layout.kerb + 1.15
    vehicles = []
    time = rng.uniform(-4.0, 4.0)
    while time < frames / fps:
        van = bool(rng.uniform() < 0.6)
        x0 = -direction * (layout.half_width + 5.0) - speed * time
        vehicles.append(
            Vehicle(
                "van" if van else "car",
                float(rng.uniform(4.3, 4.9) if van else rng.uniform(3.7, 4.2)),
                int(rng.integers(2**31)),
                z,
                x0,
                speed,
                fps,
            )
        )
        time += 1.6 + rng.exponential(4.0 / recipe.traffic)
    return vehicles


def _lane(rng: np.random.Generator, layout: Layout) -> float:
    """Depth of a walking lane, on one of the pavements."""
    if rng.uniform() < 0.58:
        return float(rng.uniform(layout.near + 0.15, layout.kerb - 0.2))
    return float(rng.uniform(layout.far_kerb + 0.3, layout.facade - 0.7))


def _edge(rng: np.random.Generator, camera: Camera, layout: Layout) -> tuple[float, float]:
    """A point outside the panorama at a side of the street."""
    z = _lane(rng, layout)
    side = 1 if rng.uniform() < 0.5 else -1
    return side * (float(camera.half_width(z)) + 0.5), z


def _alley(rng: np.random.Generator, layout: Layout) -> list[tuple[float, float]]:
    """From behind a house through an alley onto the far pavement."""
    x0, x1 = layout.alleys[int(rng.integers(len(layout.alleys)))]
    middle = (x0 + x1) / 2
    hidden = x1 + 1.0 if middle < 0 else x0 - 1.0
    inside = rng.uniform(x0 + 0.7, x1 - 0.7)
    back = layout.facade + 2.2
    return [(hidden, back), (inside, back), (inside, layout.facade - rng.uniform(0.5, 1.5))]


def _route(
    rng: np.random.Generator, camera: Camera, layout: Layout, through_alley: bool, turns: bool
) -> list[tuple[float, float]]:
    """Way points of one person, from outside the view to outside the view."""
    start = _edge(rng, camera, layout)
    if turns:
        end = (start[0], _lane(rng, layout) if rng.uniform() < 0.3 else start[1])
        if rng.uniform() < 0.5:
            end = (end[0], start[1] + rng.uniform(-0.5, 0.5))
    else:
        end_z = _lane(rng, layout) if rng.uniform() < 0.3 else start[1] + rng.normal(0, 0.5)
        end_z = float(np.clip(end_z, layout.near + 0.15, layout.facade - 0.6))
        end = (-np.sign(start[0]) * (float(camera.half_width(end_z)) + 0.5), end_z)
    if through_alley:
        passage = _alley(rng, layout)
        return [*passage, end] if rng.uniform() < 0.5 else [start, *passage[::-1]]
    span = 0.7 * float(camera.half_width(min(start[1], end[1])))
    middle = (rng.uniform(-span, span), 0.5 * (start[1] + end[1]) + rng.normal(0, 0.25))
    return [
        start,
        (middle[0], float(np.clip(middle[1], layout.near + 0.1, layout.facade - 0.6))),
        end,
    ]


def _advance(
    rng: np.random.Generator,
    route: list[tuple[float, float]],
    speed: float,
    pause: float,
    fps: int,
) -> Floats:
    """``(n, 2)`` positions along way points at a speed; ``pause`` s at the middle point."""
    points = np.array(route)
    lengths = np.hypot(*np.diff(points, axis=0).T)
    distance = np.concatenate([[0.0], np.cumsum(lengths)])
    count = int(distance[-1] / speed * fps) + 1
    drift = 1 + 0.12 * np.sin(2 * np.pi * (np.arange(count) / fps / 6 + rng.uniform()))
    place = np.concatenate([[0.0], np.cumsum(drift[:-1])]) * speed / fps
    if pause > 0:
        stop = int(np.searchsorted(place, distance[len(points) // 2]))
        stop = min(stop, count - 1)
        place = np.insert(place, stop, np.full(int(pause * fps), place[stop]))
    place = np.minimum(place, distance[-1])
    track = np.stack([np.interp(place, distance, points[:, axis]) for axis in (0, 1)], axis=1)
    window = max(1, int(_SMOOTHING * fps)) | 1
    padded = np.pad(track, ((window // 2, window // 2), (0, 0)), mode="edge")
    kernel = np.ones(window) / window
    return np.stack([np.convolve(padded[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)


def _walk(rng: np.random.Generator, track: Floats, start: int, fps: int) -> Walk:
    """Heading, speed and step cycle of positions."""
    step = np.gradient(track, axis=0) if len(track) > 1 else np.zeros_like(track)
    moved = np.hypot(step[:, 0], step[:, 1])
    speed = moved * fps
    heading = np.arctan2(step[:, 0], step[:, 1])
    still = speed < STANDING
    if still.any():
        last = np.maximum.accumulate(np.where(still, -1, np.arange(len(track))))
        heading = np.where(last >= 0, heading[np.maximum(last, 0)], heading)
        turn = rng.uniform(-np.pi, np.pi)
        since = np.arange(len(track)) - last
        heading = heading + np.where(still, turn * np.clip(since / fps, 0, 1), 0)
    stride = np.where(speed > RUNNING, 2.15, 1.4)  # m for two steps
    cycle = rng.uniform(0, 2 * np.pi) + np.cumsum(2 * np.pi * moved / stride)
    return Walk(start, track, heading, speed, cycle)


def _hits(track: Floats, boxes: list[Rectangle]) -> bool:
    """Whether any position comes too near to any footprint."""
    if not boxes:
        return False
    edges = np.array([(b.x0, b.x1, b.z0, b.z1) for b in boxes])
    x, z = track[:, :1], track[:, 1:]
    inside = (
        (x > edges[:, 0] - _CLEARANCE)
        & (x < edges[:, 1] + _CLEARANCE)
        & (z > edges[:, 2] - _CLEARANCE)
        & (z < edges[:, 3] + _CLEARANCE)
    )
    return bool(inside.any())


def _run_over(track: Floats, start: int, vehicles: list[Vehicle]) -> bool:
    frames = start + np.arange(len(track))
    for vehicle in vehicles:
        near = np.abs(track[:, 1] - vehicle.z) < 0.85 + _CLEARANCE
        beside = np.abs(track[:, 0] - vehicle.x(frames)) < vehicle.width / 2 + 0.5
        if bool((near & beside).any()):
            return True
    return False


class _Street:
    """Positions of all walkers so far, one row a person and a column a frame."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.places = np.full((0, frames, 2), np.nan)

    def row(self, track: Floats, start: int) -> Floats:
        out = np.full((self.frames, 2), np.nan)
        first, last = max(start, 0), min(start + len(track), self.frames)
        out[first:last] = track[first - start : last - start]
        return out

    def crowded(self, row: Floats) -> bool:
        gap = self.places - row
        return bool((np.hypot(gap[..., 0], gap[..., 1]) < _DISTANCE).any())

    def add(self, row: Floats) -> None:
        self.places = np.concatenate([self.places, row[None]])


def _in_view(camera: Camera, row: Floats) -> int:
    """Frames in which a walker's foot lies between the columns of the middle view."""
    with np.errstate(invalid="ignore"):
        column = camera.column(row[:, 0], row[:, 1]) - camera.centre
        return int((np.abs(column) < 0.5 * camera.image[0]).sum())


def sample_crowd(
    rng: np.random.Generator,
    recipe: Recipe,
    camera: Camera,
    layout: Layout,
    vehicles: list[Vehicle],
    frames: int,
    fps: int,
) -> list[Walk]:
    """Walks until the mean number of people in view reaches ``recipe.density``.

    Each walk is cut to the sequence. A street that is too small for the density gets fewer.
    """
    street = _Street(frames)
    footprints = [prop.footprint() for prop in layout.props]
    walks: list[Walk] = []
    seen = 0
    for _ in range(int(60 + 150 * recipe.density)):
        if seen >= recipe.density * frames:
            break
        runs = bool(rng.uniform() < recipe.runners)
        stands = not runs and bool(rng.uniform() < recipe.standing)
        alley = not runs and bool(layout.alleys) and bool(rng.uniform() < 0.15)
        speed = float(
            np.clip(rng.normal(2.9, 0.3), 2.4, 3.6)
            if runs
            else np.clip(rng.normal(1.3, 0.2), 0.85, 1.8)
        )
        pause = float(rng.uniform(3, 9)) if stands else 0.0
        route = _route(rng, camera, layout, alley, turns=bool(rng.uniform() < 0.15))
        leader = _advance(rng, route, speed, pause, fps)
        start = int(rng.integers(-len(leader) + 2, frames))
        members = [leader]
        if not alley and not runs and rng.uniform() < recipe.groups:
            side = 1 if rng.uniform() < 0.5 else -1
            for place in range(1, int(rng.integers(2, 4))):
                shift = (side * place * rng.uniform(0.58, 0.8), rng.uniform(-0.35, 0.35))
                members.append(leader + np.array(shift))
        for track in members:
            row = street.row(track, start)
            if (
                _hits(track, footprints)
                or _run_over(track, start, vehicles)
                or street.crowded(row)
                or not _in_view(camera, row)
            ):
                continue
            street.add(row)
            seen += _in_view(camera, row)
            walk = _walk(rng, track, start, fps)
            first, last = max(0, -start), min(len(track), frames - start)
            walks.append(
                Walk(
                    start + first,
                    walk.position[first:last],
                    walk.heading[first:last],
                    walk.speed[first:last],
                    walk.cycle[first:last],
                )
            )
    order = rng.permutation(len(walks))
    return [walks[i] for i in order]
