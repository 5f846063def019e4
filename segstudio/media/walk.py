"""A decoder that knows the number of each picture it hands out, and the pictures it passed."""

from dataclasses import dataclass

from av.video.frame import VideoFrame

from segstudio.media.color import luma_crc, size_in_memory
from segstudio.media.decoder import Decoder
from segstudio.media.video_index import VideoIndex

DAMAGED = "This frame is damaged; parts of it could not be decoded."
"""The note of a picture that the decoder marked, or that was found damaged by the full check."""


@dataclass(slots=True, eq=False)
class Picture:
    """A decoded picture, not yet RGB. crc: of its luma plane, once somebody asked."""

    image: VideoFrame
    note: str = ""
    _crc: int | None = None

    @property
    def crc(self) -> int:
        """CRC-32 of the luma plane."""
        if self._crc is None:
            self._crc = luma_crc(self.image)
        return self._crc


_REACH = 64
"""Pictures farther than this from the focus are not kept: fresh memory for each of them makes
decoding along a long group of pictures 1.7 times slower (measured), for steps nobody may take."""


class PictureCache:
    """Decoded pictures by number, within a byte limit.

    focus: the frame that was read last; aim: the one that is being decoded. Pictures far from
    both go first.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._used = 0
        self._pictures: dict[int, Picture] = {}
        self.focus = 0
        self.aim = 0

    def get(self, number: int) -> Picture | None:
        """The picture, None when it is not kept."""
        return self._pictures.get(number)

    def put(self, number: int, picture: Picture) -> None:
        """Keep it, unless it lies too far away or there is no room."""
        if abs(number - self.aim) > _REACH:
            return
        old = self._pictures.pop(number, None)
        if old is not None:
            self._used -= size_in_memory(old.image)
        self._pictures[number] = picture
        self._used += size_in_memory(picture.image)
        while self._used > self._limit and len(self._pictures) > 1:
            far = max(self._pictures, key=self._distance)
            self._used -= size_in_memory(self._pictures.pop(far).image)

    def _distance(self, number: int) -> int:
        return min(abs(number - self.focus), abs(number - self.aim))

    def before(self, number: int) -> Picture | None:
        """The nearest kept picture before `number`."""
        lower = [n for n in self._pictures if n < number]
        return self._pictures[max(lower)] if lower else None

    def stamps(self) -> dict[int, int | None]:
        """The stamp of each kept picture."""
        return {number: picture.image.pts for number, picture in self._pictures.items()}

    @property
    def used_bytes(self) -> int:
        """What is kept now."""
        return self._used

    def __len__(self) -> int:
        return len(self._pictures)

    def clear(self) -> None:
        """Forget everything."""
        self._pictures.clear()
        self._used = 0


class Walk:
    """Pictures from one place of a file on. One thread at a time.

    row: restart point of `index` to begin at, -1 for the very first picture.
    first: number of the first picture that came; position, latest: number of the last one (-1
    before) and that picture.
    is_usable: False when the file refused the seek or what came is not what the index says.
    """

    def __init__(self, decoder: Decoder, index: VideoIndex | None, row: int) -> None:
        self._decoder = decoder
        self.index = index
        self.starts_at_zero = row < 0 or index is None
        self.first: int | None = None
        self.position = -1
        self.latest: Picture | None = None
        self.is_usable = True
        self._is_spoiled = False
        self._errors = decoder.errors
        if index is None or row < 0:
            decoder.restart()
        else:
            number, stamp, skip = (int(v) for v in index.restarts[row])
            self.is_usable = decoder.seek(stamp)
            if self.is_usable and not index.by_time:
                self._enter(number, skip)

    def _enter(self, number: int, skip: int) -> None:
        """Count from a proved place: the picture behind `skip` others is `number`."""
        for _ in range(skip):
            if self._decoder.next() is None:
                self.is_usable = False
                return
        self.position = number - 1

    def next(self) -> tuple[int, Picture] | None:
        """(number, picture); None at the end."""
        while (image := self._decoder.next()) is not None:
            number = self._number(image)
            if number is None:
                continue
            if self.first is None:
                self.first = number
            self.position = number
            self.latest = Picture(image, DAMAGED if self._is_damaged(number, image) else "")
            return number, self.latest
        return None

    @property
    def met_errors(self) -> bool:
        """Something could not be read or decoded since the file was opened."""
        return self._decoder.errors + self._decoder.broken > 0

    def _is_damaged(self, number: int, image: VideoFrame) -> bool:
        """Marked by the full check; before it, from an error on to the next key picture."""
        index = self.index
        if index is not None and index.crc is not None:
            return number < len(index) and bool(index.damaged[number])
        if image.key_frame:
            self._is_spoiled = False
        if image.is_corrupt or self._decoder.errors > self._errors:
            self._is_spoiled = True
            self._errors = self._decoder.errors
        return self._is_spoiled

    def _number(self, image: VideoFrame) -> int | None:
        """Its number, None for a picture that does not count or cannot be trusted."""
        if self.index is None or not self.index.by_time:
            return self.position + 1
        entry = self._decoder.entry_pts
        is_leading = entry is not None and image.pts is not None and image.pts < entry
        if is_leading and not self.starts_at_zero:
            return None
        return self.index.number_of(image.pts)
