"""Prints what python3-pefile reads of PE images, a line of JSON each: a reader that shares no code with ours."""
import hashlib
import json
import sys

import pefile


def facts(path):
    data = open(path, "rb").read()
    image = pefile.PE(data=data, fast_load=True)
    signed = image.OPTIONAL_HEADER.DATA_DIRECTORY[4] if len(image.OPTIONAL_HEADER.DATA_DIRECTORY) > 4 else None
    end = signed.VirtualAddress if signed is not None and signed.Size else len(data)
    last = max((s.PointerToRawData + s.SizeOfRawData for s in image.sections if s.SizeOfRawData), default=0)
    fields = {}
    for header in (image.FILE_HEADER, image.OPTIONAL_HEADER):
        for name in header.__keys__:
            for key in name:
                fields[key] = getattr(header, key)
    digest = lambda part: hashlib.sha256(part).hexdigest()
    stored = image.OPTIONAL_HEADER.CheckSum
    return {
        "fields": fields,
        "directories": [[d.VirtualAddress, d.Size] for d in image.OPTIONAL_HEADER.DATA_DIRECTORY],
        "checkSum": "none" if stored == 0 else "right" if image.verify_checksum() else "wrong",
        "sections": [
            {
                "name": s.Name.rstrip(b"\0").decode("latin1"),
                "VirtualAddress": s.VirtualAddress,
                "VirtualSize": s.Misc_VirtualSize,
                "Characteristics": s.Characteristics,
                "data": digest(data[s.PointerToRawData : s.PointerToRawData + min(s.SizeOfRawData, s.Misc_VirtualSize)]),
            }
            for s in image.sections
        ],
        "stub": digest(data[: image.DOS_HEADER.e_lfanew]),
        "overlay": digest(data[last:end]),
    }


for path in sys.argv[1:]:
    print(json.dumps(facts(path)))
