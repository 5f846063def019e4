"""The ground: road, markings, kerbs, pavements, grass, and the shadows on it."""

import cv2
import numpy as np

from segstudio.media.synthetic.camera import FAR, NEAR, Floats
from segstudio.media.synthetic.paint import Picture, fixed, picture
from segstudio.media.synthetic.street import Street, Zone
from segstudio.media.synthetic.surfaces import ground_grain
from segstudio.media.synthetic.things import KERB_M, PAVEMENT, ROAD, TREE, Moment

_ASPHALT, _PAVING, _GRASS = 0, 1, 2
_LABEL = (ROAD, PAVEMENT, TREE)
_WHITE = np.array((206, 206, 202), float)
_YELLOW = np.array((206, 176, 70), float)
_START = 0.8
_NODES = np.geomspace(_START, FAR, 48)
_SIDE = 170.0
"""Metres to each side that are painted."""


class Ground:
    """Paints the ground of a street for one moment; `material` remembers what lies where."""

    def __init__(self, moment: Moment, street: Street) -> None:
        self.moment, self.street = moment, street
        self.canvas, self.light, self.view = moment.canvas, moment.light, moment.view
        self.material: Picture = np.zeros(self.canvas.size, np.uint8)
        self.up = self.light.facing["up"] * (1 - 0.35 * self.light.wetness)
        self.colors = [
            np.clip(np.array(c) * self.up, 0, 255)
            for c in (street.asphalt, street.paving, street.grass)
        ]
        self.zones = [
            (zone, z0, z0 + zone.length)
            for zone in street.zones
            if (z0 := self.view.ahead(zone.s)) < FAR and z0 + zone.length > _START
        ]

    def paint(self, shadows: list[Floats]) -> None:
        """Everything, then grain, shadows and haze."""
        street, whole = self.street, (_START, FAR)
        self._strip(whole, (-_SIDE, _SIDE), _GRASS)
        for zone, z0, z1 in self.zones:
            material = {"houses": _PAVING, "gardens": _GRASS, "park": _GRASS}.get(
                zone.kind, _ASPHALT
            )
            wide = street.pavement[0 if zone.side < 0 else 1]
            inner = zone.side * (street.half_road + wide - 0.3)
            if material != _GRASS:
                self._strip((z0, z1), (inner, zone.side * _SIDE), material)
        for side, wide in zip((-1, 1), street.pavement, strict=True):
            edge = side * street.half_road
            self._strip(whole, (edge, edge + side * wide), _PAVING, h=KERB_M)
        for zone, z0, z1 in self.zones:
            if zone.kind == "side road":
                inner = zone.side * (street.half_road - 0.2)
                self._strip((z0 + 0.4, z1 - 0.4), (inner, zone.side * _SIDE), _ASPHALT)
        self._strip(whole, (-street.half_road, street.half_road), _ASPHALT)
        self._kerbs()
        self._markings()
        self._finish(shadows)

    def _strip(
        self,
        z: tuple[float, float],
        d: tuple[float, float],
        material: int,
        *,
        h: float | tuple[float, float] = 0.0,
        color: Floats | None = None,
    ) -> None:
        """The ground between two offsets from z[0] to z[1]; colour of its material unless given."""
        z0, z1 = max(z[0], _START), min(z[1], FAR)
        if z1 <= z0:
            return
        along = np.concatenate(((z0,), _NODES[(z0 < _NODES) & (z1 > _NODES)], (z1,)))
        count = len(along)
        points = np.empty((2 * count, 3))
        points[:count, 0], points[count:, 0] = along, along[::-1]
        points[:count, 1], points[count:, 1] = d
        points[:count, 2], points[count:, 2] = h if isinstance(h, tuple) else (h, h)
        pixels = fixed(self.view.project(points))
        shown = self.colors[material] if color is None else color
        self.canvas.fill_fixed(pixels, shown.tolist(), _LABEL[material])
        cv2.fillPoly(self.material, [pixels], material, 8, 4)

    def _kerbs(self) -> None:
        """The kerb's face towards the road and its stone on top, except at side roads."""
        face = np.clip(self.colors[_PAVING] * 0.6, 0, 255)
        stone = np.clip(self.colors[_PAVING] * 1.15, 0, 255)
        for zone, z0, z1 in self.zones:
            if zone.kind != "side road":
                d = zone.side * self.street.half_road
                self._strip((z0, z1), (d, d), _PAVING, h=(0.0, KERB_M), color=face)
                self._strip((z0, z1), (d, d + zone.side * 0.16), _PAVING, h=KERB_M, color=stone)

    def _markings(self) -> None:
        """Lines, crossings and the dashes before side roads."""
        street, view = self.street, self.view
        self._wear()
        white = _Dashes()
        drawn, gap = street.centre_line
        white.line((-(view.s % (drawn + gap)), 120.0), 0.0, 0.12, (drawn, gap))
        kerb = street.half_road - street.bay
        for side in (-1, 1):
            if street.bay:
                white.line((-(view.s % 4.0), 60.0), side * kerb, 0.1, (1.0, 3.0))
            elif street.edge_lines == "white":
                white.line((_START, FAR), side * (kerb - 0.3), 0.1, (5.0, 0.0))
        yellow = _Dashes()
        for zone, z0, z1 in self.zones:
            if zone.kind == "side road":
                self._give_way(white, zone, z0, z1)
            elif "yellow" in street.edge_lines and not street.bay:
                yellow.line((z0, z1), zone.side * (kerb - 0.3), 0.08, (5.0, 0.0))
                if street.edge_lines == "double yellow":
                    yellow.line((z0, z1), zone.side * (kerb - 0.5), 0.08, (5.0, 0.0))
        across = _Dashes()
        for s in street.crossings:
            z = view.ahead(s)
            if 0 < z < 90:
                for d in np.arange(-street.half_road + 0.6, street.half_road - 0.3, 1.2):
                    across.add(z - 1.4, z + 1.4, float(d), 0.6)
                for at, d in ((z - 3.0, -kerb / 2), (z + 3.0, kerb / 2)):
                    across.add(at, at + 0.25, d, kerb * 0.92)
        # One fill per kind: where boxes of one fill overlap, OpenCV leaves a hole.
        for dashes, color in ((white, _WHITE), (yellow, _YELLOW), (across, _WHITE)):
            self._fill_dashes(dashes.boxes(), np.clip(color * self.up, 0, 255))

    def _wear(self) -> None:
        """Tyre tracks, mended places and gullies."""
        street, asphalt = self.street, self.colors[_ASPHALT]
        lane = (street.half_road - street.bay) / 2
        for wide, factor in ((0.7, 0.965), (0.4, 0.93)):
            tracks = _Dashes()
            for middle in (-lane, lane):
                for d in (middle - 0.75, middle + 0.75):
                    tracks.line((_START, 80.0), d, wide, (4.0, 0.0))
            self._fill_dashes(tracks.boxes(), asphalt * factor)
        boxes: dict[float, list[tuple[float, float, float, float]]] = {}
        for s, long, d, wide, factor in street.patches:
            z = self.view.ahead(s)
            if -long < z < 60:
                boxes.setdefault(factor, []).append((z, z + long, d, d + wide))
        for factor, found in boxes.items():
            self._fill_dashes(np.array(found), np.clip(asphalt * factor, 0, 255))

    def _give_way(self, white: "_Dashes", zone: Zone, z0: float, z1: float) -> None:
        """The double broken line where a side road ends."""
        for gap in (0.2, 0.5):
            d = zone.side * (self.street.half_road + gap)
            white.line((z0 + 1, z1 - 1), d, 0.15, (0.6, 0.4))

    def _fill_dashes(self, boxes: Floats, color: Floats) -> None:
        """Paint boxes (N, 4) of (near, far, left, right) on the road, one colour for all.

        Paint on the road is road: the labels stay, so that only the frame is touched.
        """
        boxes = boxes[(boxes[:, 1] > _START) & (boxes[:, 0] < FAR)]
        if not len(boxes):
            return
        near, far = np.maximum(boxes[:, 0], _START), np.minimum(boxes[:, 1], FAR)
        points = np.zeros((len(boxes), 4, 3))
        points[:, :, 0] = np.column_stack((near, far, far, near))
        points[:, :, 1] = boxes[:, [2, 2, 3, 3]]
        pixels = fixed(self.view.project(points.reshape(-1, 3))).reshape(-1, 4, 2)
        # Markings are worn: far ones are thinner than a pixel and take less of the paint.
        for slot in range(3):
            reach = ((0, 25), (25, 60), (60, FAR))[slot]
            some = pixels[(near >= reach[0]) & (near < reach[1])]
            shown = self.colors[_ASPHALT] + (color - self.colors[_ASPHALT]) * (0.9, 0.7, 0.4)[slot]
            cv2.fillPoly(self.canvas.rgb, list(some), shown.tolist(), 8, 4)

    def _finish(self, shadows: list[Floats]) -> None:
        """Grain by material, shadows, haze: on the ground's rows only."""
        first, distance, bend = self.view.rows()
        rgb = self.canvas.rgb[first:]
        grain = self._grain(first, distance, bend)
        shade = self._shade(shadows, first, (len(distance), self.view.width))
        gain = cv2.multiply(grain, shade, scale=1 / 255)
        shown = cv2.multiply(rgb, cv2.merge((gain, gain, gain)), scale=1 / 128)
        share = 1 - np.exp(-distance * self.light.haze_per_m)
        hazy = int(np.count_nonzero(share > 0.012))
        if hazy:
            size = (rgb.shape[1], hazy)
            keep = _spread((1 - share[:hazy, None]) * 255 + np.zeros(3), size)
            veil = _spread(np.outer(share[:hazy], np.array(self.light.haze)), size)
            shown[:hazy] = cv2.add(cv2.multiply(shown[:hazy], keep, scale=1 / 255), veil)
        rgb[:] = shown

    def _shade(self, shadows: list[Floats], first: int, size: tuple[int, int]) -> Picture:
        """How much light reaches each ground pixel: uint8 (rows, W), 255 is all."""
        shade = np.full(size, 255, np.uint8)
        dark = int(255 * (0.52 if self.light.is_sunny else 0.72))
        for ring in shadows:
            ahead = ring[ring[:, 0] > NEAR]
            if len(ahead) >= 3:
                points = fixed(self.view.project(ahead) - (0, first))
                cv2.fillPoly(shade, [points], dark, 8, 4)
        unit = max(size[1] // 240, 1)
        soft = (2 * unit + 1, unit | 1) if self.light.is_sunny else (6 * unit + 1, 3 * unit | 1)
        return picture(cv2.blur(shade, soft))

    def _grain(self, first: int, distance: Floats, bend: Floats) -> Picture:
        """Brightness around 128 of each ground pixel, uint8 (rows, W)."""
        fine, coarse = ground_grain(self.street.grain)
        total = self._sampled(coarse, 40.0, 70.0, (0, first, distance, bend))
        # The fine tile is only seen near by: the rows below this one.
        near = int(np.count_nonzero(distance > 14.0))
        if near < len(distance):
            rows = (near, first, distance, bend)
            both = cv2.addWeighted(total[near:], 1, self._sampled(fine, 5.0, 7.0, rows), 1, -128)
            total[near:] = picture(both)
        return total

    def _sampled(
        self, tile: Picture, metres: float, fade: float, rows: tuple[int, int, Floats, Floats]
    ) -> Picture:
        """A tile laid over the ground rows from rows[0] on, weaker from `fade` metres on."""
        skip, first, distance, bend = rows
        distance, bend = distance[skip:], bend[skip:]
        scale = 512 / metres
        columns = np.arange(self.view.width, dtype=np.float32) - np.float32(self.view.cx)
        x = (distance * (scale / self.view.focal)).astype(np.float32)[:, None] * columns
        x += ((self.view.d - bend) * scale).astype(np.float32)[:, None]
        x -= np.floor(x * np.float32(1 / 511)) * np.float32(511)
        along = (((distance + self.view.s % metres) * scale) % 511).astype(np.float32)
        y = np.repeat(along[:, None], self.view.width, axis=1)
        found = cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        material = self.material[first + skip :]
        pick = cv2.extractChannel(found, _ASPHALT)
        for channel in (_PAVING, _GRASS):
            where = np.equal(material, channel).view(np.uint8)
            cv2.copyTo(cv2.extractChannel(found, channel), where, pick)
        strength = np.exp(-((distance / fade) ** 2))[:, None]
        weight = _spread(strength * 255, (self.view.width, len(along)))
        base = _spread((1 - strength) * 128, (self.view.width, len(along)))
        return picture(cv2.add(cv2.multiply(pick, weight, scale=1 / 255), base))


class _Dashes:
    """Painted boxes on the road, collected to be filled at once."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float, float, float]] = []

    def add(self, near: float, far: float, d: float, wide: float) -> None:
        """One box."""
        self._found.append((near, far, d - wide / 2, d + wide / 2))

    def line(
        self, z: tuple[float, float], d: float, wide: float, pattern: tuple[float, float]
    ) -> None:
        """A line of pieces and gaps of those lengths; pieces grow with distance when gap is 0."""
        drawn, gap = pattern
        at, end = z[0], min(z[1], FAR)
        if gap == 0:
            at = max(at, _START)
            while at < end:
                piece = min(drawn, 1.0 + 0.2 * at)
                self.add(at, min(at + piece, end), d, wide)
                at += piece
            return
        while at < end:
            if at + drawn > _START:
                self.add(at, min(at + drawn, end), d, wide)
            at += drawn + gap

    def boxes(self) -> Floats:
        """All of them, (N, 4)."""
        return np.array(self._found, float).reshape(-1, 4)


def _spread(column: Floats, size: tuple[int, int]) -> Picture:
    """One value per row, float (h, 1) or (h, 3) in 0..255, as a picture of size (w, h)."""
    rows = np.clip(column, 0, 255).astype(np.uint8)[:, None, :]
    return picture(cv2.resize(rows, size, interpolation=cv2.INTER_NEAREST))
