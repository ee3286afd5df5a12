"""CLIP's tokenizer here and in Python: same texts, in turns.

    python3 tests/bench/python/tokenizer_peer.py BENCH VOCABULARY TEXTS

BENCH is tokenizer_bench of a release build, VOCABULARY OpenAI's
bpe_simple_vocab_16e6.txt.gz, TEXTS a file with a text a line, or a captions.tsv
whose third column is taken. Prints medians of processor time and their ratio,
after checking that the ids are equal. The Python side is OpenAI's tokenizer as
clip-anytorch or open_clip_torch package it, with its cache of words warm.
"""

import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path



def load_original():
    """The class, without what else its package imports. None: not installed."""
    for package, file in (("clip", "simple_tokenizer.py"), ("open_clip", "tokenizer.py")):
        try:
            found = importlib.util.find_spec(package)
        except ImportError:
            found = None
        if found is None or found.origin is None:
            continue
        spec = importlib.util.spec_from_file_location(
            "original", Path(found.origin).with_name(file))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.SimpleTokenizer
    return None


ROUNDS = 5


def read_texts(path):
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    if path.endswith(".tsv"):
        lines = [line.split("\t")[2] for line in lines[1:]]
    return [line for line in lines if line]


def main():
    bench, vocabulary, source = sys.argv[1:]
    texts = read_texts(source)
    original = load_original()
    if original is None:
        print("skipped: neither clip-anytorch nor open_clip_torch installed")
        return
    tokenizer = original(vocabulary)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        listing, answer = Path(folder, "texts"), Path(folder, "ids")
        listing.write_text("\n".join(texts) + "\n", encoding="utf-8")
        for _ in range(ROUNDS):
            run = subprocess.run([bench, vocabulary, listing, answer],
                                 check=True, capture_output=True, text=True)
            ours.append(float(run.stdout))
            start = time.process_time()
            expected = [tokenizer.encode(text) for text in texts]
            theirs.append(time.process_time() - start)
        ids = [[int(word) for word in line.split()]
               for line in answer.read_text().splitlines()]
    if ids != expected:
        sys.exit("the ids differ")
    mine, peer = statistics.median(ours), statistics.median(theirs)
    print(f"{len(texts)} texts, equal ids")
    print(f"tailmark {1e6 * mine / len(texts):8.2f} us a text")
    print(f"python   {1e6 * peer / len(texts):8.2f} us a text")
    print(f"ratio    {peer / mine:8.1f}")


if __name__ == "__main__":
    main()
