# Matches the pairs that Mirror chose and no others, in place of: opensfm match_features DATASET
#
#   python3 match_pairs.opensfm.py DATASET
#
# Run it with the Python of OpenSfM, after extract_metadata and detect_features.

import sys

from opensfm import matching
from opensfm.dataset import DataSet

NAMES = """\
001.jpg
002.jpg
101.jpg
102_é.jpg
over.jpg\
""".split("\n")
PAIRS = """\
0 1
0 2
0 4
2 3
3 4\
""".split("\n")


def main(path):
    data = DataSet(path)
    images = data.images()
    missing = sorted(set(NAMES) - set(images))
    if missing:
        sys.exit(f"{len(missing)} of {len(NAMES)} photographs are not in {path}, such as {', '.join(missing[:3])}")
    exifs = {image: data.load_exif(image) for image in images}
    pairs = [tuple(NAMES[int(i)] for i in pair.split()) for pair in PAIRS]
    matched = matching.match_images_with_pairs(data, {}, exifs, pairs)
    matching.save_matches(data, images, matched)
    print(f"{len(pairs)} pairs of {len(NAMES)} photographs matched")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: match_pairs.opensfm.py DATASET")
    main(sys.argv[1])
