"""The ground: road, markings, kerbs, pavements, grass, and the shadows on it."""

import cv2
import numpy as np

from segstudio.media.synthetic.camera import FAR, LOOP, NEAR, Floats
from segstudio.media.synthetic.paint import Picture, fixed
from segstudio.media.synthetic.street import Street, Zone
from segstudio.media.synthetic.surfaces import ground_grain
from segstudio.media.synthetic.things import KERB_M, PAVEMENT, ROAD, TREE, Moment

_ASPHALT, _PAVING, _GRASS = 0, 1, 2
_WHITE = np.array((206, 206, 202), float)
_YELLOW = np.array((206, 176, 70), float)


class Ground:
    """Paints the ground of a street for one moment; `material` remembers what lies where."""

    def __init__(self, moment: Moment, street: Street) -> None:
        self.moment, self.street = moment, street
        self.canvas, self.light, self.view = moment.canvas, moment.light, moment.view
        self.material: Picture = np.zeros(self.canvas.size, np.uint8)
        self.start = max(NEAR, 0.8)
        wet = 1 - 0.35 * self.light.wetness
        up = self.light.facing["up"] * wet
        self.colors = [
            np.clip(np.array(c) * up, 0, 255) for c in (street.asphalt, street.paving, street.grass)
        ]

    def paint(self, shadows: list[Floats]) -> None:
        """Everything, then grain, shadows and haze."""
        street = self.street
        far = FAR
        self._strip((self.start, far), (-60, 60), _GRASS, TREE, 0.0)
        for zone in street.zones:
            self._zone(zone)
        for side, wide in zip((-1, 1), street.pavement, strict=True):
            edge = side * street.half_road
            self._strip((self.start, far), (edge, edge + side * wide), _PAVING, PAVEMENT, KERB_M)
        for zone in street.zones:
            if zone.kind == "side road":
                self._side_road(zone)
        self._strip((self.start, far), (-street.half_road, street.half_road), _ASPHALT, ROAD, 0.0)
        self._kerbs()
        self._markings()
        self._finish(shadows)

    def _strip(
        self,
        z: tuple[float, float],
        d: tuple[float, float],
        material: int,
        class_id: int,
        h: float,
        color: Floats | None = None,
    ) -> None:
        """The ground between two offsets from z[0] to z[1]; colour of its material unless given."""
        z0, z1 = max(z[0], self.start), min(z[1], FAR)
        if z1 <= z0:
            return
        count = 2 + int(10 * np.log(z1 / z0))
        along = np.geomspace(z0, z1, count)
        points = np.empty((2 * count, 3))
        points[:count, 0], points[count:, 0] = along, along[::-1]
        points[:count, 1], points[count:, 1] = d
        points[:, 2] = h
        pixels = self.view.project(points)
        self.canvas.fill(pixels, self.colors[material] if color is None else color, class_id)
        cv2.fillPoly(self.material, [fixed(pixels)], (material,), 8, 4)

    def _zone(self, zone: Zone) -> None:
        z0 = self.view.ahead(zone.s)
        street = self.street
        inner = zone.side * (street.half_road + street.pavement[0 if zone.side < 0 else 1])
        material, class_id = {
            "houses": (_PAVING, PAVEMENT),
            "gardens": (_GRASS, TREE),
            "park": (_GRASS, TREE),
        }.get(zone.kind, (_ASPHALT, ROAD))
        self._strip(
            (z0, z0 + zone.length),
            (inner - zone.side * 0.3, zone.side * 60),
            material,
            class_id,
            0.0,
        )

    def _side_road(self, zone: Zone) -> None:
        z0 = self.view.ahead(zone.s)
        street = self.street
        self._strip(
            (z0 + 0.4, z0 + zone.length - 0.4),
            (zone.side * (street.half_road - 0.2), zone.side * 60),
            _ASPHALT,
            ROAD,
            0.0,
        )
        for gap in (0.15, 0.45):
            d = zone.side * (street.half_road + gap)
            for piece in np.arange(z0 + 1, z0 + zone.length - 1, 1.0):
                self._strip(
                    (piece, piece + 0.6), (d, d + 0.15), _ASPHALT, ROAD, 0.0, self._ink(_WHITE)
                )

    def _ink(self, color: Floats) -> Floats:
        return np.clip(color * self.light.facing["up"], 0, 255)

    def _kerbs(self) -> None:
        """The kerb's face towards the road and its stone on top, except at side roads."""
        face = np.clip(self.colors[_PAVING] * 0.6, 0, 255)
        stone = np.clip(self.colors[_PAVING] * 1.15, 0, 255)
        for zone in self.street.zones:
            if zone.kind == "side road":
                continue
            z0 = max(self.view.ahead(zone.s), self.start)
            z1 = min(self.view.ahead(zone.s) + zone.length, FAR)
            if z1 <= z0:
                continue
            d = zone.side * self.street.half_road
            along = np.geomspace(z0, z1, 2 + int(8 * np.log(z1 / z0)))
            count = len(along)
            points = np.empty((2 * count, 3))
            points[:, 0] = np.concatenate((along, along[::-1]))
            points[:, 1] = d
            points[:count, 2], points[count:, 2] = 0.0, KERB_M
            self.canvas.fill(self.view.project(points), face, PAVEMENT)
            self._strip((z0, z1), (d, d + zone.side * 0.16), _PAVING, PAVEMENT, KERB_M, stone)

    def _markings(self) -> None:
        street, view = self.street, self.view
        white, yellow = self._ink(_WHITE), self._ink(_YELLOW)
        drawn, gap = street.centre_line
        period = drawn + gap
        if gap == 0:
            self._line((self.start, FAR), 0.0, 0.12, white)
        else:
            first = -(view.s % period)
            for z in np.arange(first, 110, period):
                self._line((float(z), float(z + drawn)), 0.0, 0.12, white)
        kerb = street.half_road - street.bay
        for side in (-1, 1):
            if street.bay:
                for z in np.arange(-(view.s % 4.0), 60, 4.0):
                    self._line((float(z), float(z) + 1.0), side * kerb, 0.1, white)
            elif street.edge_lines == "white":
                self._line((self.start, FAR), side * (kerb - 0.3), 0.1, white)
            elif street.edge_lines != "none":
                for zone in street.zones:
                    if zone.side == side and zone.kind != "side road":
                        z0 = view.ahead(zone.s)
                        z1 = z0 + zone.length
                        self._line((z0, z1), side * (kerb - 0.3), 0.08, yellow)
                        if street.edge_lines == "double yellow":
                            self._line((z0, z1), side * (kerb - 0.5), 0.08, yellow)
        for s in street.crossings:
            z = view.ahead(s)
            if not 0 < z < 90:
                continue
            for d in np.arange(-street.half_road + 0.3, street.half_road - 0.5, 1.2):
                self._strip((z - 1.4, z + 1.4), (d, d + 0.6), _ASPHALT, ROAD, 0.0, white)
            for at, d in ((z - 3.0, -kerb / 2), (z + 3.0, kerb / 2)):
                self._strip(
                    (at, at + 0.25), (d - kerb * 0.46, d + kerb * 0.46), _ASPHALT, ROAD, 0.0, white
                )

    def _line(self, z: tuple[float, float], d: float, wide: float, color: Floats) -> None:
        """A painted line; far away it keeps a third of a pixel and fades into the road instead."""
        if z[1] <= self.start or z[0] >= FAR:
            return
        self._strip(z, (d - wide / 2, d + wide / 2), _ASPHALT, ROAD, 0.0, color)

    def _finish(self, shadows: list[Floats]) -> None:
        """Grain by material, shadows, haze: on the ground's rows only."""
        first, distance, bend = self.view.rows()
        rgb = self.canvas.rgb[first:]
        gain = self._grain(first, distance, bend)
        shade = np.full(rgb.shape[:2], 255, np.uint8)
        dark = 255 * (0.52 if self.light.is_sunny else 0.72)
        for ring in shadows:
            ahead = ring[(ring[:, 0] > NEAR).nonzero()[0]]
            if len(ahead) >= 3:
                points = self.view.project(ahead)
                cv2.fillPoly(shade, [fixed(points - (0, first))], (int(dark),), 8, 4)
        soft = (5, 5) if self.light.is_sunny else (15, 9)
        shade = cv2.blur(shade, soft)
        gain = cv2.multiply(gain, shade, scale=1 / 255)
        rgb[:] = cv2.multiply(rgb, cv2.merge((gain, gain, gain)), scale=1 / 128)
        share = 1 - np.exp(-distance * self.light.haze_per_m)
        rows = len(distance)
        keep = np.repeat((255 * (1 - share)).astype(np.uint8)[:, None], rgb.shape[1] * 3, axis=1)
        haze = np.outer(share, np.array(self.light.haze)).clip(0, 255).astype(np.uint8)
        veil = np.broadcast_to(haze[:, None, :], (rows, rgb.shape[1], 3))
        rgb[:] = cv2.add(
            cv2.multiply(rgb, keep.reshape(rgb.shape), scale=1 / 255), np.ascontiguousarray(veil)
        )

    def _grain(self, first: int, distance: Floats, bend: Floats) -> Picture:
        """Brightness around 128 of each ground pixel, uint8 (rows, W)."""
        fine, coarse = ground_grain(self.street.grain)
        columns = np.arange(self.view.width, dtype=np.float32) - np.float32(self.view.cx)
        per = (distance / self.view.focal).astype(np.float32)
        across = per[:, None] * columns + (self.view.d - bend).astype(np.float32)[:, None]
        along = (distance + self.view.s % 40.0).astype(np.float32)[:, None] + np.zeros_like(across)
        total = np.zeros((*across.shape, 3), np.int16)
        parts = []
        for tile, metres, fade in ((fine, 5.0, 7.0), (coarse, 40.0, 70.0)):
            scale = np.float32(512 / metres)
            found = cv2.remap(
                tile,
                (across * scale) % 511,
                (along * scale) % 511,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_WRAP,
            )
            strength = np.exp(-((distance / fade) ** 2))
            parts.append((found, strength))
        del total
        chosen = []
        material = self.material[first:]
        for found, strength in parts:
            pick = cv2.extractChannel(found, 0)
            for channel in (1, 2):
                cv2.copyTo(
                    cv2.extractChannel(found, channel),
                    cv2.compare(material, channel, cv2.CMP_EQ),
                    pick,
                )
            weight = strength.astype(np.float32)[:, None]
            chosen.append((pick.astype(np.float32) - 128) * weight)
        return np.clip(128 + chosen[0] + chosen[1], 0, 255).astype(np.uint8)


__all__ = ["LOOP", "Ground"]
