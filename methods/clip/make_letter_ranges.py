"""Writes letter_ranges.inc: letters and numbers younger than Unicode 14.

CLIP's tokenizer cuts words with the Python package regex, which knows the newest
Unicode; PCRE2 of Debian 12 knows version 14. Needs Python 3.11 (version 14 too)
and regex 2026.11.15.
Usage: python make_letter_ranges.py > letter_ranges.inc
"""
import unicodedata

import regex


def younger(major):
    """Ranges of the general category that Python does not know yet."""
    inside = regex.compile(rf"\p{{{major}}}")
    ranges = []
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000 or unicodedata.category(chr(point))[0] == major:
            continue
        if inside.match(chr(point)):
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
    return ranges


def main():
    print("// Made by make_letter_ranges.py.")
    print("// clang-format off")
    for name, major in (("Letters", "L"), ("Numbers", "N")):
        print(f"constexpr char kYoung{name}[] =")
        ranges = [f"\\\\x{{{a:X}}}-\\\\x{{{b:X}}}" for a, b in younger(major)]
        lines = [ranges[i:i + 4] for i in range(0, len(ranges), 4)]
        print("\n".join('  "' + "".join(line) + '"' for line in lines) + ";")
    print("// clang-format on")


if __name__ == "__main__":
    main()
