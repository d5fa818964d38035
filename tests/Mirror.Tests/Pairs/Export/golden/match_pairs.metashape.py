# Matches the pairs that Mirror chose in the active chunk of Metashape Professional: Tools, Run Script.
#
# Metashape passes over a pair whose photographs both have stored key points: use a chunk that was not matched before.

import Metashape

NAMES = """\
cam0/001.jpg
cam0/002.jpg
cam1/101.jpg
cam1/102_é.jpg
over.jpg\
""".split("\n")
PAIRS = """\
0 1
0 2
0 4
2 3
3 4\
""".split("\n")


def camera_keys(chunk):
    names = set(NAMES)
    keys = {}
    for camera in chunk.cameras:
        if camera.photo is None:
            continue
        parts = camera.photo.path.replace("\\", "/").split("/")
        paths = ["/".join(parts[start:]) for start in range(len(parts))]
        name = next((path for path in paths if path in names), None)
        if name in keys:
            raise RuntimeError("two cameras could be " + name)
        if name is not None:
            keys[name] = camera.key
    missing = sorted(names - keys.keys())
    if missing:
        raise RuntimeError(f"{len(missing)} of {len(names)} photographs are not in the chunk, such as {', '.join(missing[:3])}")
    return keys


def main():
    chunk = Metashape.app.document.chunk
    if chunk is None:
        raise RuntimeError("the project has no active chunk: add the photographs first")
    keys = camera_keys(chunk)
    pairs = [tuple(keys[NAMES[int(i)]] for i in pair.split()) for pair in PAIRS]
    chunk.matchPhotos(pairs=pairs, generic_preselection=False, reference_preselection=False, reset_matches=False)
    print(f"{len(pairs)} pairs of {len(NAMES)} photographs matched")


main()
