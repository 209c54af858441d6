# The checksum of each page as docs/FORMAT.md tells it, written without a look at the product: to check files, and to craft them.
import struct


def checksum(page):
    """The last 8 bytes that a page with these bytes (all but the last 8) has."""
    a = b = 0
    for first, second in struct.iter_unpack("<II", page):
        a = (a + first + b) & 0xFFFFFFFF
        b = (b + second + a) & 0xFFFFFFFF
    return struct.pack("<II", a, b)


def page_bytes(data):
    stored = int.from_bytes(data[16:18], "big")
    return 65536 if stored == 1 else stored


def pages(data):
    size = page_bytes(data)
    return [data[at:at + size] for at in range(0, len(data), size)]


def carried(data):
    """Whether the file says that its pages carry checksums."""
    return data[20] == 8


def damaged(data):
    """The numbers of the pages whose checksum is wrong."""
    return [number for number, page in enumerate(pages(data), 1) if checksum(page[:-8]) != page[-8:]]


def some_pages(data, rng, most=20):
    """Numbers of the first pages, where every table of a shard has its root, of the last one, and of some between."""
    count = len(pages(data))
    between = range(9, count)
    return sorted({*range(1, min(count, 8) + 1), count, *rng.sample(between, min(len(between), most - 9))})


def stamp(path):
    """Makes the checksums of a file right that was edited with stock SQLite, if it carries any."""
    with open(path, "r+b") as f:
        data = f.read()
        if carried(data):
            f.seek(0)
            f.write(b"".join(page[:-8] + checksum(page[:-8]) for page in pages(data)))
