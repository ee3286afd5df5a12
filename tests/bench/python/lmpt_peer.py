"""An LMPT epoch here against a straightforward PyTorch program, COCO-LT's shape.

    python3 tests/bench/python/lmpt_peer.py build/release/bin/prompt_bench

ViT-B/16 with random weights, float32, one thread. The program below does what
the method says and no more: it encodes every image in every epoch, 80 prompts of
77 positions in every training step and for every test batch, and compares each
caption with each prompt position by position. A fraction is measured (IMAGES
images at a time, TURNS medians) and scaled to an epoch: 1,909 training and 5,000
test images in batches of 64, 30 and 79 of them. Prints processor time and
floating-point operations of both, their ratios, and the peak memory of this side.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("prompt_bench")
parser.add_argument("--images", type=int, default=8)
parser.add_argument("--turns", type=int, default=3)
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = "1"

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.utils.flop_counter import FlopCounterMode
except ImportError:
    print("skipped: torch not installed")
    sys.exit(0)

torch.set_num_threads(1)
torch.manual_seed(0)
TRAIN, TEST, BATCH, CLASSES, LENGTH, SHORT = 1909, 5000, 64, 80, 77, 22
STEPS, TEST_BATCHES = 30, 79


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask=None):
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False, attn_mask=mask)[0]
        y = self.up(self.norm2(x))
        return x + self.down(y * torch.sigmoid(1.702 * y))


class Vision(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 768, 16, 16, bias=False)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, 768))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 197, 768))
        self.before, self.after = nn.LayerNorm(768), nn.LayerNorm(768)
        self.blocks = nn.ModuleList(Block(768, 12) for _ in range(12))
        self.projection = nn.Linear(768, 512, bias=False)

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        x = self.before(x)
        for block in self.blocks:
            x = block(x)
        return self.projection(self.after(x[:, 0]))


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.positions = nn.Parameter(0.01 * torch.randn(1, LENGTH, 512))
        self.blocks = nn.ModuleList(Block(512, 8) for _ in range(12))
        self.after = nn.LayerNorm(512)
        self.projection = nn.Linear(512, 512, bias=False)

    def forward(self, embeddings):
        length = embeddings.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1)
        x = embeddings + self.positions[:, :length]
        for block in self.blocks:
            x = block(x, mask)
        return self.projection(self.after(x)[:, SHORT - 1])


vision, text = Vision().requires_grad_(False), Text().requires_grad_(False)
fixed = 0.03 * torch.randn(CLASSES, LENGTH, 512)
context = nn.Parameter(0.02 * torch.randn(CLASSES, 16, 512))
counts = torch.randint(6, 1128, (CLASSES,)).float()


def prompts(length=LENGTH):
    return torch.cat([fixed[:, :1], context, fixed[:, 17:length]], 1)


def logits(features, texts):
    return 100 * F.normalize(features) @ F.normalize(texts).t()


def db_loss(z, y):
    n = counts
    r = (1 / n) / (y / n).sum(1, keepdim=True)
    w = 0.1 + torch.sigmoid(10 * (r - 0.2))
    z = z - 0.05 / 2 * torch.log(TRAIN / n - 1)
    z, w = torch.where(y > 0, z, 2 * z), torch.where(y > 0, w, w / 2)
    b = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    return 2 * (1 - torch.exp(-b.mean())) ** 2 * (w * b).mean()


def cse_loss(captions, all_prompts, y):
    a, b = captions[:, None, : LENGTH - 2], all_prompts[None, :, 2:]
    s = (1 - F.cosine_similarity(a.expand(-1, CLASSES, -1, -1), b, dim=3)).mean(2)
    margin, w = 0.2 * counts**-0.25, counts**-2.0 / (counts**-2.0).sum()
    return (w * torch.where(y > 0, s, F.relu(margin - s))).mean()


images = arguments.images
pixels = torch.randn(images, 3, 224, 224)
labels = (torch.rand(images, CLASSES) < 0.05).float()
labels[:, 0] = 1
captions = 0.03 * torch.randn(images, LENGTH, 512)
cached = torch.randn(images, 512)


def encode_images():
    with torch.no_grad():
        return vision(pixels)


def encode_texts():
    with torch.no_grad():
        return text(prompts())


def step(length):
    p = prompts(length)
    loss = 0.5 * db_loss(logits(cached, text(p)), labels)
    if length == LENGTH:
        loss = loss + 0.5 * cse_loss(captions, p, labels)
    context.grad = None
    loss.backward()


def step_without_captions():
    context.grad = None
    db_loss(logits(cached, text(prompts())), labels).backward()


def seconds(work):
    work()
    spent = []
    for _ in range(arguments.turns):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def flops(work):
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def epoch(of):
    """An epoch from its parts: `of` measures a piece of work."""
    image = of(encode_images) / images
    plain = of(step_without_captions)
    compare = max(of(lambda: step(LENGTH)) - plain, 0) / images * BATCH
    score = of(encode_texts)
    return (TRAIN + TEST) * image + STEPS * (plain + compare) + TEST_BATCHES * score


ours = {}
for _ in range(arguments.turns):
    told = json.loads(
        subprocess.run(
            [arguments.prompt_bench, "--benchmark_format=json"],
            check=True, capture_output=True, text=True,
        ).stdout
    )
    for each in told["benchmarks"]:
        ours.setdefault(each["name"].split("/")[1], []).append(each["cpu_time"])
median = {name: statistics.median(values) for name, values in ours.items()}
mine = STEPS * median["steps"] / 2 + median["score"]
theirs = epoch(seconds)
their_flops = epoch(flops)
with torch.no_grad():
    short = flops(lambda: text(prompts(SHORT)))
my_flops = (
    STEPS * (flops(lambda: step(SHORT)) + 2 * BATCH * CLASSES * 75 * 512 * 2)
    + short
    + 2 * TEST * CLASSES * 512
)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
print(f"here:  {mine:9.1f} s of processor, {my_flops / 1e12:8.2f} TFLOP, {child:.1f} GiB")
print(f"plain: {theirs:9.1f} s of processor, {their_flops / 1e12:8.2f} TFLOP, {peak:.1f} GiB")
print(f"ratio: {theirs / mine:9.1f} x{'':19}{their_flops / my_flops:8.1f} x")
print(f"measured: {images} images, one step, one pass of texts, {arguments.turns} turns")
