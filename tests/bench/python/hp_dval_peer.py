"""HP-DVAL's steps here and in plain PyTorch: same sizes, same threads.

    python3 tests/bench/python/hp_dval_peer.py build/release/bin/hp_dval_steps

The other side is our own writing of what the released training does with a
ViT-B/16: both prompt sets of all classes go through the whole text tower (77
positions) in every step and every scored batch; in stage 1 the text tower is
trained with the image tower and a frozen teacher runs beside; in stage 2 the
template is encoded as well; an averaged copy of the whole model is kept. Each
measurement is a process of its own, so that peak memory can be told. Prints CPU
seconds a step and a scored image (medians, the first left out), peak MiB, and
ratios.
"""

import argparse
import copy
import json
import os
import resource
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("hp_dval_steps", nargs="?")
parser.add_argument("--shape", choices=["coco-lt", "voc-lt"], action="append")
parser.add_argument("--stage", choices=["1", "2"], action="append")
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--scored", type=int, default=5, help="batches")
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
parser.add_argument("--peer-precision", choices=["fp32", "bf16"],
                    default="fp32")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--peer", action="store_true", help="measure the peer")
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError:
    print("skipped: torch not installed")
    sys.exit(0)

SHAPES = {"coco-lt": (80, 1909), "voc-lt": (20, 1142)}
CONTEXT, VOCABULARY, WORDS, PROMPT = 77, 49408, 10, 4


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads, mask=None):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), QuickGelu(),
                                 nn.Linear(4 * width, width))
        self.mask = mask

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False,
                               attn_mask=self.mask)[0]
        return x + self.mlp(self.norm2(x))


class Vision(nn.Module):
    def __init__(self, width=768, joint=512):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16, bias=False)
        self.cls = nn.Parameter(torch.randn(width) * width**-0.5)
        self.positions = nn.Parameter(torch.randn(197, width) * width**-0.5)
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.Sequential(*[Block(width, 12) for _ in range(12)])
        self.projection = nn.Parameter(torch.randn(width, joint) * width**-0.5)

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        cls = self.cls.expand(len(x), 1, -1)
        x = self.before(torch.cat([cls, x], 1) + self.positions)
        x = self.blocks(x.transpose(0, 1)).transpose(0, 1)
        return self.after(x) @ self.projection


class Text(nn.Module):
    def __init__(self, width=512, joint=512):
        super().__init__()
        mask = torch.full((CONTEXT, CONTEXT), float("-inf")).triu(1)
        self.positions = nn.Parameter(torch.randn(CONTEXT, width) * 0.01)
        self.blocks = nn.Sequential(*[Block(width, 8, mask) for _ in range(12)])
        self.after = nn.LayerNorm(width)
        self.projection = nn.Parameter(torch.randn(width, joint) * width**-0.5)

    def forward(self, embeddings, ends):
        x = (embeddings + self.positions).transpose(0, 1)
        x = self.after(self.blocks(x).transpose(0, 1))
        return x[torch.arange(len(x)), ends] @ self.projection


class Model(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.vision, self.text = Vision(), Text()
        self.local = nn.Parameter(torch.randn(PROMPT, 512) * 0.02)
        self.glob = nn.Parameter(torch.randn(PROMPT, 512) * 0.02)
        self.register_buffer("words", torch.randn(classes, CONTEXT, 512) * 0.02)
        self.register_buffer("ends", torch.full((classes,), WORDS - 1))

    def prompts(self, context):
        middle = context.expand(len(self.words), -1, -1)
        return torch.cat([self.words[:, :1], middle,
                          self.words[:, 1 + PROMPT:]], 1)

    def forward(self, pixels):
        local = self.text(self.prompts(self.local), self.ends)
        glob = self.text(self.prompts(self.glob), self.ends)
        tokens = self.vision(pixels)
        g = tokens[:, 0] @ glob.T
        l = (tokens[:, 1:] @ local.T).topk(32, dim=1)[0].mean(1)
        g, l = (F.normalize(each, dim=1) for each in (g, l))
        return 0.4 * l + 0.6 * g, tokens[:, 0], local


def loss_of(scores, labels, counts, images):
    bias = -0.025 * torch.log(images / counts - 1)
    inverse = 1 / counts
    ratio = inverse / (labels * inverse).sum(1, keepdim=True)
    weight = 0.1 + torch.sigmoid(10 * (ratio - 0.2))
    z = scores + bias
    z = z * torch.where(labels > 0, 5.0, 2.0)
    weight = weight * torch.where(labels > 0, 1.0, 0.5)
    plain = F.binary_cross_entropy_with_logits(z, labels)
    weighted = F.binary_cross_entropy_with_logits(z, labels, weight)
    return 2 * (1 - torch.exp(-plain)) ** 2 * weighted


def measure(shape, stage):
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    classes, images = SHAPES[shape]
    model = Model(classes)
    teacher = copy.deepcopy(model.vision).requires_grad_(False)
    prompts = (model.local, model.glob)
    for parameter in model.parameters():
        prompt = any(parameter is each for each in prompts)
        parameter.requires_grad_(prompt == (stage == "2"))
    average = copy.deepcopy(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-5, weight_decay=1e-4)
    pixels = torch.randn(arguments.batch, 3, 224, 224)
    labels = (torch.rand(arguments.batch, classes) < 0.05).float()
    labels[:, 0] = 1
    counts = 6 + (0.6 * images * torch.exp(-5 * torch.arange(classes) / classes))

    def mixed():
        return torch.autocast("cpu", torch.bfloat16,
                              enabled=arguments.peer_precision == "bf16")

    seconds = []
    for _ in range(arguments.steps):
        begin = time.process_time()
        with mixed():
            scores, cls, local = model(pixels)
            loss = loss_of(scores.float(), labels, counts, images)
            if stage == "1":
                with torch.no_grad():
                    target = teacher(pixels)[:, 0]
                loss = loss + F.l1_loss(cls, target)
            else:
                with torch.no_grad():
                    template = model.text(model.words, model.ends)
                loss = loss + F.l1_loss(local, template)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            for e, m in zip(average.state_dict().values(),
                            model.state_dict().values()):
                if e.is_floating_point():
                    e.copy_(0.998 * e + 0.002 * m)
        seconds.append(time.process_time() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    scored = []
    with torch.no_grad(), mixed():
        for _ in range(arguments.scored):
            begin = time.process_time()
            average(pixels)
            scored.append((time.process_time() - begin) / arguments.batch)
    print(json.dumps({"step_cpu_s": seconds, "score_cpu_s_an_image": scored,
                      "peak_mib": peak}))


def run(command):
    return json.loads(subprocess.run(command, check=True, text=True,
                                     stdout=subprocess.PIPE).stdout)


def median(values):
    return statistics.median(values[1:] or values)


def main():
    shapes = arguments.shape or list(SHAPES)
    stages = arguments.stage or ["1", "2"]
    if arguments.peer:
        return measure(shapes[0], stages[0])
    common = ["--batch", str(arguments.batch), "--steps", str(arguments.steps),
              "--scored", str(arguments.scored), "--threads",
              str(arguments.threads)]
    here = ["--precision", arguments.precision]
    there = ["--peer-precision", arguments.peer_precision]
    print("shape    stage  what            here      PyTorch   ratio")
    for shape in shapes:
        classes, images = SHAPES[shape]
        for stage in stages:
            ours = run([arguments.hp_dval_steps, "--stage", stage, "--classes",
                        str(classes), "--images", str(images), *common, *here])
            peer = run([sys.executable, __file__, "--peer", "--shape", shape,
                        "--stage", stage, *common, *there])
            rows = [("step, CPU s", median(ours["step_cpu_s"]),
                     median(peer["step_cpu_s"])),
                    ("scored, CPU s", median(ours["score_cpu_s_an_image"]),
                     median(peer["score_cpu_s_an_image"])),
                    ("peak, MiB", ours["peak_mib"], peer["peak_mib"])]
            for what, mine, theirs in rows:
                print(f"{shape:8} {stage:6} {what:14} {mine:9.3f} "
                      f"{theirs:11.3f} {theirs / mine:6.2f} x")


if __name__ == "__main__":
    main()
