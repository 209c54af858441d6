# A disk that may lose power: built from a recording of tests/support/shim, it gives the directory as a loss at any event may leave it.
#
# What POSIX promises and no more: a file's bytes are on the disk after its fsync, a name after the fsync of its directory. Until then
# each 512 bytes of a write, and each name that was made, changed or removed, is there or not, independently of the others.
import os
import shutil

SECTOR = 512


class File:
    """Bytes or a directory, with what is not on the disk for certain yet."""

    def __init__(self, directory=False):
        self.directory, self.synced, self.pending = directory, b"", []

    def write(self, at, data):
        self.pending.append((at, data))

    def truncate(self, size):
        self.pending.append((size, None))

    def sync(self):
        self.synced, self.pending = self.after(lambda: "kept"), []

    def after(self, fate):
        """The bytes when fate() says of each sector of each write whether it is kept, lost, or, where the file grew, zeros."""
        out = bytearray(self.synced)
        for at, data in self.pending:
            if data is None:
                if fate() != "lost":
                    del out[at:]
                    out.extend(bytes(at - len(out)))
                continue
            while data:
                part, data = data[:SECTOR - at % SECTOR], data[SECTOR - at % SECTOR:]
                what = fate()
                if what != "lost":
                    out.extend(bytes(max(0, at + (0 if what == "kept" else len(part)) - len(out))))
                    if what == "kept":
                        out[at:at + len(part)] = part
                at += len(part)
        return bytes(out)


class Name:
    """A change of names that waits for the fsync of its directories."""

    def __init__(self, file, old, new):
        self.file, self.old, self.new = file, old, new
        self.needs = {os.path.dirname(path) for path in (old, new) if path}

    def apply(self, names):
        if self.old and names.get(self.old) is self.file:
            del names[self.old]
        if self.new:
            names[self.new] = self.file


class Disk:
    def __init__(self, root, existing):
        self.synced = {path: File(directory=True) for path in [root, *existing]}
        self.names, self.pending = dict(self.synced), []
        self.descriptors, self.maps = {}, {}

    def change(self, file, old, new):
        change = Name(file, old, new)
        change.apply(self.names)
        self.pending.append(change)

    def sync_directory(self, path):
        waiting = []
        for change in self.pending:
            change.needs.discard(path)
            if change.needs:
                waiting.append(change)
            else:
                change.apply(self.synced)
        self.pending = waiting

    def event(self, words, data):
        kind, words = words[0], words[1:]
        if kind == "O":
            fd, created, path = words
            if path not in self.names or created == "1":
                self.change(File(), None, path)
            self.descriptors[fd] = path, self.names[path]
        elif kind == "W":
            self.descriptors[words[0]][1].write(int(words[1]), data)
        elif kind == "T":
            self.descriptors[words[0]][1].truncate(int(words[1]))
        elif kind == "S":
            path, file = self.descriptors[words[0]]
            self.sync_directory(path) if file.directory else file.sync()
        elif kind == "R":
            self.change(self.names[words[0]], *words)
        elif kind == "L":
            self.change(self.names[words[0]], None, words[1])
        elif kind == "U":
            self.change(self.names[words[0]], words[0], None)
        elif kind == "D":
            self.change(File(directory=True), None, words[0])
        elif kind == "M":
            self.maps[words[0]] = self.descriptors[words[1]][1]
        elif kind == "m":
            self.maps[words[0]].write(0, data)

    def build(self, root, keeps_name, fate):
        """Makes `root` what a loss of power now may leave of it."""
        names = dict(self.synced)
        for change in self.pending:
            if keeps_name():
                change.apply(names)
        shutil.rmtree(root, ignore_errors=True)
        for path in sorted(names):  # a directory before what is in it
            if path != root and not os.path.isdir(os.path.dirname(path)):
                continue  # in a directory that is not there
            if names[path].directory:
                os.mkdir(path)
            else:
                with open(path, "wb") as f:
                    f.write(names[path].after(fate))


def fates(dice):
    """Ways in which a disk forgets: all of them have been seen."""
    share = dice.random()
    return dice.choice([
        (lambda: False, lambda: "lost"),  # nothing that was not synced
        (lambda: True, lambda: "kept"),  # as if the process had been killed
        (lambda: True, lambda: "lost"),  # names before bytes
        (lambda: True, lambda: "zeros"),
        (lambda: False, lambda: "kept"),
        (lambda: dice.random() < share, lambda: "kept" if dice.random() < share else "lost"),
        (lambda: dice.random() < share, lambda: dice.choice(("kept", "lost", "zeros"))),
    ])


def events(path):
    """(words, bytes) of a recording."""
    with open(path, "rb") as f:
        for line in f:
            words = line.decode().split()
            yield words, f.read(int(words[-1])) if words[0] in "Wm" else None
