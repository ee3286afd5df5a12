"""Writes text_tables.inc: what cleaning a caption needs to know of characters.

Needs Python 3.11 and ftfy 6.3.1, whose tables (Apache licence 2.0) and Python's
list of HTML entities are the facts that text_repair.h follows.
Usage: python make_text_tables.py > text_tables.inc
"""
import html
import html.entities
import re
from re import _constants as kind
from re import _parser as parser

from ftfy import badness, chardata

SPACE, WORD, ANY = "kSpaceSet", "kWordSet", "kAnySet"


def cpp(text):
    """`text` as a C++ string literal of UTF-8."""
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode()) + '"'


def wrapped(items, width=88):
    line = " "
    for item in items:
        if len(line) + len(item) + 2 > width:
            print(line)
            line = " "
        line += f" {item},"
    print(line)


def entities():
    print("// Name and what it stands for; sorted.")
    print("constexpr Entity kEntities[] = {")
    wrapped(f'{{"{k}", {cpp(v)}}}' for k, v in sorted(html.entities.html5.items()))
    print("};")
    upper = {name[1:]: text for name, text in chardata.HTML_ENTITIES.items()
             if name[1:] not in html.entities.html5}
    print("// Names shouted in capitals that are unambiguous all the same.")
    print("constexpr Entity kUpperEntities[] = {")
    wrapped(f'{{"{k}", {cpp(v)}}}' for k, v in sorted(upper.items()))
    print("};")


def references():
    print("// Numbers that stand for another character than their own.")
    print("constexpr Reference kReferences[] = {")
    wrapped(f"{{{number}, {ord(text)}}}" for number, text
            in sorted(html._invalid_charrefs.items()) if len(text) == 1)
    print("};")
    print("constexpr char32_t kNoCharacters[] = {")
    wrapped(str(number) for number in sorted(html._invalid_codepoints))
    print("};")


def encodings():
    print("// What bytes 0x80 to 0xFF mean, then byte 0x1A.")
    print(f"constexpr char32_t kEncodings[{len(chardata.CHARMAP_ENCODINGS)}][129] = {{")
    for name in chardata.CHARMAP_ENCODINGS:
        text = bytes([*range(0x80, 0x100), 0x1A]).decode(name)
        print(f"  {{  // {name}")
        wrapped(str(ord(c)) for c in text)
        print("  },")
    print("};")


class Sets:
    """Sets of characters as ranges, each kept once."""

    def __init__(self):
        self.ranges = []
        self.sets = []
        self.known = {}

    def add(self, chars):
        if chars in (SPACE, WORD, ANY):
            return chars
        points = sorted(chars)
        ranges = []
        for point in points:
            if ranges and ranges[-1][1] + 1 == point:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
        key = tuple(map(tuple, ranges))
        if key not in self.known:
            self.known[key] = len(self.sets)
            self.sets.append((len(self.ranges), len(key)))
            self.ranges.extend(key)
        return str(self.known[key])


def members(op, av):
    """The set one position of the expression matches."""
    if op == kind.ANY:
        return ANY
    if op == kind.LITERAL:
        return frozenset([av])
    if op == kind.NOT_LITERAL:
        return frozenset(range(0x110000)) - {av}
    assert op == kind.IN
    if av[0] == (kind.CATEGORY, kind.CATEGORY_SPACE):
        return SPACE
    if av[0] == (kind.CATEGORY, kind.CATEGORY_WORD):
        return WORD
    negate = av[0][0] == kind.NEGATE
    points = set()
    for each, value in av[negate:]:
        points |= {value} if each == kind.LITERAL else set(range(value[0], value[1] + 1))
    return frozenset(range(0x110000)) - points if negate else frozenset(points)


def rules(sets):
    """The expression as sequences of sets; `\\s?` makes two of one."""
    tree = parser.parse(badness.BADNESS_RE.pattern, badness.BADNESS_RE.flags)
    for alternative in tree.data[0][1][1]:
        variants = [(False, [])]
        for op, av in alternative:
            if op == kind.AT:
                variants = [(True, seq) for _, seq in variants]
            elif op == kind.MAX_REPEAT:
                inside = sets.add(members(*av[2][0]))
                variants += [(start, [*seq, inside]) for start, seq in variants]
            else:
                inside = sets.add(members(op, av))
                variants = [(start, [*seq, inside]) for start, seq in variants]
        yield from variants


def main():
    print("// Made by make_text_tables.py; facts of ftfy 6.3.1 and of HTML 5.")
    print("// clang-format off")
    entities()
    references()
    encodings()
    sets = Sets()
    found = list(rules(sets))
    clue = {name: sets.add(frozenset(ord(c) for c in expand(text)))
            for name, text in chardata.UTF8_CLUES.items()}
    print("constexpr CharRange kRanges[] = {")
    wrapped(f"{{{a}, {b}}}" for a, b in sets.ranges)
    print("};")
    print("constexpr CharSet kSets[] = {")
    wrapped(f"{{{a}, {n}}}" for a, n in sets.sets)
    print("};")
    print("// Sequences of sets that real text does not have.")
    print("constexpr Rule kBadRules[] = {")
    wrapped(f"{{{'true' if start else 'false'}, {len(seq)}, {{{', '.join(seq)}}}}}"
            for start, seq in found)
    print("};")
    print("// What bytes of UTF-8 look like when they are read one by one.")
    for name, number in clue.items():
        words = "".join(word.capitalize() for word in name.split("_"))
        print(f"constexpr int k{words} = {number};")
    print("// clang-format on")


def expand(text):
    """Members of a bracket expression given as text."""
    tree = parser.parse(f"[{text}]")
    op, av = tree.data[0]
    return [chr(p) for p in members(op, av)]


if __name__ == "__main__":
    main()
