"""Pictures for tests: of a code, and such as nobody should unpack."""

import io
import zlib

from PIL import Image

from firmware_sim.camera.symbol import flat_picture

PAYLOAD = b'{"s":"home","p":"pw","t":"EUabcdefghpr_0"}'


def picture(kind: str = "PNG", payload: bytes = PAYLOAD) -> bytes:
    """Return a picture file with a code in it."""
    content = io.BytesIO()
    Image.fromarray(flat_picture(payload)).save(content, kind)
    return content.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG file of these chunks."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + kind + body + check

    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


def bomb(side_px: int) -> bytes:
    """Return a small PNG file with very many pixels."""
    head = side_px.to_bytes(4, "big") * 2 + bytes((1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((side_px // 8 + 1) * 64))
    return png((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))


def text_bomb() -> bytes:
    """Return a PNG file of one pixel, with a comment that unpacks to very many bytes."""
    head = (1).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    text = b"Comment\0\0" + zlib.compress(bytes(50_000_000))
    return png((b"IHDR", head), (b"zTXt", text), (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b""))
