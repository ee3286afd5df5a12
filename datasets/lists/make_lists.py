#!/usr/bin/env python3
"""Writes the committed id lists of coco-lt and voc-lt.

    make_lists.py SPLITS_FOLDER VOC2007_LABELS

SPLITS_FOLDER holds coco-lt/ and voc-lt/; VOC2007_LABELS is a table of the official
class files of VOC2007 test, `name,aeroplane,...` with 1, 0 (difficult) or -1.

Each folder has train.csv and test.csv (header `file,labels`; labels are class
indices, space separated) and classes.json (classes, class_freq, ...), copied
one to one from the lists of LMPT and DistributionBalancedLoss. Out come, in
datasets/coco_lt and datasets/voc_lt:

    classes.txt       index, training positives, test positives, COCO category id
                      (0 for VOC), name; tab separated
    train.txt         image, then the indices of its classes
    test_ids.txt      image
    test_labels.txt   the indices of its classes, row by row as in test_ids.txt
    test_difficult.txt  (VOC) those of them whose objects are all marked difficult
    test_empty.txt    (COCO) the test images without any label

An image is its path without what all images of the list share (`prefix` and
`suffix`, first line). Row order is the original one: captions align by row.
The counts in classes.txt are recomputed and compared with those of the source.
"""
import csv
import json
import pathlib
import sys

PREFIX = {
    "coco-lt": {"train": "train2017/", "test": "val2017/"},
    "voc-lt": {"train": "VOCdevkit/VOC2012/JPEGImages/", "test": "VOCdevkit/VOC2007/JPEGImages/"},
}


def rows_of(path):
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            yield row["file"], [int(x) for x in row["labels"].split()]


def difficult_of(path, names):
    with open(path, newline="") as f:
        return {row["name"]: [c for c, name in enumerate(names) if row[name] == "0"]
                for row in csv.DictReader(f)}


def main(splits, voc2007_labels):
    here = pathlib.Path(__file__).resolve().parent.parent
    for name, prefixes in PREFIX.items():
        source = splits / name
        info = json.loads((source / "classes.json").read_text())
        names = [c["name"] for c in info["classes"]]
        out = here / name.replace("-", "_")
        counts = {}
        for split, prefix in prefixes.items():
            ids, labels = [], []
            for file, classes in rows_of(source / f"{split}.csv"):
                assert file.startswith(prefix) and file.endswith(".jpg"), file
                ids.append(file[len(prefix):-4])
                labels.append(classes)
            assert len(set(ids)) == len(ids)
            counts[split] = [sum(c in row for row in labels) for c in range(len(names))]
            head = f"# prefix={prefix} suffix=.jpg\n"
            if split == "train":
                lines = [" ".join([i, *map(str, row)]) for i, row in zip(ids, labels)]
                (out / "train.txt").write_text(head + "\n".join(lines) + "\n")
            else:
                (out / "test_ids.txt").write_text(head + "\n".join(ids) + "\n")
                lines = [" ".join(map(str, row)) for row in labels]
                (out / "test_labels.txt").write_text("\n".join(lines) + "\n")
                if name == "voc-lt":
                    marked = difficult_of(voc2007_labels, names)
                    assert all(set(marked[i]) <= set(row) for i, row in zip(ids, labels))
                    lines = [" ".join(map(str, marked[i])) for i in ids]
                    (out / "test_difficult.txt").write_text("\n".join(lines) + "\n")
                else:
                    empty = [i for i, row in zip(ids, labels) if not row]
                    (out / "test_empty.txt").write_text(head + "\n".join(empty) + "\n")
        assert counts["train"] == info["class_freq"], name
        assert counts["test"] == [c["test_pos"] for c in info["classes"]], name
        categories = [c.get("coco_category_id", 0) for c in info["classes"]]
        lines = ["\t".join(map(str, row)) for row in
                 zip(range(len(names)), counts["train"], counts["test"], categories, names)]
        (out / "classes.txt").write_text("# index\ttrain\ttest\tcategory\tname\n" + "\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1]), sys.argv[2])
