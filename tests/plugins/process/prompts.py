"""Four learnt words before each class name (CoOp, class-specific), through the frozen text tower of a CLIP in Hugging Face's layout."""
import json
import tailmark_method as tm
import torch
from torch.nn import functional as F

KINDS = {"F16": torch.float16, "F32": torch.float32, "BF16": torch.bfloat16}


class TextTower:
    def __init__(self, folder):
        self.w = {name: torch.frombuffer(bytearray(data), dtype=KINDS[kind]).view(shape).float()
                  for name, (kind, shape, data) in tm.read_safetensors(folder + "/model.safetensors").items() if name[:5] == "text_"}
        self.config = json.load(open(folder + "/config.json"))["text_config"]

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"])

    def __call__(self, words, ends):
        """Features [n, D] of word embeddings [n, L, W]; texts end at ends [n]."""
        x = words + self.w["text_model.embeddings.position_embedding.weight"][:words.shape[1]]
        for at in ("text_model.encoder.layers.%d." % i for i in range(self.config["num_hidden_layers"])):
            h = self.norm(x, at + "layer_norm1")
            q, k, v = (self.linear(h, at + "self_attn.%s_proj" % part)
                       .unflatten(-1, (self.config["num_attention_heads"], -1)).transpose(1, 2) for part in "qkv")
            h = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
            x = x + self.linear(h, at + "self_attn.out_proj")
            h = self.linear(self.norm(x, at + "layer_norm2"), at + "mlp.fc1")
            x = x + self.linear(h * torch.sigmoid(1.702 * h), at + "mlp.fc2")
        x = self.norm(x, "text_model.final_layer_norm")
        return x[torch.arange(len(ends)), ends] @ self.w["text_projection.weight"].T


class Prompts(tm.Method):
    def __init__(self, problem, options, scratch):
        super().__init__(problem, options, scratch)
        text = problem["text"]
        self.tower, self.scale, self.offset = TextTower(text["weights"]), text["logit_scale"], None
        self.words, self.ends = tm.read_npy(text["embeddings"]).torch(), tm.read_npy(text["tokens"]).torch().argmax(1)
        self.context = torch.zeros_like(self.words[:, 1:5]).requires_grad_()
        self.optimiser, self.parameters = torch.optim.AdamW([self.context], options["lr"], weight_decay=0.0), self.context.numel()

    def chance(self, name, index=0):
        return torch.Generator().manual_seed(self.seed(name, index))

    def logits(self, x):
        prompts = torch.cat([self.words[:, :1], self.context, self.words[:, 5:]], 1)
        return self.scale * F.normalize(x) @ F.normalize(self.tower(prompts, self.ends)).T

    def fit(self, train, validation):
        x, y, epochs = train.inputs.torch(), train.labels.torch().float(), self.options["epochs"]
        if self.offset is None:
            self.context.data = 0.02 * torch.randn(self.context.shape, generator=self.chance("context"))
            absent = max(1, y.numel() - int(y.sum()))  # Logits are far from log-odds: the loss alone begins at the share of labels.
            self.offset = self.logits(x).detach().flatten().kthvalue(absent).values
        for epoch in range(self.epoch, epochs):
            for rows in torch.randperm(len(x), generator=self.chance("shuffle", epoch)).split(self.options["batch_size"]):
                loss = F.binary_cross_entropy_with_logits(self.logits(x[rows]) - self.offset, y[rows])
                self.optimiser.zero_grad()
                loss.backward()
                self.optimiser.step()
            if not self.progress(epoch + 1, epochs, loss=loss.item()):
                break

    def predict(self, batch):
        return self.logits(batch.inputs.torch())

    def state(self):
        return {"context": self.context, "offset": self.offset, **self.optimiser.state.get(self.context, {})}

    def load(self, state):
        self.context.data, self.offset = state.pop("context").torch(), state.pop("offset").torch()
        self.optimiser.state[self.context] = {name: value.torch() for name, value in state.items()}


tm.main(Prompts)
