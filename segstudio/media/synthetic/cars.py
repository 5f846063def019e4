"""Painting a car: its mesh placed, lit, and filled from far to near."""

from dataclasses import dataclass

import numpy as np

from segstudio.media.synthetic.bodies import HEAD_LAMP, PAINTED, REAR_LAMP, Body, Mesh, mesh_of
from segstudio.media.synthetic.camera import NEAR, Floats, clip_near
from segstudio.media.synthetic.light import Light
from segstudio.media.synthetic.paint import Canvas, fixed

CAR = 8


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a car stands: distance z, offset d in metres; yaw 0 = drives away from the camera,
    pi = comes towards it, radians, clockwise from above.
    """

    z: float
    d: float
    yaw: float


def footprint(body: Body, pose: Pose, grow: float = 0.0) -> Floats:
    """The rectangle under the car on the road, street points (4, 3)."""
    a, b = body.length / 2 + grow, body.width / 2 + grow
    corners = np.array([(-a, -b, 0), (a, -b, 0), (a, b, 0), (-a, b, 0)], float)
    return _placed(corners, pose)


def paint_car(
    canvas: Canvas, light: Light, body: Body, pose: Pose, paint: Floats, *, is_braking: bool = False
) -> None:
    """Paint one car; nothing when it is wholly behind the camera."""
    if pose.z + body.length / 2 < 1.0:
        return
    view = canvas.view
    mesh = mesh_of(body)
    points = _placed(mesh.points, pose)
    pixels = view.project(np.maximum(points, (NEAR, -1e3, -1e3)))
    is_cut = points[:, 0] < NEAR
    x, y = pixels.T
    turns = x * y[mesh.following] - y * x[mesh.following]
    is_shown = (np.add.reduceat(turns, mesh.starts[:-1]) > 0) | (mesh.layers < 0)
    is_shown &= mesh.detail <= view.focal / max(pose.z, 1.0)
    colors = _colors(mesh, light, pose, paint, is_braking=is_braking).tolist()
    depth = -(mesh.middles[:, 0] * np.cos(pose.yaw)) * (mesh.layers == 0)
    spots = fixed(pixels)
    has_cut = bool(is_cut.any())
    for number in np.lexsort((depth, mesh.layers)):
        part = slice(mesh.starts[number], mesh.starts[number + 1])
        if has_cut and is_cut[part].any():
            _fill_cut(canvas, points[part], colors[number])
        elif is_shown[number]:
            canvas.fill_fixed(spots[part], colors[number], CAR)


def _fill_cut(canvas: Canvas, points: Floats, color: tuple[float, float, float]) -> None:
    """A polygon that reaches behind the camera: what is before it, when it faces us."""
    seen = clip_near(points)
    if len(seen) < 3:
        return
    pixels = canvas.view.project(seen)
    x, y = pixels.T
    if float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) > 0:
        canvas.fill_fixed(fixed(pixels), color, CAR)


def _colors(mesh: Mesh, light: Light, pose: Pose, paint: Floats, *, is_braking: bool) -> Floats:
    """What every polygon looks like, float (P, 3), 0..255."""
    own = np.where((mesh.roles == PAINTED)[:, None], paint * mesh.colors, mesh.colors)
    cos, sin = np.cos(pose.yaw), np.sin(pose.yaw)
    along, right, up = mesh.normals.T
    turned = np.column_stack((along * sin + right * cos, up, along * cos - right * sin))
    lit = own * light.shades(turned)
    if is_braking:
        lit[mesh.roles == REAR_LAMP] = (252, 60, 46)
    elif light.lamps_on:
        lit[mesh.roles == REAR_LAMP] = (200, 30, 26)
    if light.lamps_on:
        lit[mesh.roles == HEAD_LAMP] = (255, 248, 224)
    share = light.veil(pose.z)
    return np.clip(lit * (1 - share) + np.array(light.haze) * share, 0, 255)


def _placed(local: Floats, pose: Pose) -> Floats:
    """Car coordinates (along, right, up) to street points (z, d, h)."""
    cos, sin = np.cos(pose.yaw), np.sin(pose.yaw)
    out = np.empty_like(local)
    out[:, 0] = pose.z + local[:, 0] * cos - local[:, 1] * sin
    out[:, 1] = pose.d + local[:, 0] * sin + local[:, 1] * cos
    out[:, 2] = local[:, 2]
    return out
