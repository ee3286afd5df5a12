"""Texts as software breaks them, and what ftfy makes of them.

    python make_repair.py OUT [--each 40] [--catalogues FOLDER]

Writes OUT/texts.jsonl: a row a text with its kind, the text and ftfy's answer
where that differs. Captions of our own in many languages and templates with
names of classes, as they are ("ordinary ..."), and as UTF-8 read in another
code page, once and twice, whole and beside quotes or HTML entities. With
--catalogues all of it from the message catalogues (.mo) below that folder,
--each a language and kind. Made with ftfy 6.3.1.

To compare: TAILMARK_GOLDEN_ROOT=DIR repair_golden_test, where OUT is DIR/repair.
Skips when ftfy is not installed.
"""

import argparse
import gettext
import json
import pathlib
import random
import sys

try:
    import ftfy
    import ftfy.bad_codecs  # noqa: F401 the sloppy code pages
except ImportError:
    sys.exit("skipped: ftfy is not installed")

CAPTIONS = {
    "en": ["A dog chases a frisbee across the lawn.", "Café tables in the rain, naïve art, a façade"],
    "de": ["Ein Hund läuft über die Straße.", "Zwei Äpfel und Öl in einer Küche"],
    "fr": ["Un garçon mange une crêpe près de la fenêtre.", "À côté de l’évier, une théière où dort un chat"],
    "es": ["Una niña y un muñeco están en el jardín.", "¿Quién lleva el paraguas? ¡Él!"],
    "pt": ["Um avião está no chão.", "A mãe põe pão e maçã na mão da irmã."],
    "it": ["Un caffè è sulla tavola, più in là c’è città.", "Perché il gatto è lassù?"],
    "sv": ["En älg går på vägen.", "Två får och en åsna står på ängen."],
    "da": ["En pige spiser æbler på øen.", "Blå køer og røde tæpper"],
    "nb": ["Gutten kjører båt på sjøen.", "Rød brød på blått kjøkken"],
    "is": ["Hundur hleypur á ísnum, það er gaman.", "Þrír hestar við ána"],
    "fi": ["Hyvä päivä: tyttö syö jäätelöä.", "Kaksi härkää pellolla, yö"],
    "et": ["Õpilane sõidab jõe ääres.", "Üks öökull ja äike"],
    "nl": ["Een coördinator met één paraplu", "Ideeën, zeeën en een reünie"],
    "pl": ["Żółta łódka płynie po jeziorze.", "Ćma i gęś śpią w źródle."],
    "cs": ["Žluťoučký kůň pije vodu.", "Řeka, člověk a úžasná lžíce", "Ďas v přístavu"],
    "sk": ["Dieťa kŕmi kačky pri rieke.", "Ľudia, žena a vŕba"],
    "hu": ["Árvíztűrő tükörfúrógép az asztalon", "Őz és üveg, ünnepi zászló"],
    "ro": ["Doi câini aleargă în grădină.", "Șapte mașini și o țeapă"],
    "hr": ["Čovjek vozi bicikl niz ulicu, šuma i žaba.", "Đak nosi ćup."],
    "sl": ["Žena s kišobranom čaka vlak.", "Češnje in šah"],
    "tr": ["Bir köpek çimenlerin üstünde koşuyor.", "Şişe, ığdır, İstanbul ve öğrenci"],
    "lt": ["Šuo bėga per pievą, ąžuolas žalias.", "Žuvis ir ūsai"],
    "lv": ["Suns skrien pāri ielai, ēka ir zaļa.", "Ģitāra, ķirbis un ņiprs kaķis"],
    "ga": ["Tá madra mór ag rith sa pháirc.", "Éan agus úll"],
    "vi": ["Một con chó đang chạy trên đường phố.", "Người phụ nữ cầm ô đỏ"],
    "ru": ["Собака бежит по улице.", "Красный зонт и ёж на столе"],
    "uk": ["Їжак їсть яблуко біля ґанку.", "Дівчина їде на велосипеді."],
    "bg": ["Кучето тича по улицата.", "Щъркел върху къща"],
    "el": ["Ένας σκύλος τρέχει στον δρόμο.", "Η γάτα κοιμάται πάνω στο αυτοκίνητο."],
    "he": ["כלב רץ ברחוב.", "שני תפוחים על השולחן"],
    "ar": ["كلب يجري في الشارع.", "قطة على الطاولة"],
    "fa": ["گربه روی صندلی خوابیده است.", "یک پنجرهٔ آبی"],
    "hi": ["एक कुत्ता सड़क पर दौड़ रहा है।", "लाल छाता और बिल्ली"],
    "th": ["สุนัขวิ่งบนถนน", "แมวนอนบนเก้าอี้"],
    "ka": ["ძაღლი გარბის ქუჩაში.", "კატა მაგიდაზე"],
    "ja": ["犬が通りを走っている。", "赤い傘とねこ、コーヒー"],
    "ko": ["개가 거리를 달린다.", "빨간 우산과 고양이"],
    "zh": ["一只狗在街上奔跑。", "桌上的紅色雨傘、貓"],
    "emoji": ["a dog 🐕 in the sun ☀", "✔ done — 20 °C, 5 €, ½ cup"],
}
TEMPLATES = ["a photo of a {}.", "itap of the {}.", "a bad photo of “{}”.",
             "art of the {} – it’s “naïve”", "a {} in a video game…", "«{}», 20 °C"]
NAMES = ["person", "traffic light", "aeroplane", "potted plant", "tv monitor", "crêpe",
         "Straßenbahn", "зонт", "犬", "CAFÉ", "VÝŠKA", "MENÙ", "ECRÃ", "Úžas", "Brontë"]
# Pages that texts are read in; the first two are what is claimed.
PAGES = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1254", "sloppy-windows-1250",
         "sloppy-windows-1257", "sloppy-windows-1253", "sloppy-windows-1251", "iso-8859-2",
         "macroman", "cp437"]


def of_catalogues(folder):
    texts = {}
    for path in sorted(pathlib.Path(folder).rglob("*.mo")):
        language = path.parts[-3]
        try:
            with open(path, "rb") as file:
                messages = gettext.GNUTranslations(file)._catalog
        except (OSError, ValueError, LookupError):
            continue
        texts.setdefault(language, set()).update(
            value.split("\n")[0][:200] for key, value in messages.items()
            if key and isinstance(value, str) and not value.isascii())
    return {language: sorted(found) for language, found in texts.items()}


def of_ours():
    texts = {language: list(captions) for language, captions in CAPTIONS.items()}
    texts["templates"] = [template.format(name) for template in TEMPLATES for name in NAMES]
    return texts


def misread(text, page):
    """`text` as a program shows it that takes its bytes for the page; None: they are none there."""
    try:
        return text.encode().decode(page)
    except UnicodeDecodeError:
        return None


def rows_of(text, rng):
    """(kind, text) of one text."""
    last = rng.choice(["…", "”", "»", "’s", "!", " —", " : «", "?", ", “"])
    yield "ordinary", text
    yield "ordinary capitals", text.upper()
    yield "ordinary capitals and a mark", text.upper().rstrip(".") + last
    yield "ordinary in quotes", f"“{text}” – ‘{text.title()}’ «{text}» „{text}“"
    yield "ordinary with entities", f"{text} &amp; caf&eacute; &lt;3"
    if text.isascii():
        return
    for page in PAGES:
        once = misread(text, page)
        if once is None:
            continue
        yield page, once
        if page in PAGES[:2]:
            yield page + ", twice", misread(once, page)
            yield page + ", beside quotes", f"“a photo” of {once}, it’s"
            yield page + ", beside entities", f"{once} &amp; caf&eacute;"
            if "\u00a0" in once:
                yield page + ", blanks for no-break spaces", once.replace("\u00a0", " ")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--catalogues")
    options = parser.parse_args()
    texts = of_catalogues(options.catalogues) if options.catalogues else of_ours()
    rng = random.Random(4)
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with open(out / "texts.jsonl", "w", encoding="utf-8") as file:
        for language in sorted(texts):
            found = texts[language]
            if options.catalogues:
                found = rng.sample(found, min(options.each, len(found)))
            for text in found:
                for kind, broken in rows_of(text, rng):
                    row = {"kind": kind, "text": broken}
                    answer = ftfy.fix_text(broken)
                    if answer != broken:
                        row["ftfy"] = answer
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                    count += 1
    print(f"{count} texts, ftfy {ftfy.__version__}")


if __name__ == "__main__":
    main()
