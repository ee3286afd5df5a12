"""Features that transformers computes for two CLIP folders.

  make_clip_transformers.py NANO_FOLDER   (methods/clip/nano)

Writes, beside this script, nano.safetensors (inputs and outputs of NANO_FOLDER),
gelu/ (a small random model: GELU, eps 1e-4, head widths 8 and 6, sizes that are
no power of two, end token found by its id and not by being the largest) and
gelu.safetensors. Versions are kept in each file's metadata. float64 evaluation
with SDPA attention, stored as float32.
"""

import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

HERE = pathlib.Path(__file__).parent


def outputs(model, pixels, ids):
    model = model.double().eval()
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=pixels.double())
        hidden = out.vision_model_output.last_hidden_state
        tokens = model.visual_projection(model.vision_model.post_layernorm(hidden))
    return {
        "pixels": pixels,
        "ids": ids,
        "image_embeds": out.image_embeds.float(),
        "text_embeds": out.text_embeds.float(),
        "tokens": tokens.float(),
        "logits": out.logits_per_image.float(),
    }


def texts(config, end, largest, generator):
    """Rows of several lengths; one fills the context, one is empty."""
    length = config.max_position_embeddings
    ids = torch.zeros(6, length, dtype=torch.int64)
    for row, words in enumerate([0, 1, 5, 9, length - 3, length - 2]):
        ids[row, 0] = end - 1
        ids[row, 1 : 1 + words] = torch.randint(1, largest, (words,), generator=generator)
        ids[row, 1 + words] = end
    return ids


def save(name, tensors):
    tensors = {key: value.contiguous() for key, value in tensors.items()}
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    save_file(tensors, HERE / f"{name}.safetensors", metadata=versions)


def gelu_config():
    text = dict(vocab_size=60, hidden_size=36, intermediate_size=52,
                num_hidden_layers=3, num_attention_heads=6,
                max_position_embeddings=17, hidden_act="gelu",
                layer_norm_eps=1e-4, bos_token_id=49, eos_token_id=50)
    vision = dict(hidden_size=40, intermediate_size=72, num_hidden_layers=3,
                  num_attention_heads=5, image_size=35, patch_size=7,
                  hidden_act="gelu", layer_norm_eps=1e-4)
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=28,
                      attn_implementation="sdpa")


def main():
    generator = torch.Generator().manual_seed(7)
    nano = CLIPModel.from_pretrained(sys.argv[1], dtype=torch.float32,
                                     attn_implementation="sdpa")
    pixels = torch.randn(5, 3, 48, 48, generator=generator)
    ids = texts(nano.config.text_config, 98, 97, generator)
    save("nano", outputs(nano, pixels, ids))

    model = CLIPModel(gelu_config())
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            noise = torch.randn(value.shape, generator=generator)
            if name == "logit_scale":
                value.fill_(3.1)
            elif "norm" in name and name.endswith("weight"):
                value.copy_(1 + 0.2 * noise)
            else:
                value.copy_(0.15 * noise)
    model.half().float()
    model.half().save_pretrained(HERE / "gelu")
    model = model.float()
    ids = texts(model.config.text_config, 50, 49, generator)
    # Larger ids before the end: argmax would pool at the wrong place.
    ids[3, 2] = 58
    save("gelu", outputs(model, torch.randn(3, 3, 35, 35, generator=generator), ids))


main()
