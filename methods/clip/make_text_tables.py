"""Writes text_tables.inc: what cleaning a caption needs to know of characters.

Needs Python 3.11: its list of HTML 5 entities and of code pages.
Usage: python make_text_tables.py > text_tables.inc
"""
import html
import html.entities


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


def references():
    print("// Numbers that stand for another character than their own.")
    print("constexpr Reference kReferences[] = {")
    wrapped(f"{{{number}, {ord(text)}}}" for number, text
            in sorted(html._invalid_charrefs.items()) if len(text) == 1)
    print("};")
    print("constexpr char32_t kNoCharacters[] = {")
    wrapped(str(number) for number in sorted(html._invalid_codepoints))
    print("};")


# In the order of CodePage in text_tables.h.
PAGES = ["cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso8859_2"]


def pages():
    print("// What bytes 0x80 to 0xFF mean in each code page.")
    print("constexpr char32_t kPages[][128] = {")
    for page in PAGES:
        print(f"  {{  // {page}")
        # Bytes that mean nothing stay what they are, as in browsers.
        wrapped(str(ord(bytes([b]).decode(page, errors="ignore") or chr(b)))
                for b in range(0x80, 0x100))
        print("  },")
    print("};")


def main():
    print("// Made by make_text_tables.py; facts of HTML 5 and of code pages.")
    print("// clang-format off")
    entities()
    references()
    pages()
    print("// clang-format on")


if __name__ == "__main__":
    main()
