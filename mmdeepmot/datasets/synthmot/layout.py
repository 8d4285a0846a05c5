"""What stands where in a street, on the ground plane: bands, buildings, props, free places."""

from dataclasses import dataclass

import numpy as np

from mmdeepmot.datasets.synthmot.camera import Camera
from mmdeepmot.datasets.synthmot.recipe import Recipe


@dataclass(frozen=True)
class Rectangle:
    """A footprint on the ground, metres."""

    x0: float
    x1: float
    z0: float
    z1: float


@dataclass(frozen=True)
class Prop:
    """A static thing: its kind, the middle of its foot (x, z) and its width, m."""

    kind: str
    x: float
    z: float
    width: float
    variant: int

    def footprint(self) -> Rectangle:
        half, depth = 0.5 * self.width, PROP_DEPTH[self.kind]
        return Rectangle(self.x - half, self.x + half, self.z - depth, self.z + depth)


# Half of the depth of each kind's footprint, m.
PROP_DEPTH = {
    "pillar": 0.35,
    "column": 0.5,
    "tree": 0.25,
    "lamp": 0.12,
    "kiosk": 0.55,
    "planter": 0.3,
    "car": 0.85,
    "phone": 0.4,
    "bench": 0.3,
    "post": 0.15,
}
_NEAR = {"pillar": 0.62, "tree": 0.42, "lamp": 0.16}
_KERB = {"kiosk": 1.25, "column": 1.0, "tree": 0.42, "planter": 1.5, "phone": 0.95, "lamp": 0.16}
_FAR_KERB = {"car": 4.1, "column": 1.0, "tree": 0.42, "lamp": 0.16, "phone": 0.95}
_FACADE = {"bench": 1.6, "post": 0.3, "planter": 1.2}


@dataclass(frozen=True)
class Layout:
    """The plan of a street.

    Attributes:
        near: Depth of the image's lower edge, m.
        kerb, far_kerb: Depths of the road's edges, m.
        facade: Depth of the line of houses, m.
        alleys: (x0, x1) of the gaps between houses, m.
        props: Static things, in any order.
    """

    near: float
    kerb: float
    far_kerb: float
    facade: float
    alleys: tuple[tuple[float, float], ...]
    props: tuple[Prop, ...]
    half_width: float

    def blocked(self) -> list[Rectangle]:
        """Footprints through which nobody walks: props, and houses beside the alleys."""
        edges = [-1e3, *(x for alley in self.alleys for x in alley), 1e3]
        houses = [
            Rectangle(edges[i], edges[i + 1], self.facade, self.facade + 1e3)
            for i in range(0, len(edges), 2)
        ]
        return [prop.footprint() for prop in self.props] + houses


def _row(
    rng: np.random.Generator,
    kinds: dict[str, float],
    half: float,
    z: tuple[float, float],
    spacing: float,
    amount: float,
) -> list[Prop]:
    """Props along a band, ``spacing`` m apart on average where ``amount`` is 1."""
    if amount <= 0:
        return []
    props = []
    x = -half + rng.uniform(0, spacing / amount)
    names = list(kinds)
    while x < half:
        kind = names[int(rng.integers(len(names)))]
        width = kinds[kind]
        props.append(Prop(kind, x + width / 2, rng.uniform(*z), width, int(rng.integers(2**31))))
        x += width + max(1.2, rng.exponential(0.5) + 0.5) * spacing / amount
    return props


def sample_layout(rng: np.random.Generator, camera: Camera, recipe: Recipe) -> Layout:
    """A street: a near pavement, a road, a far pavement, houses with one or two alleys."""
    near = camera.nearest
    kerb = near + rng.uniform(3.6, 4.2)
    far_kerb = kerb + rng.uniform(3.6, 4.4)
    facade = far_kerb + rng.uniform(3.4, 4.2)
    half = float(camera.half_width(facade)) + 1.0
    count = int(rng.integers(1, 3))
    centres = np.sort(rng.uniform(-0.7, 0.7, count)) * half
    if count == 2 and centres[1] - centres[0] < 5:
        centres = centres[:1]
    alleys = tuple((float(x - 1.3), float(x + 1.3)) for x in centres)
    amount = recipe.occluders
    rows = [
        *_row(rng, _NEAR, half * near / facade + 1, (near + 0.9, near + 1.5), 5.5, amount),
        *_row(rng, _KERB, half, (kerb - 0.9, kerb - 0.5), 4.0, amount),
        *_row(rng, _FAR_KERB, half, (far_kerb - 0.95, far_kerb - 0.9), 7.0, amount),
        *_row(rng, _FACADE, half, (facade - 0.45, facade - 0.4), 6.0, amount),
    ]
    free = [
        prop
        for prop in rows
        if prop.z < facade - 1 or all(abs(prop.x - x) > 1.4 + prop.width for x in centres)
    ]
    return Layout(near, kerb, far_kerb, facade, alleys, tuple(free), half)
