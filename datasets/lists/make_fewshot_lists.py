#!/usr/bin/env python3
"""Writes the committed lists of coco-fewshot and voc07-fewshot.

    make_fewshot_lists.py FEWSHOT_FOLDER VOC2007_LABELS_FOLDER

FEWSHOT_FOLDER holds coco_fewshot_laso.json (the episodes of LaSO), coco_val2014_labels80.txt
(labels of val2014), and voc2007/ (the tables of WAGP's split); VOC2007_LABELS_FOLDER the
tables of the official class files of VOC2007. Out come, in datasets/coco_fewshot and
datasets/voc07_fewshot, beside what make_lists.py writes for other data sets (classes.txt,
*_ids.txt and *_labels.txt):

    novel.txt         indices of the novel classes, one line
    support.txt       shots, episode, image, indices of its novel classes. COCO's images are
                      positions in instances_train2014.json
    base_train.txt    (VOC) image, indices of its base classes
    query_*           images with a novel class
    base_test_*       images that base classes are tested on; COCO's may show novel ones
    query_laso.txt    (COCO) rows of query_ids.txt in the order LaSO's sampler draws them

What the sources state is recomputed and compared.
"""
import csv
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
VOC_PREFIX = "VOCdevkit/VOC2007/JPEGImages/"
COCO_PREFIX = "val2014/COCO_val2014_"
COCO_CATEGORIES = HERE / "coco_lt" / "classes.txt"
DRAWS = 40504


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")


def words(*parts):
    return " ".join(map(str, parts))


def write_split(out, name, prefix, rows):
    write(out / f"{name}_ids.txt", [f"# prefix={prefix} suffix=.jpg", *(i for i, _ in rows)])
    write(out / f"{name}_labels.txt", [words(*labels) for _, labels in rows])


def write_classes(out, names, train, test, categories, novel):
    write(out / "classes.txt", ["# index\ttrain\ttest\tcategory\tname"] + [
        "\t".join(map(str, row)) for row in zip(range(len(names)), train, test, categories, names)])
    write(out / "novel.txt", [words(*novel)])


def counts(rows, classes):
    return [sum(c in labels for _, labels in rows) for c in range(classes)]


def draws(rows, novel):
    """Each draw takes the novel class that was seen least so far (the first of equals), and of
    its images the one whose place is the number of the draw, modulo how many there are; all
    novel classes of that image have then been seen once more."""
    images = {c: [r for r, (_, labels) in enumerate(rows) if c in labels] for c in novel}
    seen = dict.fromkeys(novel, 0)
    for number in range(DRAWS):
        c = min(novel, key=lambda each: seen[each])
        row = images[c][number % len(images[c])]
        for label in rows[row][1]:
            if label in seen:
                seen[label] += 1
        yield row


def coco(source):
    out = HERE / "coco_fewshot"
    info = json.loads((source / "coco_fewshot_laso.json").read_text())
    names = info["classes"]
    novel = [c["index"] for c in info["novel"]]
    listed = [line.split("\t") for line in COCO_CATEGORIES.read_text().splitlines()[1:]]
    assert [row[4] for row in listed] == names
    rows = []
    for line in (source / "coco_val2014_labels80.txt").read_text().splitlines():
        file, *labels = line.split()
        assert file.startswith("COCO_val2014_") and file.endswith(".jpg"), file
        rows.append((file[13:-4], [int(c) for c in labels]))
    query = [row for row in rows if set(row[1]) & set(novel)]
    stated = [line.split() for line in (source / "coco_fewshot_query_val2014.txt").read_text().splitlines()]
    assert stated == [[f"COCO_val2014_{i}.jpg", *(str(c) for c in labels if c in novel)] for i, labels in query]
    base = [c for c in range(len(names)) if c not in novel]
    base_test = [(i, [c for c in labels if c in base]) for i, labels in rows]
    write_split(out, "query", COCO_PREFIX, query)
    write_split(out, "base_test", COCO_PREFIX, [row for row in base_test if row[1]])
    write(out / "query_laso.txt", map(str, draws(query, novel)))
    lines = ["# prefix= suffix="]
    for shots, episodes in info["episodes"].items():
        for episode in episodes:
            of = {}
            for c, positions in episode["class_to_train2014_index"].items():
                for position in positions:
                    of.setdefault(position, []).append(int(c))
            assert sorted(of) == episode["support_indices_unique"]
            for position in episode["used_indices_raw_order"]:
                lines.append(words(shots, episode["episode"], position, *sorted(of[position])))
    write(out / "support.txt", lines)
    write_classes(out, names, [0] * len(names), counts(query, len(names)), [row[3] for row in listed], novel)


def table(path, names):
    with open(path, newline="") as f:
        return [(row["name"].zfill(6), [c for c, name in enumerate(names) if row.get(name) == "1"])
                for row in csv.DictReader(f)]


def voc(source, labels_folder):
    out = HERE / "voc07_fewshot"
    info = json.loads((source / "voc2007_fewshot.json").read_text())
    with open(labels_folder / "voc2007_trainval_labels.csv", newline="") as f:
        names = next(csv.reader(f))[1:]
    novel = [names.index(name) for name in info["novel"]]
    parts = {}
    for split, official in (("Train", "trainval"), ("Test", "test")):
        rows = table(labels_folder / f"voc2007_{official}_labels.csv", names)
        for part, wanted in (("base", False), ("novel", True)):
            kept = [row for row in rows if row[1] and all((c in novel) == wanted for c in row[1])]
            assert kept == table(source / "voc2007" / f"classification_{split}_{part}.csv", names)
            assert len(kept) == info["counts"][f"{split}_{part}"]
            parts[split, part] = kept
    write(out / "base_train.txt", [f"# prefix={VOC_PREFIX} suffix=.jpg",
                                   *(words(i, *labels) for i, labels in parts["Train", "base"])])
    write_split(out, "query", VOC_PREFIX, parts["Test", "novel"])
    write_split(out, "base_test", VOC_PREFIX, parts["Test", "base"])
    lines = [f"# prefix={VOC_PREFIX} suffix=.jpg"]
    for shots in (1, 5):
        for episode in range(1, 11):
            rows = table(source / "voc2007" / f"classification_Train_novel_{shots}shot_{episode}.csv", names)
            assert all(row in parts["Train", "novel"] for row in rows)
            assert [counts(rows, len(names))[c] for c in novel] == [shots] * len(novel)
            lines += [words(shots, episode, i, *labels) for i, labels in rows]
    write(out / "support.txt", lines)
    write_classes(out, names, counts(parts["Train", "base"], len(names)),
                  counts(parts["Test", "novel"], len(names)), [0] * len(names), novel)


coco(pathlib.Path(sys.argv[1]))
voc(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
