"""The ground of a street, computed for every pixel of the panorama: pavements, road, markings."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.camera import Camera
from mmdeepmot.datasets.synthmot.layout import Layout
from mmdeepmot.datasets.synthmot.paint import Image, noise_field

Floats = NDArray[np.floating]


def pulse_coverage(x: Floats, span: Floats, period: float, width: float) -> Floats:
    """Share of an interval around ``x`` that lies in the pulses ``[k period, k period + width]``.

    The exact box filter of a periodic line pattern: joints between stones stay free of aliasing
    at any distance.
    """

    def integral(at: Floats) -> Floats:
        whole = np.floor(at / period)
        return np.asarray(whole * width + np.minimum(at - whole * period, width))

    span = np.maximum(span, 1e-6)
    return np.asarray((integral(x + span / 2) - integral(x - span / 2)) / span)


def _stones(
    rng: np.random.Generator, x: Floats, z: Floats, dx: Floats, dz: Floats, size: float, brick: bool
) -> Floats:
    """Brightness of a stone pavement around 0: a tint per stone, dark joints."""
    row = np.floor(z / size)
    shifted = x + (0.5 * size * (row % 2) if brick else 0.0)
    column = np.floor(shifted / size)
    table = rng.standard_normal(4096).astype(np.float32)
    code = (column.astype(np.int64) * 73 + row.astype(np.int64) * 971) % 4096
    fade = np.clip(1.2 - dz / size, 0, 1)
    tint = 5.0 * table[code] * fade
    joints = np.maximum(
        pulse_coverage(shifted, dx, size, 0.022), pulse_coverage(z, dz, size, 0.022)
    )
    return np.asarray(tint - 34 * joints)


def paint_ground(rng: np.random.Generator, camera: Camera, layout: Layout, image: Image) -> None:
    """Paint the ground below the foot of the houses on a panorama, in place."""
    first = int(np.floor(float(camera.row(0, layout.facade + 4.0))))
    width, height = camera.panorama
    rows = np.arange(first, height) + 0.5
    z_row = camera.focal * camera.height / (rows - camera.horizon)
    dz_row = z_row**2 / (camera.focal * camera.height)
    z = np.broadcast_to(z_row[:, None], (len(rows), width))
    dz = np.broadcast_to(dz_row[:, None], z.shape)
    x = (np.arange(width)[None, :] + 0.5 - camera.centre) * z / camera.focal + 200.0
    dx = z / camera.focal

    near_size, far_size = rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.6)
    tone = rng.uniform(138, 182)
    warm = rng.normal(0, 5, 3)
    near = tone + _stones(rng, x, z, dx, dz, near_size, bool(rng.uniform() < 0.5))
    far = tone + 8 + _stones(rng, x, z, dx, dz, far_size, bool(rng.uniform() < 0.5))
    road_tone = rng.uniform(82, 108)
    road = road_tone + 0.0 * x
    middle = 0.5 * (layout.kerb + layout.far_kerb)
    lane = np.clip((0.07 - np.abs(z - middle)) / dz + 0.5, 0, 1)
    lane = lane * pulse_coverage(x, dx, 3.0, 1.5)
    road += lane * (215 - road_tone)
    crossing = rng.uniform(-0.6, 0.6) * layout.half_width + 200.0
    stripes = pulse_coverage(z - layout.kerb, dz, 0.9, 0.5)
    inside = np.clip((1.4 - np.abs(x - crossing)) / dx + 0.5, 0, 1)
    clear = np.clip(np.minimum(z - layout.kerb - 0.2, layout.far_kerb - 0.2 - z) / dz, 0, 1)
    road += stripes * inside * clear * (222 - road)

    on_road = np.clip((z - layout.kerb) / dz + 0.5, 0, 1) * np.clip(
        (layout.far_kerb - z) / dz + 0.5, 0, 1
    )
    beyond = np.clip((z - layout.far_kerb) / dz + 0.5, 0, 1)
    grey = near * (1 - beyond) + far * beyond
    grey = grey * (1 - on_road) + road * on_road
    for edge in (layout.kerb - 0.12, layout.far_kerb + 0.12):
        stone = np.clip((0.12 - np.abs(z - edge)) / dz + 0.5, 0, 1)
        grey += stone * (tone + 26 - grey)
    gutter = np.clip((0.1 - np.abs(z - layout.kerb - 0.1)) / dz + 0.5, 0, 1)
    grey -= 22 * gutter

    tile = noise_field(rng, (512, 512), (3.0, 12.0, 64.0))
    u = np.mod(x * 40, 511).astype(np.float32)
    v = np.mod(z * 40, 511).astype(np.float32)
    patchy = cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    grey += 5.0 * patchy * np.clip(1.5 - dz * 4, 0.3, 1)
    grey += 2.5 * rng.standard_normal(grey.shape, dtype=np.float32)
    shade = np.clip((z - layout.facade + 0.8) / 0.8, 0, 1)  # contact shadow of the houses
    grey *= 1 - 0.3 * shade
    colour = grey[..., None] + warm * (1 - 0.8 * on_road[..., None])
    image[first:] = np.clip(colour, 0, 255).astype(np.uint8)
