"""An oracle for written files that shares nothing with the project: the standard library of Python, and gABI.

Reads a folder with cases.json (name, asked, wanted) and NAME.before, NAME.after, NAME.again, NAME.cleared; prints a line for
each fault. Judges: the notes are those asked for, memory is the same, other sections and trailing bytes are the same bytes, the
second patch changed nothing, removal gives back what was loaded.
"""
import json
import os
import struct
import sys

PT_LOAD, PT_NOTE, SHT_STRTAB, SHT_NOTE, SHT_NOBITS = 1, 4, 3, 7, 8


class Elf:
    def __init__(self, data):
        self.data = data
        self.wide = data[4] == 2
        self.order = "<" if data[5] == 1 else ">"
        word = "Q" if self.wide else "I"
        (_, _, _, _, self.phoff, self.shoff, _, self.ehsize, phsize, phnum, shsize, shnum, self.names) = struct.unpack_from(
            self.order + "HHI" + word * 3 + "I" + "H" * 6, data, 16
        )
        self.phdrs = [self.phdr(self.phoff + i * phsize) for i in range(phnum)]
        self.shdrs = [self.shdr(self.shoff + i * shsize) for i in range(shnum)]
        self.tables = [(0, self.ehsize), (self.phoff, self.phoff + phnum * phsize), (self.shoff, self.shoff + shnum * shsize)]

    def phdr(self, at):
        if self.wide:
            kind, flags, off, vaddr, paddr, filesz, memsz, align = struct.unpack_from(self.order + "IIQQQQQQ", self.data, at)
        else:
            kind, off, vaddr, paddr, filesz, memsz, flags, align = struct.unpack_from(self.order + "IIIIIIII", self.data, at)
        return dict(kind=kind, flags=flags, off=off, vaddr=vaddr, paddr=paddr, filesz=filesz, memsz=memsz, align=align)

    def shdr(self, at):
        fields = struct.unpack_from(self.order + ("IIQQQQIIQQ" if self.wide else "IIIIIIIIII"), self.data, at)
        return dict(zip(("name", "kind", "flags", "addr", "off", "size", "link", "info", "align", "entsize"), fields))

    def loads(self):
        return [p for p in self.phdrs if p["kind"] == PT_LOAD]

    def records(self, off, size):
        """Records one behind the other, each padded to 4, as Xen reads them."""
        found, at, end = [], off, min(off + size, len(self.data))
        while at + 12 <= end:
            namesz, descsz, kind = struct.unpack_from(self.order + "III", self.data, at)
            desc = at + 12 + (namesz + 3) // 4 * 4
            if desc + descsz > end:
                break
            found.append((self.data[at + 12 : at + 12 + namesz], kind, self.data[desc : desc + descsz]))
            at = desc + (descsz + 3) // 4 * 4
        return found

    def note_ranges(self):
        segments = [(p["off"], p["off"] + p["filesz"]) for p in self.phdrs if p["kind"] == PT_NOTE and p["filesz"]]
        return segments + [(s["off"], s["off"] + s["size"]) for s in self.shdrs if s["kind"] == SHT_NOTE]

    def segment_notes(self):
        places = dict.fromkeys((p["off"], p["filesz"]) for p in self.phdrs if p["kind"] == PT_NOTE and p["off"] and p["filesz"])
        return [r for off, size in places for r in self.records(off, size)]

    def section_notes(self):
        return [r for s in self.shdrs if s["kind"] == SHT_NOTE for r in self.records(s["off"], s["size"])]


def is_xens(record):
    return record[0].split(b"\0")[0] == b"Xen"


def is_nobodys(record):
    return record[1] == 0


def memory(elf, load, size):
    held = elf.data[load["off"] : load["off"] + load["filesz"]][:size]
    return bytearray(held) + bytearray(size - len(held))


def blank(block, load, ranges):
    for start, end in ranges:
        a, b = max(start, load["off"]) - load["off"], min(end, load["off"] + len(block)) - load["off"]
        if a < b:
            block[a:b] = bytes(b - a)


def same_memory(old, now):
    """Every load is there, in order, and holds what it held, but for headers and notes."""
    left = now.loads()
    for load in old.loads():
        match = next((p for p in left if (p["vaddr"], p["paddr"], p["flags"]) == (load["vaddr"], load["paddr"], load["flags"])), None)
        if match is None:
            yield "the load at %#x is gone" % load["vaddr"]
            continue
        left = left[left.index(match) + 1 :]
        if match["memsz"] < load["memsz"] or match["align"] != load["align"]:
            yield "the load at %#x is %r" % (load["vaddr"], match)
        size = max(load["filesz"], min(match["filesz"], load["memsz"]))
        a, b = memory(old, load, size), memory(now, match, size)
        for block in (a, b):
            # Both are looked over where either has headers or notes.
            blank(block, load, old.tables + old.note_ranges())
            blank(block, match, now.tables + now.note_ranges())
        if a != b:
            at = next(i for i in range(size) if a[i] != b[i])
            yield "the load at %#x holds other bytes at +%#x" % (load["vaddr"], at)


def same_sections(old, now):
    if old.shdrs and len(now.shdrs) < len(old.shdrs):
        yield "sections are gone"
        return
    for i, s in enumerate(old.shdrs):
        t = now.shdrs[i]
        if i in (0, old.names) or s["kind"] == SHT_NOTE:
            continue
        if any(s[field] != t[field] for field in ("kind", "flags", "addr", "size", "link", "info", "entsize")):
            yield "section %d is %r, was %r" % (i, t, s)
        elif s["kind"] != SHT_NOBITS:
            a = old.data[s["off"] : s["off"] + s["size"]]
            b = now.data[t["off"] : t["off"] + t["size"]]
            if a != b:
                yield "section %d holds other bytes" % i


def trailing(elf):
    claims = elf.tables + [(p["off"], p["off"] + p["filesz"]) for p in elf.phdrs]
    claims += [(s["off"], s["off"] + s["size"]) for s in elf.shdrs if s["kind"] != SHT_NOBITS]
    return elf.data[max(end for start, end in claims if start < end) :]


def faults(case, read):
    before, after, again, cleared = (read(kind) for kind in ("before", "after", "again", "cleared"))
    old, now = Elf(before), Elf(after)
    xens = [(kind, desc.hex()) for name, kind, desc in filter(is_xens, now.segment_notes())]
    if xens != [tuple(note) for note in case["wanted"]]:
        yield "notes are %r, wanted %r" % (xens, case["wanted"])
    for kind, desc in case["asked"]:
        if (kind, desc) not in xens:
            yield "no note %d with %s" % (kind, desc)
    if not xens and any(is_xens(record) for record in now.section_notes()):
        yield "a section still shows notes of Xen's"
    foreign = lambda elf: sorted(r for r in elf.segment_notes() if not is_xens(r) and not is_nobodys(r))
    if foreign(old) != foreign(now):
        yield "notes of other owners are not what they were"
    yield from same_memory(old, now)
    yield from same_sections(old, now)
    if trailing(old).strip(b"\0") not in now.data:
        yield "bytes behind the image are gone"
    if again != after:
        yield "the second patch changed something"
    if cleared is not None:
        for fault in same_memory(old, Elf(cleared)):
            yield "after removal %s" % fault


def main(folder):
    with open(os.path.join(folder, "cases.json")) as listing:
        cases = json.load(listing)
    for case in cases:

        def read(kind):
            path = os.path.join(folder, "%s.%s" % (case["name"], kind))
            if not os.path.exists(path):
                return None
            with open(path, "rb") as file:
                return file.read()

        for fault in faults(case, read):
            print("%s: %s" % (case["name"], fault))
    print("%d cases" % len(cases))


main(sys.argv[1])
