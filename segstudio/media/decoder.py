"""One open video file and the pictures that a straight decode of it shows.

A straight decode takes every packet of the video stream in file order, drops what the demuxer
says is broken, goes on after errors, and shows what the decoder hands out, in the order it hands
it out. Pictures that an edit list hides are dropped by the decoder itself. That order is what
frame numbers mean everywhere in SegStudio.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from segstudio.errors import MediaError

# FFmpeg's log callback takes the GIL from its own threads, which has caused deadlocks.
av.logging.set_level(None)

_KNOWN_FORMATS = frozenset(
    {
        "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpegts", "mpeg",
        "flv", "live_flv", "asf", "ogg", "mxf", "h264", "hevc", "m4v", "mpegvideo", "ivf", "obu",
        "av1", "mjpeg", "yuv4mpegpipe", "dv", "rm", "nut", "gif", "vc1", "swf", "apng",
    }
)  # fmt: skip
"""Demuxers that read one file and nothing else: playlists could name files and addresses."""

_OPTIONS = {"protocol_whitelist": "file"}

_MAX_FLUSHES = 64
"""Errors while the last pictures are taken out of the decoder: one per decoding thread."""


class Decoder:
    """One container, one thread at a time. Close it: an unclosed one keeps threads and files.

    threads: "AUTO" decodes several frames at once (fast), "NONE" one (repeatable when the file
    is damaged). `errors` counts what could not be decoded, `broken` what could not be read.
    `conceals`: damaged parts are filled from other frames. That is how the decoder notices them,
    and what nobody wants to look at or label; it holds from the next `restart` on.
    `keys`: (place in the file, stamp) of the key packets seen since the last seek.
    MediaError when it cannot be opened.
    """

    def __init__(self, path: Path, *, threads: str = "AUTO") -> None:
        self.path = path
        self.threads = threads
        self.conceals = True
        self.errors = 0
        self.broken = 0
        self._container: av.container.InputContainer
        self._open()

    def _open(self) -> None:
        self._container, self.stream = open_video(self.path)
        self.stream.thread_type = self.threads
        context = self.stream.codec_context
        if self.threads == "NONE":
            context.thread_count = 1
        if not self.conceals and context.name == "h264":
            context.options = {"enable_er": "0"}
        self._begin()

    def _begin(self) -> None:
        self.entry_pts: int | None = None
        self._seen_key = False
        self._ended = False
        self._place = 0
        self._packets_seen = 0
        self.keys: list[tuple[int, int]] = []
        self._ready: deque[VideoFrame] = deque()
        self._packets: Iterator[av.Packet[VideoStream]] = self._container.demux(self.stream)

    def restart(self) -> None:
        """Begin again at the very first picture; reopening is exact where seeking is not."""
        self.close()
        self._open()

    def seek(self, stamp: int) -> bool:
        """Go to a key packet at or before `stamp` (stream ticks); False when the file refuses."""
        try:
            self._container.seek(stamp, stream=self.stream, backward=True)
        except (av.FFmpegError, OSError):
            return False
        self._begin()
        return True

    def next(self) -> VideoFrame | None:
        """The next picture, None at the end.

        `entry_pts` is the stamp of the key packet that decoding began with: pictures before it
        may lack what they were predicted from.
        """
        while not self._ready:
            if self._ended:
                return None
            packet = self._next_packet()
            if packet is None:
                self._flush()
                continue
            if packet.is_corrupt:
                self.broken += 1
                continue
            self._note_key(packet)
            try:
                self._ready.extend(packet.decode())
            except (av.FFmpegError, OSError, ValueError):
                self.errors += 1
        return self._ready.popleft()

    def _note_key(self, packet: "av.Packet[VideoStream]") -> None:
        self._packets_seen += 1
        if not packet.is_keyframe:
            return
        if not self._seen_key:
            self._seen_key = True
            self.entry_pts = packet.pts
        # Seeking compares with decoding stamps in AVI and MP4.
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is not None:
            self.keys.append((self._packets_seen, stamp))

    @property
    def fraction(self) -> float:
        """About how much of the file was read, 0..1."""
        size = self._container.size
        return min(1.0, self._place / size) if size > 0 else 0.0

    def _next_packet(self) -> "av.Packet[VideoStream] | None":
        """The next packet with something in it, None at the end (or where reading breaks off)."""
        try:
            for packet in self._packets:
                if packet.size:
                    self._place = packet.pos or self._place
                    return packet
        except (av.FFmpegError, OSError):
            self.broken += 1
        return None

    def _flush(self) -> None:
        """Take out what the decoder still holds."""
        self._ended = True
        for _ in range(_MAX_FLUSHES):
            try:
                self._ready.extend(self.stream.codec_context.decode(None))
            except av.EOFError:
                return
            except (av.FFmpegError, OSError, ValueError):
                self.errors += 1
            else:
                return

    def close(self) -> None:
        """Release file and threads; twice is fine."""
        self._ready.clear()
        self._ended = True
        self._container.close()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_video(path: Path) -> tuple["av.container.InputContainer", VideoStream]:
    """An open container and its video stream; MediaError says why not. The caller closes it."""
    head = _head(path)
    if _is_text(head):
        # Playlists are text too, and FFmpeg would open what they name.
        raise MediaError(f"{path.name} holds text, whatever its name says; choose a video file.")
    try:
        container = av.open(str(path.absolute()), container_options=dict(_OPTIONS))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(_why_unreadable(path.name, head)) from error
    try:
        return container, _video_stream(container, path)
    except BaseException:
        container.close()
        raise


def _video_stream(container: "av.container.InputContainer", path: Path) -> VideoStream:
    if not _KNOWN_FORMATS.intersection(container.format.name.split(",")):
        raise MediaError(
            f"{path.name} is a {container.format.long_name} file, which SegStudio does not read;"
            " choose a video such as MP4, MKV, AVI or MOV."
        )
    stream = container.streams.best("video")
    if stream is None:
        raise MediaError(f"{path.name} holds no video track; choose a file with pictures in it.")
    if not isinstance(stream, VideoStream) or stream.codec_context is None:
        raise MediaError(
            f"{path.name} uses a video codec that this build of FFmpeg does not know; convert it"
            " to H.264."
        )
    return stream


def _head(path: Path) -> bytes:
    """The first 4 kB; MediaError when there are none."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError as error:
        raise MediaError(f"There is no file {path}; check the name and the folder.") from error
    except OSError as error:
        raise MediaError(
            f"{path.name} cannot be opened ({error.strerror}); check its permissions."
        ) from error
    if not head:
        raise MediaError(f"{path.name} is empty (0 bytes); restore it from a copy.")
    return head


def _is_text(head: bytes) -> bool:
    is_raw_video = head.startswith(b"YUV4MPEG2")
    start = head[:512]
    return (
        not is_raw_video and b"\0" not in head and all(c >= 32 or c in b"\t\n\r\f" for c in start)
    )


def _why_unreadable(name: str, head: bytes) -> str:
    if head[4:8] in (b"ftyp", b"mdat", b"free", b"wide", b"skip"):
        return (
            f"{name} has no table of its frames (the recording was cut off before it was"
            " written); copy it from the camera again or have it repaired."
        )
    return f"{name} is not a video that FFmpeg can read; choose a video file."
